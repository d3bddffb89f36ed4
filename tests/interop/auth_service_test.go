package interop

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/gravitational/teleport/api"
	"github.com/gravitational/teleport/api/client"
	authpb "github.com/gravitational/teleport/api/client/proto"
	userloginstatepb "github.com/gravitational/teleport/api/gen/proto/go/teleport/userloginstate/v1"
	userspb "github.com/gravitational/teleport/api/gen/proto/go/teleport/users/v1"
	"github.com/gravitational/teleport/api/types"
	"github.com/gravitational/trace"
	"google.golang.org/protobuf/types/known/emptypb"
)

func (a *auth) Ping(context.Context, *authpb.PingRequest) (*authpb.PingResponse, error) {
	return &authpb.PingResponse{
		ClusterName: clusterName, ServerVersion: api.Version,
		ServerFeatures: &authpb.Features{AdvancedAccessWorkflows: true},
	}, nil
}

// page cuts a page from a list; keys are positions, opaque to clients.
func page[T any](all []T, limit int32, start string) ([]T, string, error) {
	from := 0
	if start != "" {
		parsed, err := strconv.Atoi(start)
		if err != nil || parsed > len(all) {
			return nil, "", trace.BadParameter("%q is no key of a page", start)
		}
		from = parsed
	}
	size := pageMax
	if limit > 0 {
		size = min(size, int(limit))
	}
	to := min(from+size, len(all))
	if to == len(all) {
		return all[from:to], "", nil
	}
	return all[from:to], strconv.Itoa(to), nil
}

func (a *auth) filtered(filter *types.AccessRequestFilter) []*types.AccessRequestV3 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*types.AccessRequestV3
	for _, request := range a.requests {
		if filter == nil || filter.Match(request) {
			found = append(found, request.Copy().(*types.AccessRequestV3))
		}
	}
	return found
}

func (a *auth) ListAccessRequests(_ context.Context, query *authpb.ListAccessRequestsRequest) (*authpb.ListAccessRequestsResponse, error) {
	requests, next, err := page(a.filtered(query.Filter), query.Limit, query.StartKey)
	return &authpb.ListAccessRequestsResponse{AccessRequests: requests, NextKey: next}, err
}

func (a *auth) GetAccessRequestsV2(filter *types.AccessRequestFilter, stream authpb.AuthService_GetAccessRequestsV2Server) error {
	for _, request := range a.filtered(filter) {
		if err := stream.Send(request); err != nil {
			return err
		}
	}
	return nil
}

func (a *auth) SetAccessRequestState(_ context.Context, update *authpb.RequestStateSetter) (*emptypb.Empty, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	request, err := a.request(update.ID)
	if err != nil {
		return nil, err
	}
	if refusal, refused := a.stubborn[update.ID]; refused {
		delete(a.stubborn, update.ID)
		return nil, refusal
	}
	if update.State.IsPromoted() || update.State == types.RequestState_NONE {
		return nil, trace.BadParameter("state %v cannot be set", update.State)
	}
	if err := request.SetState(update.State); err != nil {
		return nil, err
	}
	request.SetResolveReason(update.Reason)
	request.SetResolveAnnotations(update.Annotations)
	if err := request.CheckAndSetDefaults(); err != nil {
		return nil, err
	}
	a.store(request)
	return &emptypb.Empty{}, nil
}

func (a *auth) SubmitAccessReview(_ context.Context, submission *types.AccessReviewSubmission) (*types.AccessRequestV3, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	review := &submission.Review
	if review.Author == "" {
		review.Author = botName
	}
	if review.Author != botName {
		return nil, trace.AccessDenied("user %q cannot submit reviews on behalf of %q", botName, review.Author)
	}
	review.Created = time.Now().UTC()
	if err := submission.Check(); err != nil {
		return nil, err
	}
	if len(review.Roles) > 0 || len(review.Annotations) > 0 {
		return nil, trace.NotImplemented("roles and annotations are not supported in reviews")
	}
	request, err := a.request(submission.RequestID)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(request.GetReviews(), func(r types.AccessReview) bool { return r.Author == review.Author }) {
		return nil, trace.AccessDenied("user %q has already reviewed this request", review.Author)
	}
	if !request.GetState().IsPending() {
		return nil, trace.AccessDenied("the access request has been already %v", request.GetState())
	}
	request.SetReviews(append(request.GetReviews(), *review))
	if needed := request.GetThresholds()[0].Approve; int(needed) <= len(request.GetReviews()) {
		if err := request.SetState(review.ProposedState); err != nil {
			return nil, err
		}
		request.SetResolveReason(review.Reason)
	}
	a.store(request)
	return request, nil
}

