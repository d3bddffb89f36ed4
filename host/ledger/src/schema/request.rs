//! Access requests in the ledger, with Teleport's names. It never judges them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, IntoDeserializer, Unexpected, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize};
use tribunal_core::request as core;

use super::{Erased, Time};
use crate::digest::Digest;

mirror! {
    /// Where a request stands; Teleport's names.
    RequestState = core::RequestState, "SCREAMING_SNAKE_CASE" {
        /// Waits for a decision.
        Pending,
        /// Granted.
        Approved,
        /// Refused.
        Denied,
        /// Turned into a membership of an access list.
        Promoted,
        /// Not known to the build that wrote the line.
        Unknown,
    }
}

mirror! {
    /// What a request aims at.
    RequestKind = core::RequestKind, "kebab-case" {
        /// Access that ends by itself.
        ShortTerm,
        /// Permanent access.
        LongTerm,
        /// Not known to the build that wrote the line.
        Unknown,
    }
}

mirror! {
    /// Who decided a request.
    Decider = core::Decider, "kebab-case" {
        /// Nobody yet.
        Nobody,
        /// A person, or something that cannot be told from one.
        Person,
        /// This host.
        Tribunal,
        /// Another machine identity.
        OtherBot,
    }
}

/// An access request, as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// `metadata.revision`; empty on older servers.
    pub revision: String,
    /// The requester.
    pub user: String,
    /// Where it stands.
    pub state: RequestState,
    /// Short or long term.
    #[serde(rename = "term")]
    pub kind: RequestKind,
    /// The requested roles.
    pub roles: Vec<String>,
    /// The requested resources.
    pub resources: Vec<RequestedResource>,
    /// The requester's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it was made.
    pub created: Time,
    /// When the access starts; absent: with the approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_starts: Option<Time>,
    /// When the access ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_expires: Option<Time>,
    /// When the request object lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_expires: Option<Time>,
    /// Who decided it.
    pub decided_by: Decider,
    /// The id of the decision of this host that it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The reason given with the decision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resolve_reason: String,
    /// Reviews in the order in which they were given.
    pub reviews: Vec<Review>,
    /// Whom the requester would like to decide.
    pub suggested_reviewers: Vec<String>,
    /// System annotations.
    pub annotations: BTreeMap<String, Vec<String>>,
    /// In a line: where what people wrote is kept, which is `reason`, `resolve_reason` and the `reason` of each review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<StoredWords>,
}

/// Where what people wrote is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StoredWords {
    /// The name of a stored object.
    Stored(Digest),
    /// It was stored, and its user's key was destroyed since: only in lines that were read with what they refer to.
    Erased(Erased),
}

/// What people wrote: the object that `words` names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The requester's.
    pub reason: String,
    /// Those that were given with the decision.
    pub resolve_reason: String,
    /// Those of each review, in their order.
    pub reviews: Vec<String>,
}

/// One resource that a request names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedResource {
    /// The Teleport cluster that it belongs to.
    pub cluster: String,
    /// Teleport's resource kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What inside it is asked for; empty for all of it.
    pub sub_resource: String,
    /// Its labels; absent if they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, Vec<String>>>,
    /// What limits its use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
}

/// What limits the use of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constraints {
    /// A constraint that the build understood, as JSON text.
    Known(String),
    /// One that it did not; what is known of it.
    Unknown(String),
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who reviewed.
    pub author: String,
    /// The state that the reviewer proposes.
    pub state: RequestState,
    /// The reviewer's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub created: Time,
}

// === impl StoredWords ===

impl StoredWords {
    /// What this text says.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let erased = || Erased::deserialize(IntoDeserializer::<value::Error>::into_deserializer(text)).ok();
        Digest::parse(text).map(Self::Stored).or_else(|| erased().map(Self::Erased))
    }
}

/// By hand, because serde's way to read one of several kinds copies it first.
impl<'de> Deserialize<'de> for StoredWords {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(StoredOrErased)
    }
}

struct StoredOrErased;

impl Visitor<'_> for StoredOrErased {
    type Value = StoredWords;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a stored object")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StoredWords, E> {
        StoredWords::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

// === impl Request ===

