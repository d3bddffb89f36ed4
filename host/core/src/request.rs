//! Access requests, with Teleport's names; this room never knows how they travel.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::lock::Lock;
use crate::record::DecisionId;
use crate::time::Timestamp;

/// Keys with their values: traits, labels, annotations.
pub type Attributes = BTreeMap<String, Vec<String>>;

/// What names a resource: its cluster, kind and name.
pub type ResourceKey = (String, String, String);

/// The resolve annotation that marks what this host decided; its value is the decision's id.
pub const DECISION_ANNOTATION: &str = "tribunal/decision";
/// Annotations under this prefix are the host's alone; those of others are not shown to policies.
pub const ANNOTATION_PREFIX: &str = "tribunal/";
/// Shown to policies on requests that the operator exempts from being locked; its value says why.
pub const EXEMPT_ANNOTATION: &str = "tribunal/exempt";

/// What a review of ours ends with: this, the decision's id, and `)`. Reviews carry no annotations.
pub const DECISION_WORDS: &str = "(tribunal decision ";

/// The id of an access request, a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Arc<str>);

/// A Teleport user name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// Teleport's `types.RequestState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestState {
    /// Waits for a decision.
    Pending,
    /// Granted.
    Approved,
    /// Refused.
    Denied,
    /// Turned into a membership of an access list.
    Promoted,
    /// `NONE`, or a number that this build does not know.
    Unknown,
}

/// Teleport's `types.AccessRequestKind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestKind {
    /// Ordinary access that ends by itself; also what older servers, which do not say, mean.
    ShortTerm,
    /// Aims at permanent access.
    LongTerm,
    /// A number that this build does not know.
    Unknown,
}

/// Who decided a request that is no longer pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decider {
    /// Nobody yet.
    Nobody,
    /// A person, or something that cannot be told from one.
    Person,
    /// This host: the request carries [`DECISION_ANNOTATION`].
    Tribunal,
    /// Another machine identity.
    OtherBot,
}

/// What limits the use of a requested resource (`types.ResourceConstraints`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraints {
    /// A constraint that this build understands, as JSON text.
    Known(String),
    /// One that it does not; what is known of it, for people.
    Unknown(String),
}

/// One resource that a request names (`types.ResourceID`, `types.ResourceAccessID`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedResource {
    /// The Teleport cluster that it belongs to.
    pub cluster: String,
    /// Teleport's resource kind, such as `node`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What inside the resource is asked for; empty for all of it.
    pub sub_resource: String,
    /// Its labels; none if they could not be read.
    pub labels: Option<Attributes>,
    /// What limits its use.
    pub constraints: Option<Constraints>,
}

/// A review (`types.AccessReview`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who reviewed.
    pub author: UserName,
    /// The state that the reviewer proposes.
    pub state: RequestState,
    /// The reviewer's words.
    pub reason: String,
    /// When.
    pub created: Timestamp,
}

/// An access request (`types.AccessRequestV3`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRequest {
    /// Its id.
    pub id: RequestId,
    /// `metadata.revision`: opaque, changes with each write; empty on older servers.
    pub revision: String,
    /// The requester.
    pub user: UserName,
    /// Where it stands.
    pub state: RequestState,
    /// Short or long term.
    pub kind: RequestKind,
    /// The requested roles.
    pub roles: Vec<String>,
    /// The requested resources, without duplicates.
    pub resources: Vec<RequestedResource>,
    /// The requester's words.
    pub reason: String,
    /// When it was made.
    pub created: Timestamp,
    /// When the access starts; none: with the approval.
    pub access_starts: Option<Timestamp>,
    /// When the granted (while pending: the asked for) access ends.
    pub access_expires: Option<Timestamp>,
    /// When the request object itself lapses.
    pub request_expires: Option<Timestamp>,
    /// Who decided it.
    pub decided_by: Decider,
    /// The id of the decision of this host that the request carries.
    pub decision: Option<String>,
    /// The reason given with the decision.
    pub resolve_reason: String,
    /// Reviews in the order in which they were given.
    pub reviews: Vec<Review>,
    /// Whom the requester would like to decide.
    pub suggested_reviewers: Vec<String>,
    /// System annotations.
    pub annotations: Attributes,
}

/// A user whose requests are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user's name.
    pub name: UserName,
    /// Standing roles; none if they may not be seen.
    pub roles: Option<Vec<String>>,
    /// Traits; none if they may not be seen.
    pub traits: Option<Attributes>,
}

/// What is known of a user beside their requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Background {
    /// The user.
    pub subject: Subject,
    /// Labels of the resources that the user's requests name, as far as they could be read.
    pub labels: BTreeMap<ResourceKey, Attributes>,
}

// === impl RequestId ===

