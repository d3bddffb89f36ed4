package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up on it. Nothing ever waits for it to pass.
const patience = 60 * time.Second

// program gives the path of one of the workspace's programs, as cargo builds them.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("TRIBUNAL_BIN_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "target", "debug")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("`%s` is not there: %v: run `cargo build --workspace`, or set TRIBUNAL_BIN_DIR", name, err)
	}
	return path
}

// process is one of the workspace's programs while it runs.
type process struct {
	*exec.Cmd
	stdout *bufio.Reader
	log    string
}

// start runs a program until the end of the test. It is asked to stop then, and fails the test if it does not, or if it
// ends with an error. Its standard input stays open for as long as this process lives.
func start(t testing.TB, name string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program(t, name), args...)
	cmd.Stderr = log
	cmd.Env = append(os.Environ(), "RUST_LOG=info,tribunal=debug", "NO_COLOR=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, stdout: bufio.NewReader(stdout), log: log.Name()}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("`%s` cannot be stopped: %v", name, err)
		}
		kill := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil && name != "proxies" {
			t.Errorf("`%s` ended badly: %v", name, err)
		}
		if t.Failed() {
			t.Logf("what `%s` said:\n%s", name, p.said())
		}
	})
	return p
}

// said gives all that it has written to standard error so far.
func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// ready waits for the line of JSON that says where it listens.
func (p *process) ready(t testing.TB, into any) {
	t.Helper()
	line := make(chan string, 1)
	go func() {
		text, err := p.stdout.ReadString('\n')
		if err != nil {
			text = fmt.Sprintf("%q", err.Error())
		}
		line <- text
	}()
	select {
	case text := <-line:
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("it did not start: %v: %s\n%s", err, strings.TrimSpace(text), p.said())
		}
	case <-time.After(patience):
		t.Fatalf("it did not start in time\n%s", p.said())
	}
}

// within gives a context that ends with the test, and before it if the test hangs.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// write puts a file where the test can point to it.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read gives a file's text.
func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