impl Request {
    /// Takes out what people wrote; none, if nobody wrote anything.
    pub(crate) fn take_words(&mut self) -> Option<Words> {
        let words = Words {
            reason: std::mem::take(&mut self.reason),
            resolve_reason: std::mem::take(&mut self.resolve_reason),
            reviews: self.reviews.iter_mut().map(|review| std::mem::take(&mut review.reason)).collect(),
        };
        let silent = words.reason.is_empty() && words.resolve_reason.is_empty();
        (!silent || words.reviews.iter().any(|words| !words.is_empty())).then_some(words)
    }

    /// Puts back what people wrote.
    pub(crate) fn put_words(&mut self, words: Words) {
        let Words { reason, resolve_reason, reviews } = words;
        (self.reason, self.resolve_reason) = (reason, resolve_reason);
        for (review, words) in self.reviews.iter_mut().zip(reviews) {
            review.reason = words;
        }
    }
}

impl From<&core::AccessRequest> for Request {
    fn from(it: &core::AccessRequest) -> Self {
        let core::AccessRequest {
            id,
            revision,
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
        } = it;
        Self {
            id: id.as_str().to_owned(),
            revision: revision.clone(),
            user: user.as_str().to_owned(),
            state: (*state).into(),
            kind: (*kind).into(),
            roles: roles.clone(),
            resources: resources.iter().map(RequestedResource::from).collect(),
            reason: reason.clone(),
            created: (*created).into(),
            access_starts: access_starts.map(Into::into),
            access_expires: access_expires.map(Into::into),
            request_expires: request_expires.map(Into::into),
            decided_by: (*decided_by).into(),
            decision: decision.clone(),
            resolve_reason: resolve_reason.clone(),
            reviews: reviews.iter().map(Review::from).collect(),
            suggested_reviewers: suggested_reviewers.clone(),
            annotations: annotations.clone(),
            words: None,
        }
    }
}

impl From<Request> for core::AccessRequest {
    fn from(it: Request) -> Self {
        let Request {
            id,
            revision,
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
            words: _, // where they are, not what they are
        } = it;
        Self {
            id: core::RequestId::new(id),
            revision,
            user: core::UserName::new(user),
            state: state.into(),
            kind: kind.into(),
            roles,
            resources: resources.into_iter().map(Into::into).collect(),
            reason,
            created: created.into(),
            access_starts: access_starts.map(Into::into),
            access_expires: access_expires.map(Into::into),
            request_expires: request_expires.map(Into::into),
            decided_by: decided_by.into(),
            decision,
            resolve_reason,
            reviews: reviews.into_iter().map(Into::into).collect(),
            suggested_reviewers,
            annotations,
        }
    }
}

// === impl RequestedResource ===

impl From<&core::RequestedResource> for RequestedResource {
    fn from(it: &core::RequestedResource) -> Self {
        let core::RequestedResource { cluster, kind, name, sub_resource, labels, constraints } = it;
        Self {
            cluster: cluster.clone(),
            kind: kind.clone(),
            name: name.clone(),
            sub_resource: sub_resource.clone(),
            labels: labels.clone(),
            constraints: constraints.as_ref().map(|constraints| match constraints {
                core::Constraints::Known(json) => Constraints::Known(json.clone()),
                core::Constraints::Unknown(what) => Constraints::Unknown(what.clone()),
            }),
        }
    }
}

impl From<RequestedResource> for core::RequestedResource {
    fn from(it: RequestedResource) -> Self {
        let RequestedResource { cluster, kind, name, sub_resource, labels, constraints } = it;
        let constraints = constraints.map(|constraints| match constraints {
            Constraints::Known(json) => core::Constraints::Known(json),
            Constraints::Unknown(what) => core::Constraints::Unknown(what),
        });
        Self { cluster, kind, name, sub_resource, labels, constraints }
    }
}

// === impl Review ===

impl From<&core::Review> for Review {
    fn from(it: &core::Review) -> Self {
        let core::Review { author, state, reason, created } = it;
        Self {
            author: author.as_str().to_owned(),
            state: (*state).into(),
            reason: reason.clone(),
            created: (*created).into(),
        }
    }
}

impl From<Review> for core::Review {
    fn from(it: Review) -> Self {
        let Review { author, state, reason, created } = it;
        Self { author: core::UserName::new(author), state: state.into(), reason, created: created.into() }
    }
}
