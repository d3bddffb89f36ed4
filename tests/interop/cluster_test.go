package interop

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gravitational/teleport/api/breaker"
	"github.com/gravitational/teleport/api/client"
	"github.com/gravitational/teleport/api/types"
	"github.com/gravitational/trace"
)

// cluster is a simulated cluster, as `tribunal dev --serve` serves it.
type cluster struct {
	address string
	dir     string
}

// serve starts a simulated cluster: that of testdata/cluster.toml, with more at its end or nothing.
func serve(t testing.TB, more ...string) *cluster {
	t.Helper()
	scenario := read(t, filepath.Join("testdata", "cluster.toml")) + strings.Join(more, "\n")
	return serveWhole(t, scenario)
}

// serveWhole starts a simulated cluster from a scenario of the test's own.
func serveWhole(t testing.TB, scenario string) *cluster {
	t.Helper()
	dir := t.TempDir()
	path := write(t, "scenario.toml", scenario)
	p := start(t, "tribunal", "dev", "--serve", "--json", "--listen", "127.0.0.1:0", "--dir", dir, "--scenario", path)
	var told struct{ Address string }
	p.ready(t, &told)
	return &cluster{address: told.Address, dir: dir}
}

// identity gives the path of the identity file of a user; of the watcher's for "bot".
func (c *cluster) identity(user string) string {
	if user == "bot" {
		return filepath.Join(c.dir, "identity")
	}
	return filepath.Join(c.dir, user+".identity")
}

// as connects Teleport's client, as everybody does: with an address and an identity file.
func (c *cluster) as(t testing.TB, user string) *client.Client {
	t.Helper()
	return connect(t, c.address, c.identity(user))
}

func connect(t testing.TB, address, identity string) *client.Client {
	t.Helper()
	clt, err := client.New(within(t), config(address, identity))
	if err != nil {
		t.Fatalf("connecting with %s: %v", filepath.Base(identity), err)
	}
	t.Cleanup(func() { clt.Close() })
	return clt
}

func config(address, identity string) client.Config {
	return client.Config{
		Addrs:       []string{address},
		Credentials: []client.Credentials{client.LoadIdentityFile(identity)},
		// Tests refuse on purpose, which is no reason to stop asking.
		CircuitBreakerConfig: breaker.NoopBreakerConfig(),
	}
}

// wish is an access request before it is made; without roles, it leaves them to the server to find.
func wish(user string, roles []string, nodes ...string) *types.AccessRequestV3 {
	request := &types.AccessRequestV3{
		Kind: types.KindAccessRequest, Version: types.V3,
		Metadata: types.Metadata{Name: uuid.NewString()},
		Spec:     types.AccessRequestSpecV3{User: user, Roles: roles, State: types.RequestState_PENDING},
	}
	for _, node := range nodes {
		request.Spec.RequestedResourceIDs = append(request.Spec.RequestedResourceIDs, nodeID(node))
	}
	return request
}

func nodeID(node string) types.ResourceID {
	return types.ResourceID{ClusterName: "interop", Kind: types.KindNode, Name: node}
}

// ask makes an access request for roles, as the user.
func ask(t testing.TB, as *client.Client, user string, roles ...string) types.AccessRequest {
	t.Helper()
	made, err := as.CreateAccessRequestV2(within(t), wish(user, roles))
	if err != nil {
		t.Fatalf("`%s` asks for %v: %v", user, roles, err)
	}
	return made
}

// kind is one of the error types of Teleport's trace library.
type kind struct {
	name string
	is   func(error) bool
}

var (
	accessDenied      = kind{"AccessDenied", trace.IsAccessDenied}
	alreadyExists     = kind{"AlreadyExists", trace.IsAlreadyExists}
	badParameter      = kind{"BadParameter", trace.IsBadParameter}
	compareFailed     = kind{"CompareFailed", trace.IsCompareFailed}
	connectionProblem = kind{"ConnectionProblem", trace.IsConnectionProblem}
	limitExceeded     = kind{"LimitExceeded", trace.IsLimitExceeded}
	notFound          = kind{"NotFound", trace.IsNotFound}
	notImplemented    = kind{"NotImplemented", trace.IsNotImplemented}

	kinds = []kind{
		accessDenied, alreadyExists, badParameter, compareFailed, connectionProblem, limitExceeded, notFound, notImplemented,
	}
)

// refused checks that an error is of this type of Teleport's, of no other, and says this.
func refused(t testing.TB, err error, want kind, words string) {
	t.Helper()
	if err == nil {
		t.Errorf("not refused: want %s: %s", want.name, words)
		return
	}
	for _, each := range kinds {
		if is := each.is(err); is != (each.name == want.name) {
			t.Errorf("%s is %t, want %s: %v", each.name, is, want.name, err)
		}
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("want the words %q: %v", words, err)
	}
}

// done fails the test at once on an error.
func done(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must gives the first of two results, if there is no error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// same compares what was got with what was wanted.
func same[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
