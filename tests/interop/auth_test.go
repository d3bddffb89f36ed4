package interop

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	authpb "github.com/gravitational/teleport/api/client/proto"
	userloginstatepb "github.com/gravitational/teleport/api/gen/proto/go/teleport/userloginstate/v1"
	userspb "github.com/gravitational/teleport/api/gen/proto/go/teleport/users/v1"
	"github.com/gravitational/teleport/api/metadata"
	"github.com/gravitational/teleport/api/types"
	"github.com/gravitational/teleport/api/utils/grpc/interceptors"
	"github.com/gravitational/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

const (
	clusterName = "interop"
	botName     = "bot-tribunal"
	// pageMax is small, so that every list of ours takes several pages.
	pageMax = 2
)

// auth is an Auth server as small as can be, on Teleport's generated types, errors, events and metadata. It stores what it
// is told, and checks it with Teleport's own checks. Its state is for whoever holds the lock.
type auth struct {
	authpb.UnimplementedAuthServiceServer
	authority *authority
	address   string

	mu         sync.Mutex
	changed    chan struct{}
	requests   []*types.AccessRequestV3
	locks      []*types.LockV2
	semaphores map[string]*types.SemaphoreV3
	watchers   map[chan types.Event]struct{}
	calls      []call
	made       time.Duration
	// What the next calls of a method are refused with, and what the first resolution of a request is.
	refusals map[string][]error
	stubborn map[string]error
	lacking  map[string]bool
}

// call is one that came, with who sent it and how.
type call struct {
	method  string
	version string
	peer    credentials.TLSInfo
	request any
}

// newAuth starts an Auth server on loopback until the end of the test.
func newAuth(t testing.TB) *auth {
	t.Helper()
	a := &auth{
		authority: newAuthority(t), changed: make(chan struct{}), semaphores: map[string]*types.SemaphoreV3{},
		watchers: map[chan types.Event]struct{}{}, refusals: map[string][]error{}, stubborn: map[string]error{},
		lacking: map[string]bool{},
	}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	a.address = listener.Addr().String()
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(a.authority.server(t))),
		grpc.ChainUnaryInterceptor(interceptors.GRPCServerUnaryErrorInterceptor, metadata.UnaryServerInterceptor, a.unary),
		grpc.ChainStreamInterceptor(interceptors.GRPCServerStreamErrorInterceptor, metadata.StreamServerInterceptor, a.stream),
	)
	authpb.RegisterAuthServiceServer(server, a)
	userspb.RegisterUsersServiceServer(server, users{})
	userloginstatepb.RegisterUserLoginStateServiceServer(server, logins{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return a
}

func (a *auth) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err := a.enter(ctx, info.FullMethod, request); err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

func (a *auth) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if err := a.enter(stream.Context(), info.FullMethod, nil); err != nil {
		return err
	}
	return handler(server, stream)
}

// enter notes a call, and gives what it is to be refused with, if it is.
func (a *auth) enter(ctx context.Context, path string, request any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	method := path[strings.LastIndexByte(path, '/')+1:]
	came := call{method: method, request: request}
	came.version, _ = metadata.ClientVersionFromContext(ctx)
	if from, ok := peer.FromContext(ctx); ok {
		came.peer, _ = from.AuthInfo.(credentials.TLSInfo)
	}
	a.calls = append(a.calls, came)
	a.tell()
	if a.lacking[method] || a.lacking[path] {
		return trace.NotImplemented("unknown method %s", method)
	}
	if waiting := a.refusals[method]; len(waiting) > 0 {
		a.refusals[method] = waiting[1:]
		return waiting[0]
	}
	return nil
}

// tell wakes whoever waits for something to happen. The lock is held.
func (a *auth) tell() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// until waits for something to hold, which is asked each time that something happens.
func (a *auth) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		a.mu.Lock()
		held, changed := holds(), a.changed
		a.mu.Unlock()
		if held {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("it did not come to this: %s", what)
		}
	}
}

// refuse lets the next calls of a method fail, one with each error.
func (a *auth) refuse(method string, errs ...error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusals[method] = append(a.refusals[method], errs...)
}

// lack makes it an older server, which does not know these methods.
func (a *auth) lack(methods ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, method := range methods {
		a.lacking[method] = true
	}
}

// look shows the state while nothing changes it.
func (a *auth) look(at func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at()
}

// called says at which of all calls a method was called. The lock is held.
func (a *auth) called(method string) []int {
	var at []int
	for i, call := range a.calls {
		if call.method == method {
			at = append(at, i)
		}
	}
	return at
}

// emit sends an event to all watchers. The lock is held.
func (a *auth) emit(event types.Event) {
	for watcher := range a.watchers {
		watcher <- event
	}
	a.tell()
}

// add stores a request as Teleport would after it was made, and tells of it. It gives the id.
func (a *auth) add(state types.RequestState, user string, roles []string, nodes ...string) string {
	request := wish(user, roles, nodes...)
	request.Spec.State = state
	request.Spec.Created = a.later()
	request.Spec.Expires = request.Spec.Created.Add(8 * time.Hour)
	request.Spec.ResourceExpiry = &request.Spec.Expires
	request.Spec.Thresholds = []types.AccessReviewThreshold{{Name: "default", Approve: 1, Deny: 1}}
	a.put(request)
	return request.GetName()
}

// later gives a time after all that it gave before, so that it is plain which of two requests is older.
func (a *auth) later() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made += time.Second
	return time.Now().UTC().Add(a.made - time.Hour)
}

// put stores a request, and tells of it.
func (a *auth) put(request *types.AccessRequestV3) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.store(request)
}

func (a *auth) store(request *types.AccessRequestV3) {
	request.Metadata.Revision = uuid.NewString()
	i := slices.IndexFunc(a.requests, func(r *types.AccessRequestV3) bool { return r.GetName() == request.GetName() })
	if i < 0 {
		a.requests = append(a.requests, request)
	} else {
		a.requests[i] = request
	}
	a.emit(types.Event{Type: types.OpPut, Resource: request.Copy()})
}

// remove ends a request, and tells of it as Teleport does: with a header.
func (a *auth) remove(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = slices.DeleteFunc(a.requests, func(r *types.AccessRequestV3) bool { return r.GetName() == id })
	a.emit(types.Event{Type: types.OpDelete, Resource: &types.ResourceHeader{
		Kind: types.KindAccessRequest, Version: types.V3, Metadata: types.Metadata{Name: id},
	}})
}

// request gives a copy of a request. The lock is held.
func (a *auth) request(id string) (*types.AccessRequestV3, error) {
	for _, request := range a.requests {
		if request.GetName() == id {
			return request.Copy().(*types.AccessRequestV3), nil
		}
	}
	return nil, trace.NotFound("access request %q is not found", id)
}

// is says whether a request is in this state. The lock is held.
func (a *auth) is(id string, state types.RequestState) bool {
	request, err := a.request(id)
	return err == nil && request.GetState() == state
}

// lockOn gives the lock on a request, if there is one. The lock on the state is held.
func (a *auth) lockOn(id string) *types.LockV2 {
	for _, lock := range a.locks {
		if lock.Target().AccessRequest == id {
			return lock
		}
	}
	return nil
}