func (a *auth) GetLock(_ context.Context, query *authpb.GetLockRequest) (*types.LockV2, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, lock := range a.locks {
		if lock.GetName() == query.Name {
			return lock, nil
		}
	}
	return nil, trace.NotFound("lock %q is not found", query.Name)
}

func (a *auth) GetLocks(_ context.Context, query *authpb.GetLocksRequest) (*authpb.GetLocksResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &authpb.GetLocksResponse{Locks: slices.Clone(a.locks)}, nil
}

func (a *auth) UpsertLock(_ context.Context, lock *types.LockV2) (*emptypb.Empty, error) {
	if err := lock.CheckAndSetDefaults(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	lock.SetCreatedBy(botName)
	lock.SetCreatedAt(time.Now().UTC())
	a.locks = slices.DeleteFunc(a.locks, func(l *types.LockV2) bool { return l.GetName() == lock.GetName() })
	a.locks = append(a.locks, lock)
	a.emit(types.Event{Type: types.OpPut, Resource: lock})
	return &emptypb.Empty{}, nil
}

func (a *auth) DeleteLock(_ context.Context, query *authpb.DeleteLockRequest) (*emptypb.Empty, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.locks)
	a.locks = slices.DeleteFunc(a.locks, func(l *types.LockV2) bool { return l.GetName() == query.Name })
	if len(a.locks) == before {
		return nil, trace.NotFound("lock %q is not found", query.Name)
	}
	a.emit(types.Event{Type: types.OpDelete, Resource: &types.ResourceHeader{
		Kind: types.KindLock, Version: types.V2, Metadata: types.Metadata{Name: query.Name},
	}})
	return &emptypb.Empty{}, nil
}

func (a *auth) WatchEvents(watch *authpb.Watch, stream authpb.AuthService_WatchEventsServer) error {
	if len(watch.Kinds) == 0 {
		return trace.AccessDenied("a watch of everything is not allowed")
	}
	events := make(chan types.Event, 1024)
	a.mu.Lock()
	a.watchers[events] = struct{}{}
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, events)
	}()
	var confirmed []types.WatchKind
	for _, kind := range watch.Kinds {
		if kind.LoadSecrets {
			return trace.AccessDenied("secrets are not shown")
		}
		confirmed = append(confirmed, kind)
	}
	event := types.Event{Type: types.OpInit, Resource: types.NewWatchStatus(confirmed)}
	for {
		if event.Resource == nil {
			return trace.ConnectionProblem(nil, "watcher closed")
		}
		out, err := client.EventToGRPC(event)
		if err != nil {
			return err
		}
		if err := stream.Send(out); err != nil {
			return err
		}
		select {
		case event = <-events:
		case <-stream.Context().Done():
			return nil
		}
	}
}

// breakWatches ends all streams of events, as a server does whose cache is reset.
func (a *auth) breakWatches() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.emit(types.Event{})
}

