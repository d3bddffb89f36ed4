//! Builds the case that a policy is shown. It hides nothing but what is over, and shows what *would* be where the host
//! asks "as if"; it never changes the view.

use std::time::Duration;

use super::view::View;
use crate::case::{Case, CaseLock, CaseRequest, Fact};
use crate::request::{
    ANNOTATION_PREFIX, AccessRequest, Decider, EXEMPT_ANNOTATION, RequestId, RequestState, Subject, UserName,
};
use crate::time::Timestamp;

/// What a case is built from.
pub(crate) struct Sight<'a> {
    pub(crate) view: &'a View,
    pub(crate) now: Timestamp,
    pub(crate) cluster: &'a str,
    pub(crate) own_user: &'a UserName,
    pub(crate) exempt_human_approved: bool,
    /// Access that starts within this time counts as started, so that locks are in force before it is usable.
    pub(crate) lead: Duration,
    pub(crate) facts: &'a [Fact],
}

// === impl Sight ===

impl Sight<'_> {
    /// The case of a subject; `as_if_held` is shown as approved and started. Locks of ours are not shown: they are
    /// derived anew in each round.
    pub(crate) fn case(&self, subject: &Subject, as_if_held: Option<&RequestId>) -> Case {
        let requests = self
            .view
            .requests_of(&subject.name)
            .into_iter()
            .filter(|request| !request.is_settled() && !request.is_over(self.now))
            .map(|request| self.show(request, as_if_held == Some(&request.id)))
            .collect();
        Case {
            now: self.now,
            cluster: self.cluster.to_owned(),
            subject: subject.clone(),
            requests,
            facts: self.facts.to_vec(),
        }
    }

    /// Whether the operator exempts a request from being locked.
    pub(crate) fn is_exempt(&self, request: &AccessRequest) -> bool {
        self.exempt_human_approved
            && request.state == RequestState::Approved
            && match request.decided_by {
                Decider::Person => true,
                Decider::Nobody | Decider::Tribunal | Decider::OtherBot => false,
            }
    }

    fn show(&self, request: &AccessRequest, as_if_held: bool) -> CaseRequest {
        let mut shown = request.clone();
        shown.annotations.retain(|key, _| !key.starts_with(ANNOTATION_PREFIX));
        if self.is_exempt(request) {
            shown.annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec!["human-approved".to_owned()]);
        }
        if as_if_held {
            shown.state = RequestState::Approved;
            shown.decided_by = Decider::Tribunal;
        }
        if shown.access_starts.is_some_and(|start| start > self.now && start <= self.now.after(self.lead)) {
            shown.access_starts = Some(self.now);
        }
        let foreign = self.view.locks_on(request, self.now).filter(|lock| lock.ours(self.own_user).is_none());
        let foreign = foreign.map(|lock| CaseLock {
            name: lock.name.clone(),
            message: lock.message.clone(),
            ours: false,
            expires: lock.expires,
        });
        let mut locks: Vec<_> = foreign.collect();
        locks.sort_by(|a, b| a.name.cmp(&b.name));
        CaseRequest { request: shown, locks }
    }
}