impl RequestId {
    /// The id `id`.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(Arc::from(id.as_ref()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl UserName ===

impl UserName {
    /// The name `name`.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a Machine ID bot: Teleport names their users `bot-…`.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.0.starts_with("bot-")
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl RequestState ===

impl RequestState {
    /// Teleport's name for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::Promoted => "PROMOTED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl RequestedResource ===

impl RequestedResource {
    /// What names it; what inside of it is asked for left aside.
    #[must_use]
    pub fn key(&self) -> ResourceKey {
        (self.cluster.clone(), self.kind.clone(), self.name.clone())
    }
}

// === impl Review ===

impl Review {
    /// The id of the decision of this host that its words end with, if they do.
    #[must_use]
    pub fn decision(&self) -> Option<&str> {
        let (_, id) = self.reason.strip_suffix(')')?.rsplit_once(DECISION_WORDS)?;
        (!id.is_empty() && !id.contains([' ', '(', ')'])).then_some(id)
    }
}

// === impl AccessRequest ===

impl AccessRequest {
    /// The review that this user gave: Teleport takes one from each.
    #[must_use]
    pub fn review_by(&self, author: &UserName) -> Option<&Review> {
        self.reviews.iter().find(|review| review.author == *author)
    }

    /// Whether it is pending and this user's review approves it: others may complete its thresholds at any time, so
    /// that for those who gave the review it counts as if it were held.
    #[must_use]
    pub fn is_half_approved_by(&self, author: &UserName) -> bool {
        self.state == RequestState::Pending
            && self.review_by(author).is_some_and(|review| review.state == RequestState::Approved)
    }

    /// Whether this decision of ours is on it, in its annotation or in the words of a review.
    #[must_use]
    pub fn carries(&self, decision: &DecisionId) -> bool {
        let decision = Some(decision.as_str());
        self.decision.as_deref() == decision || self.reviews.iter().any(|review| review.decision() == decision)
    }

    /// Whether the request or the access that it asks for is over at `now`. Expired objects linger in the backend.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.access_expires.is_some_and(|end| end <= now) || self.request_expires.is_some_and(|end| end <= now)
    }

    /// Whether it has been decided for good, so that no policy needs to see it any more.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state == RequestState::Denied
    }

    /// Whether it gives access at `now`, locks left aside: approved, started, not over.
    #[must_use]
    pub fn is_granted(&self, now: Timestamp) -> bool {
        self.state == RequestState::Approved
            && !self.is_over(now)
            && self.access_starts.is_none_or(|start| start <= now)
    }

    /// Whether a lock gives a reason to treat it as giving no access at `now`.
    #[must_use]
    pub fn is_locked<'a>(&self, locks: impl IntoIterator<Item = &'a Lock>, now: Timestamp) -> bool {
        locks.into_iter().any(|lock| lock.in_force(now) && lock.covers(self))
    }

    /// Whether a policy would see the same: all but the revision, which changes with writes that change nothing else.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        let Self {
            id,
            revision: _,
            user,
            state,
            kind,
            roles,
            resources,
            reason,
            created,
            access_starts,
            access_expires,
            request_expires,
            decided_by,
            decision,
            resolve_reason,
            reviews,
            suggested_reviewers,
            annotations,
        } = self;
        *id == other.id
            && *user == other.user
            && *state == other.state
            && *kind == other.kind
            && *roles == other.roles
            && *resources == other.resources
            && *reason == other.reason
            && *created == other.created
            && *access_starts == other.access_starts
            && *access_expires == other.access_expires
            && *request_expires == other.request_expires
            && *decided_by == other.decided_by
            && *decision == other.decision
            && *resolve_reason == other.resolve_reason
            && *reviews == other.reviews
            && *suggested_reviewers == other.suggested_reviewers
            && *annotations == other.annotations
    }

    /// Order of age: oldest first, equal ages by id.
    #[must_use]
    pub fn age_key(&self) -> (Timestamp, &RequestId) {
        (self.created, &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(reason: &str) -> Option<String> {
        let (author, state) = (UserName::new("bot-tribunal"), RequestState::Approved);
        let review = Review { author, state, reason: reason.to_owned(), created: Timestamp::default() };
        review.decision().map(str::to_owned)
    }

    #[test]
    fn a_review_tells_its_decision_only_at_its_very_end() {
        assert_eq!(decision("within (of course) (tribunal decision 1-a)").as_deref(), Some("1-a"));
        for reason in [
            "",
            ")",
            "within",
            "within (tribunal decision 1-a",
            "within (tribunal decision 1-a).",
            "within (tribunal decision )",
            "within (tribunal decision 1 or 2)",
            "within (tribunal decision 1-a))",
            "within (see 1-a)",
        ] {
            assert_eq!(decision(reason), None, "{reason}");
        }
    }
}
