//! Runs the built binary as people do, and waits for what it says. It must never wait for time to pass.

use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// Nothing here takes as long, on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The binary under test.
pub(crate) fn tribunal(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    command.args(arguments).kill_on_drop(true).stdin(Stdio::null()).env_remove("RUST_LOG").env_remove("COLUMNS");
    // Not the caches of whoever runs the tests. All share it: what is in it is named by what it was made from.
    command.env_remove("CACHE_DIRECTORY").env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/caches"));
    command
}

/// Runs it to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    in_time(tribunal(arguments).output()).await.unwrap()
}

/// Runs it to its good end; gives what it printed.
pub(crate) async fn said(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "tribunal {arguments:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout.into_owned()
}

/// Runs it to its good end; gives the one JSON object that it printed.
pub(crate) async fn said_json(arguments: &[&str]) -> Value {
    let text = said(arguments).await;
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Runs it to its bad end; gives the exit code and what it said about it.
pub(crate) async fn failed(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments).await;
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it takes too long")
}

/// A process that runs until it is told to end.
pub(crate) struct Process {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

/// The lines of a stream, as they come.
struct Lines {
    incoming: mpsc::UnboundedReceiver<String>,
    heard: String,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(tribunal(arguments))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Lines::of(child.stdout.take().unwrap());
        let stderr = Lines::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// The next line of standard output with these words.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        self.stdout.wait_for(words).await
    }

    /// The next line of the log with all of these words.
    pub(crate) async fn logs(&mut self, words: &str) -> String {
        self.stderr.wait_for(words).await
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().await.unwrap();
        assert!(sent.success(), "kill -{signal} {id}");
    }

    /// Sends a signal by its name and waits for the end.
    pub(crate) async fn end(mut self, signal: &str) -> ExitStatus {
        self.signal(signal).await;
        in_time(self.child.wait()).await.unwrap()
    }
}

impl Lines {
    /// Reads on whether or not anybody waits, so that a full pipe stops nobody.
    fn of(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (heard, incoming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stream).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if heard.send(line).is_err() {
                    break;
                }
            }
        });
        Self { incoming, heard: String::new() }
    }

    async fn wait_for(&mut self, words: &str) -> String {
        let wait = async {
            while let Some(line) = self.incoming.recv().await {
                self.heard.push_str(&line);
                self.heard.push('\n');
                if line.contains(words) {
                    return Some(line);
                }
            }
            None
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.ok().flatten().unwrap_or_else(|| panic!("`{words}` was not said:\n{}", self.heard))
    }
}

/// A served cluster of its own, in a directory of its own.
pub(crate) struct Served {
    pub(crate) process: Process,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) address: String,
}

impl Served {
    pub(crate) async fn start(scenario: Option<&Path>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut arguments = vec!["dev", "--serve", "--listen", "127.0.0.1:0", "--dir", dir.path().to_str().unwrap()];
        if let Some(scenario) = scenario {
            arguments.extend(["--scenario", scenario.to_str().unwrap()]);
        }
        let mut process = Process::start(&arguments);
        process.says("listens on 127.0.0.1:").await;
        let address = std::fs::read_to_string(dir.path().join("address")).unwrap().trim().to_owned();
        Self { process, dir, address }
    }

    pub(crate) fn path(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    /// The daemon with the sample watcher's flags.
    pub(crate) async fn watcher(&self) -> Process {
        watcher(&self.address, self.dir.path()).await
    }

    /// A user asks; gives the request's id.
    pub(crate) async fn ask(&self, user: &str, wish: &[&str]) -> String {
        let mut arguments = vec!["dev", "request", "--dir", self.path(), "--user", user, "--reason", "a test"];
        arguments.extend(wish);
        said(&arguments).await.trim().to_owned()
    }

    pub(crate) async fn requests(&self) -> Vec<Value> {
        let shown = said_json(&["dev", "requests", "--dir", self.path(), "--json"]).await;
        shown["requests"].as_array().unwrap().clone()
    }

    /// The request as soon as it is not pending any more. There is no event to wait for: each look is a process.
    pub(crate) async fn resolved(&self, id: &str) -> Value {
        in_time(async {
            loop {
                let requests = self.requests().await;
                let request = requests.into_iter().find(|request| request["id"] == id).unwrap();
                if request["state"] != "PENDING" {
                    return request;
                }
            }
        })
        .await
    }
}

/// The daemon with the flags that the sample watcher's blog has, on the cluster of this directory.
pub(crate) async fn watcher(address: &str, dir: &Path) -> Process {
    let (identity, ledger) = (dir.join("identity"), dir.join("ledger"));
    let (identity, ledger) = (identity.to_str().unwrap(), ledger.to_str().unwrap());
    let mut flags = vec!["run", "-p", address, "-i", identity, "-m", "3", "--conflict-patterns", "prod,research"];
    flags.extend(["--poll-interval", "1s", "--resource-limit=true", "--role-conflicts=true", "-d"]);
    flags.extend(["--ledger-dir", ledger]);
    let mut process = Process::start(&flags);
    process.logs("Connected to Teleport").await;
    process
}
