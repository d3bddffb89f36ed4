//! Questions that most policies ask of a case, a request or a resource.
//! It must never know a policy's settings: what is asked here has one answer for everybody.

use alloc::format;
use alloc::string::String;

use crate::{AccessRequest, Attribute, Case, Fact, RequestState, RequestedResource, Subject, Timestamp};

/// The annotation by which the host says that the operator exempts a request from being locked; its value says why.
pub const EXEMPT_ANNOTATION: &str = "tribunal/exempt";

// === impl Case ===

impl Case {
    /// The request with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&AccessRequest> {
        self.requests.iter().find(|request| request.id == id)
    }

    /// What gives access now: approved, started, not expired and not locked; oldest first, as in the case.
    pub fn held(&self) -> impl DoubleEndedIterator<Item = &AccessRequest> {
        self.requests.iter().filter(|request| request.is_held(self.now))
    }

    /// What waits for a decision, oldest first.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &AccessRequest> {
        self.requests.iter().filter(|request| request.is_pending())
    }

    /// The fact that the operator configured under this name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }
}

// === impl AccessRequest ===

impl AccessRequest {
    /// Waits for a decision.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state == RequestState::Pending
    }

    /// Gives access at this time: approved, started, not expired and not locked.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.state == RequestState::Approved && self.has_started(now) && !self.has_expired(now) && !self.is_locked()
    }

    /// Its access may be used from this time on or since before; true where no start was set.
    #[must_use]
    pub fn has_started(&self, now: Timestamp) -> bool {
        self.access_starts.is_none_or(|starts| starts <= now)
    }

    /// Its access has ended; false where the end is not known.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.access_expires.is_some_and(|expires| expires <= now)
    }

    /// At least one lock is in force on it.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        !self.locks.is_empty()
    }

    /// The operator exempts it from being locked ([`EXEMPT_ANNOTATION`]).
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.annotation(EXEMPT_ANNOTATION).is_some()
    }

    /// Asks for whole roles, not for resources.
    #[must_use]
    pub fn is_role_only(&self) -> bool {
        self.resources.is_empty()
    }

    /// The values of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&[String]> {
        values(&self.annotations, key)
    }

    /// Orders requests by age, oldest first, equal ages by id: the order of `Case::requests`.
    #[must_use]
    pub fn age(&self) -> (Timestamp, &str) {
        (self.created, &self.id)
    }
}

// === impl RequestedResource ===

impl RequestedResource {
    /// What makes it the same resource as another: cluster, kind, name and sub-resource.
    #[must_use]
    pub fn key(&self) -> (&str, &str, &str, &str) {
        (&self.cluster, &self.kind, &self.name, &self.sub_resource)
    }

    /// Teleport's way to write it: `/cluster/kind/name`, and `/sub-resource` where there is one.
    #[must_use]
    pub fn path(&self) -> String {
        let (cluster, kind, name, sub_resource) = self.key();
        if sub_resource.is_empty() {
            format!("/{cluster}/{kind}/{name}")
        } else {
            format!("/{cluster}/{kind}/{name}/{sub_resource}")
        }
    }

    /// The values of a label; none where it has no such label, and where the labels could not be read.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&[String]> {
        values(self.labels.as_deref().unwrap_or_default(), key)
    }
}

// === impl Subject ===

impl Subject {
    /// The values of a trait; none where the user has no such trait, and where the host may not see traits.
    #[must_use]
    pub fn trait_values(&self, key: &str) -> Option<&[String]> {
        values(self.traits.as_deref().unwrap_or_default(), key)
    }
}

fn values<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a [String]> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| attribute.values.as_slice())
}

#[cfg(test)]
mod tests {
    use crate::testing::{NOW_MS, case, held, node, pending, promoted};

    #[test]
    fn held_is_approved_started_unexpired_and_unlocked() {
        let case = case("alice")
            .request(held("plain"))
            .request(held("started").starts(NOW_MS))
            .request(held("starts-later").starts(NOW_MS + 1))
            .request(held("expires-later").expires(NOW_MS + 1))
            .request(held("expired").expires(NOW_MS))
            .request(held("locked").locked("incident"))
            .request(pending("pending"))
            .request(promoted("promoted"))
            .build();
        let held: Vec<_> = case.held().map(|request| request.id.as_str()).collect();
        assert_eq!(held, ["plain", "started", "expires-later"]);
        let pending: Vec<_> = case.pending().map(|request| request.id.as_str()).collect();
        assert_eq!(pending, ["pending"]);
    }

    #[test]
    fn an_exemption_is_an_annotation_of_the_host() {
        let case = case("alice").request(held("free").exempt("human-approved")).request(held("bound")).build();
        assert!(case.find("free").unwrap().is_exempt());
        assert!(!case.find("bound").unwrap().is_exempt());
        assert_eq!(case.find("free").unwrap().annotation("tribunal/exempt").unwrap(), ["human-approved"]);
    }

    #[test]
    fn a_resource_is_written_as_teleport_writes_it() {
        let mut resource = node("web-1");
        assert_eq!(resource.path(), "/root/node/web-1");
        resource.sub_resource = "ns/pod".to_owned();
        assert_eq!(resource.path(), "/root/node/web-1/ns/pod");
    }

    #[test]
    fn unread_labels_have_no_value() {
        let mut resource = node("web-1");
        resource.labels = None;
        assert_eq!(resource.label("env"), None);
    }

    #[test]
    fn facts_and_traits_are_found_by_name() {
        let case = case("alice").with_trait("team", ["db"]).fact("oncall", r#"{"alice":true}"#).build();
        assert_eq!(case.subject.trait_values("team").unwrap(), ["db"]);
        assert_eq!(case.subject.trait_values("group"), None);
        assert_eq!(case.fact("oncall").unwrap().json, r#"{"alice":true}"#);
        assert!(case.fact("tickets").is_none());
    }
}