func (a *auth) AcquireSemaphore(_ context.Context, wish *types.AcquireSemaphoreRequest) (*types.SemaphoreLease, error) {
	if err := wish.Check(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := wish.SemaphoreKind + "/" + wish.SemaphoreName
	semaphore, known := a.semaphores[key]
	if !known {
		made, err := wish.ConfigureSemaphore()
		if err != nil {
			return nil, err
		}
		semaphore = made.(*types.SemaphoreV3)
		a.semaphores[key] = semaphore
	}
	semaphore.RemoveExpiredLeases(time.Now())
	defer a.tell()
	return semaphore.Acquire(uuid.NewString(), *wish)
}

// lease does something to the semaphore of a lease, with Teleport's own code.
func (a *auth) lease(lease *types.SemaphoreLease, act func(*types.SemaphoreV3, types.SemaphoreLease) error) (*emptypb.Empty, error) {
	if err := lease.CheckAndSetDefaults(); err != nil {
		return nil, err
	}
	if lease.Expires.Before(time.Now()) {
		return nil, trace.BadParameter("the lease %v has expired", lease.LeaseID)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	semaphore, known := a.semaphores[lease.SemaphoreKind+"/"+lease.SemaphoreName]
	if !known {
		return nil, trace.NotFound("there is no such semaphore")
	}
	defer a.tell()
	return &emptypb.Empty{}, act(semaphore, *lease)
}

func (a *auth) KeepAliveSemaphoreLease(_ context.Context, lease *types.SemaphoreLease) (*emptypb.Empty, error) {
	return a.lease(lease, (*types.SemaphoreV3).KeepAlive)
}

func (a *auth) CancelSemaphoreLease(_ context.Context, lease *types.SemaphoreLease) (*emptypb.Empty, error) {
	return a.lease(lease, (*types.SemaphoreV3).Cancel)
}

func (a *auth) GetSemaphores(_ context.Context, filter *types.SemaphoreFilter) (*authpb.Semaphores, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := &authpb.Semaphores{}
	for _, semaphore := range a.semaphores {
		if filter.Match(semaphore) {
			found.Semaphores = append(found.Semaphores, semaphore)
		}
	}
	return found, nil
}

func (a *auth) GetCurrentUserRoles(_ *emptypb.Empty, stream authpb.AuthService_GetCurrentUserRolesServer) error {
	role, err := types.NewRole("tribunal", types.RoleSpecV6{Allow: types.RoleConditions{
		Rules: []types.Rule{
			types.NewRule(types.KindAccessRequest, []string{types.VerbList, types.VerbRead, types.VerbUpdate}),
			types.NewRule(types.KindLock, []string{types.Wildcard}),
			types.NewRule(types.KindSemaphore, []string{types.Wildcard}),
		},
		ReviewRequests: &types.AccessReviewConditions{Roles: []string{types.Wildcard}},
	}})
	if err != nil {
		return err
	}
	return stream.Send(role.(*types.RoleV6))
}

func (a *auth) GetUser(_ context.Context, query *authpb.GetUserRequest) (*types.UserV2, error) {
	return storedUser(query.Name)
}

func storedUser(name string) (*types.UserV2, error) {
	user, err := types.NewUser(name)
	if err != nil {
		return nil, err
	}
	user.SetRoles([]string{"requester"})
	return user.(*types.UserV2), nil
}

func (a *auth) ListUnifiedResources(_ context.Context, query *authpb.ListUnifiedResourcesRequest) (*authpb.ListUnifiedResourcesResponse, error) {
	if query.SortBy.Field == "" {
		return nil, trace.BadParameter("sort field is required")
	}
	resources, err := nodes()
	if err != nil {
		return nil, err
	}
	resources, next, err := page(resources, query.Limit, query.StartKey)
	return &authpb.ListUnifiedResourcesResponse{Resources: resources, NextKey: next}, err
}

func (a *auth) ListResources(_ context.Context, query *authpb.ListResourcesRequest) (*authpb.ListResourcesResponse, error) {
	if err := query.CheckAndSetDefaults(); err != nil {
		return nil, err
	}
	resources, err := nodes()
	if err != nil {
		return nil, err
	}
	resources, next, err := page(resources, query.Limit, query.StartKey)
	return &authpb.ListResourcesResponse{Resources: resources, NextKey: next}, err
}

func nodes() ([]*authpb.PaginatedResource, error) {
	var all []*authpb.PaginatedResource
	for _, name := range []string{"node-1", "node-2", "node-3", "node-4"} {
		node, err := types.NewServerWithLabels(name, types.KindNode, types.ServerSpecV2{Hostname: name}, map[string]string{"env": "prod"})
		if err != nil {
			return nil, err
		}
		all = append(all, &authpb.PaginatedResource{Resource: &authpb.PaginatedResource_Node{Node: node.(*types.ServerV2)}})
	}
	return all, nil
}

// users is the newer service of users.
type users struct {
	userspb.UnimplementedUsersServiceServer
}

func (users) GetUser(_ context.Context, query *userspb.GetUserRequest) (*userspb.GetUserResponse, error) {
	user, err := storedUser(query.Name)
	return &userspb.GetUserResponse{User: user}, err
}

// logins is the service of login states: nobody has logged in.
type logins struct {
	userloginstatepb.UnimplementedUserLoginStateServiceServer
}

func (logins) GetUserLoginState(_ context.Context, query *userloginstatepb.GetUserLoginStateRequest) (*userloginstatepb.UserLoginState, error) {
	return nil, trace.NotFound("user login state %q is not found", query.Name)
}
