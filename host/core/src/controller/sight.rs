//! Builds the case that a policy is shown. It hides nothing but what is over, and shows what *would* be where the host
//! asks "as if"; it never changes the view.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::view::View;
use super::{Controller, Settings};
use crate::action::Listing;
use crate::case::{Case, CaseLock, CaseRequest, Fact};
use crate::lock::Lock;
use crate::opinion::Panel;
use crate::request::{
    ANNOTATION_PREFIX, AccessRequest, Attributes, Background, Decider, EXEMPT_ANNOTATION, RequestState, ResourceKey,
    UserName,
};
use crate::scope::{Exemption, Scope};
use crate::time::Timestamp;

/// What a case is built from.
pub(crate) struct Sight<'a> {
    pub(crate) view: &'a View,
    pub(crate) now: Timestamp,
    pub(crate) cluster: &'a str,
    pub(crate) own_user: &'a UserName,
    pub(crate) exempt_human_approved: bool,
    pub(crate) scope: &'a Scope,
    pub(crate) exemptions: &'a [Exemption],
    /// Access that starts within this time counts as started, so that locks are in force before it is usable.
    pub(crate) lead: Duration,
    pub(crate) facts: &'a Arc<[Fact]>,
    pub(crate) panel: &'a Panel,
}

/// What a decision stands on.
#[derive(Clone, Debug)]
pub(crate) struct Basis {
    /// The subject's live requests, oldest first, each with the locks of others that count.
    pub(crate) seen: Vec<Seen>,
    facts: Arc<[Fact]>,
    /// Of the panel.
    generation: u64,
}

/// A request, and the locks of others on it.
pub(crate) type Seen = (Arc<AccessRequest>, Vec<Lock>);

impl Controller {
    /// What policies would be shown now if this request were made beside all that is listed: for whoever asks beforehand.
    #[must_use]
    pub fn preview(
        settings: Settings,
        facts: Arc<[Fact]>,
        listing: Listing,
        now: Timestamp,
        background: &Background,
        asked: AccessRequest,
    ) -> Case {
        let mut controller = Self::new(settings);
        controller.facts = facts;
        for request in listing.requests.into_iter().chain([Arc::new(asked)]) {
            controller.view.put_request(request);
        }
        for lock in listing.locks {
            controller.view.put_lock(lock);
        }
        controller.sight(now).case(background)
    }
}

// === impl Sight ===

impl Sight<'_> {
    /// The case of a subject. Locks of ours are not shown: they are derived anew in each round.
    pub(crate) fn case(&self, background: &Background) -> Case {
        let Background { subject, labels } = background;
        let requests = self.live(&subject.name).map(|request| Arc::new(self.show(request, labels))).collect();
        Case {
            now: self.now,
            cluster: self.cluster.to_owned(),
            subject: subject.clone(),
            requests,
            facts: Arc::clone(self.facts),
        }
    }

    /// What a case of this user stands on: when it changes, what was decided on it has to be decided anew.
    pub(crate) fn basis(&self, user: &UserName) -> Basis {
        let seen = self.live(user).map(|request| (Arc::clone(request), self.foreign_locks(request).cloned().collect()));
        let generation = if mutant!(MixPanels) { 0 } else { self.panel.generation };
        Basis { seen: seen.collect(), facts: Arc::clone(self.facts), generation }
    }

    fn live(&self, user: &UserName) -> impl Iterator<Item = &Arc<AccessRequest>> {
        let requests = self.view.requests_of(user).into_iter();
        requests.filter(|request| !request.is_settled() && !request.is_over(self.now))
    }

    /// Locks of others that take away the access of a request, by name. One that soon ends by itself, while the access
    /// goes on, does not count any more: what must be locked instead has to be so before it ends.
    fn foreign_locks<'a>(&'a self, request: &'a AccessRequest) -> impl Iterator<Item = &'a Lock> {
        let soon = self.now.after(self.lead);
        let lasts = move |end: Timestamp| end > soon || request.access_expires.is_some_and(|over| over <= end);
        let locks = self.view.locks_on(request, self.now);
        let locks = locks.filter(|_| !mutant!(IgnoreForeignLocks));
        locks.filter(move |lock| lock.ours(self.own_user).is_none() && lock.expires.is_none_or(lasts))
    }

    /// Why the operator exempts a held request from being locked, if so.
    pub(crate) fn exempt(&self, request: &AccessRequest) -> Option<String> {
        if request.state != RequestState::Approved {
            return None;
        }
        if !self.scope.takes(request) {
            return Some("out-of-scope".to_owned());
        }
        // It ends a little early, so that locks are in force when it is over.
        let soon = self.now.after(self.lead);
        if let Some(exemption) = self.exemptions.iter().find(|exemption| exemption.covers(request, soon)) {
            return Some(exemption.reason.clone());
        }
        match request.decided_by {
            Decider::Person if self.exempt_human_approved && !mutant!(LockWhatPeopleApproved) => {
                Some("human-approved".to_owned())
            }
            Decider::Person | Decider::Nobody | Decider::Tribunal | Decider::OtherBot => None,
        }
    }

    fn show(&self, request: &AccessRequest, labels: &BTreeMap<ResourceKey, Attributes>) -> CaseRequest {
        let mut shown = request.clone();
        for resource in &mut shown.resources {
            resource.labels = labels.get(&resource.key()).cloned();
        }
        if request.is_half_approved_by(self.own_user) {
            // INVARIANT: law 2. People may complete the approval without asking us again.
            shown.state = RequestState::Approved;
            shown.decided_by = Decider::Tribunal;
        }
        shown.annotations.retain(|key, _| !key.starts_with(ANNOTATION_PREFIX));
        if let Some(why) = self.exempt(request) {
            shown.annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec![why]);
        }
        if shown.access_starts.is_some_and(|start| start > self.now && start <= self.now.after(self.lead)) {
            shown.access_starts = Some(self.now);
        }
        let locks = self.foreign_locks(request).map(|lock| CaseLock {
            name: lock.name.clone(),
            message: lock.message.clone(),
            ours: false,
            expires: lock.expires,
        });
        CaseRequest { locks: locks.collect(), request: shown }
    }
}

// === impl Basis ===

impl PartialEq for Basis {
    fn eq(&self, other: &Self) -> bool {
        let alike = |(a, b): (&Seen, &Seen)| (Arc::ptr_eq(&a.0, &b.0) || a.0.looks_like(&b.0)) && a.1 == b.1;
        let same_facts = || Arc::ptr_eq(&self.facts, &other.facts) || self.facts == other.facts;
        self.generation == other.generation
            && self.seen.len() == other.seen.len()
            && self.seen.iter().zip(&other.seen).all(alike)
            && same_facts()
    }
}
