package interop

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gravitational/teleport/api/client"
	"github.com/gravitational/teleport/api/types"
)

func review(id string, state types.RequestState) types.AccessReviewSubmission {
	return types.AccessReviewSubmission{
		RequestID: id,
		Review:    types.AccessReview{ProposedState: state, Reason: "looked at it"},
	}
}

func TestOneReviewOfTwoDoesNotDecide(t *testing.T) {
	c := serve(t)
	wished := wish("carl", []string{"prod-admin"})
	wished.SetRequestReason("INC-12")
	id := must(c.as(t, "carl").CreateAccessRequestV2(within(t), wished))(t).GetName()
	first := must(c.as(t, "bot").SubmitAccessReview(within(t), review(id, types.RequestState_APPROVED)))(t)
	same(t, "state", first.GetState(), types.RequestState_PENDING)
	reviews := first.GetReviews()
	if len(reviews) != 1 || reviews[0].Author != "bot-tribunal" || reviews[0].Created.IsZero() || reviews[0].Reason != "looked at it" {
		t.Errorf("reviews: %v", reviews)
	}
	second := must(c.as(t, "rita").SubmitAccessReview(within(t), review(id, types.RequestState_APPROVED)))(t)
	same(t, "state", second.GetState(), types.RequestState_APPROVED)
	same(t, "reason", second.GetResolveReason(), "looked at it")
	same(t, "reviews", len(second.GetReviews()), 2)
}

func TestOneDenialDecides(t *testing.T) {
	c := serve(t)
	id := ask(t, c.as(t, "alice"), "alice", "prod-admin").GetName()
	after := must(c.as(t, "rita").SubmitAccessReview(within(t), review(id, types.RequestState_DENIED)))(t)
	same(t, "state", after.GetState(), types.RequestState_DENIED)
}

func TestWhatMayNotBeReviewedIsRefused(t *testing.T) {
	c := serve(t)
	alice, rita, rob, bot := c.as(t, "alice"), c.as(t, "rita"), c.as(t, "rob"), c.as(t, "bot")
	prod, research := ask(t, alice, "alice", "prod-admin").GetName(), ask(t, alice, "alice", "research-admin").GetName()
	wished := wish("carl", []string{"prod-admin"})
	wished.SetRequestReason("INC-12")
	twice := must(c.as(t, "carl").CreateAccessRequestV2(within(t), wished))(t).GetName()
	must(rita.SubmitAccessReview(within(t), review(twice, types.RequestState_APPROVED)))(t)
	approved := ask(t, alice, "alice", "prod-admin").GetName()
	must(rita.SubmitAccessReview(within(t), review(approved, types.RequestState_APPROVED)))(t)
	gone := ask(t, alice, "alice", "prod-admin").GetName()
	must(rita.SubmitAccessReview(within(t), review(gone, types.RequestState_DENIED)))(t)
	yes := types.RequestState_APPROVED
	cases := []struct {
		name   string
		as     *client.Client
		review types.AccessReviewSubmission
		change func(*types.AccessReviewSubmission)
		kind   kind
		words  string
	}{
		{"without review_requests", c.as(t, "nobody"), review(prod, yes), nil, accessDenied, "cannot submit reviews"},
		{"other roles", rita, review(research, yes), nil, accessDenied, "cannot review request"},
		{"twice", rita, review(twice, yes), nil, accessDenied, "already reviewed"},
		{"approved", rob, review(approved, yes), nil, accessDenied, "has been already approved"},
		{"denied", rob, review(gone, yes), nil, accessDenied, "has been already denied"},
		{"on behalf", rita, review(prod, yes), func(s *types.AccessReviewSubmission) {
			s.Review.Author = "rob"
		}, accessDenied, "on behalf of"},
		{"elevated", c.as(t, "elevated"), review(prod, yes), nil, accessDenied, "elevated"},
		{"an elevated bot", c.as(t, "elevated-bot"), review(prod, yes), nil, badParameter, "active requests"},
		{"promoted", bot, review(prod, types.RequestState_PROMOTED), nil, badParameter, "promoted"},
		{"pending", bot, review(prod, types.RequestState_PENDING), nil, badParameter, "invalid state proposal"},
		{"no id", bot, review("", yes), nil, badParameter, "missing request ID"},
		{"a long reason", bot, review(prod, yes), func(s *types.AccessReviewSubmission) {
			s.Review.Reason = strings.Repeat("x", 4097)
		}, badParameter, "too long"},
		{"missing", bot, review(uuid.NewString(), yes), nil, notFound, "not found"},
		{"some roles", bot, review(prod, yes), func(s *types.AccessReviewSubmission) {
			s.Review.Roles = []string{"prod-admin", "prod-reader"}
		}, notImplemented, "role subselection"},
		{"annotations", bot, review(prod, yes), func(s *types.AccessReviewSubmission) {
			s.Review.Annotations = map[string][]string{"k": {"v"}}
		}, notImplemented, "annotations"},
		{"roles of others", bot, review(prod, yes), func(s *types.AccessReviewSubmission) {
			s.Review.Roles = []string{"research-admin"}
		}, badParameter, "not a member"},
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			if each.change != nil {
				each.change(&each.review)
			}
			_, err := each.as.SubmitAccessReview(within(t), each.review)
			refused(t, err, each.kind, each.words)
		})
	}
	same(t, "reviews", len(one(t, bot, prod).GetReviews()), 0)
}

func TestReviewsNeedEnterprise(t *testing.T) {
	c := serveWhole(t, strings.Replace(read(t, "testdata/cluster.toml"), `cluster = "interop"`, "cluster = \"interop\"\nenterprise = false", 1))
	id := ask(t, c.as(t, "alice"), "alice", "prod-admin").GetName()
	_, err := c.as(t, "rita").SubmitAccessReview(within(t), review(id, types.RequestState_APPROVED))
	refused(t, err, accessDenied, "Enterprise")
	if features := must(c.as(t, "bot").Ping(within(t)))(t).ServerFeatures; features.GetAdvancedAccessWorkflows() {
		t.Error("the ping tells of Enterprise's workflows")
	}
}

func TestWherePeopleNeedASecondFactorBotsDoNot(t *testing.T) {
	c := serveWhole(t, strings.Replace(read(t, "testdata/cluster.toml"), `cluster = "interop"`, "cluster = \"interop\"\nadmin-mfa = true", 1))
	id := ask(t, c.as(t, "alice"), "alice", "prod-admin").GetName()
	approve := types.AccessRequestUpdate{RequestID: id, State: types.RequestState_APPROVED}
	if err := c.as(t, "admin").SetAccessRequestState(within(t), approve); err == nil {
		t.Error("a person without a second factor resolves")
	}
	_, err := c.as(t, "rita").SubmitAccessReview(within(t), review(id, types.RequestState_APPROVED))
	if err == nil {
		t.Error("a person without a second factor reviews")
	}
	done(t, c.as(t, "bot").SetAccessRequestState(within(t), approve))
}
