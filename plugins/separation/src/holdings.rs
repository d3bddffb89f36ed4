//! Who holds what: the access of a case with its classes, and which of it gives way.
//! It must never order a lock on exempt access, nor count access that a lock, a start to come or an end has closed.

use tribunal_classes::Set;
use tribunal_guest::prelude::*;

use crate::classes::{Classes, Content};
use crate::rules::{CONFLICTS_WITH_STANDING, HELD_CONFLICT, HELD_MIXES_CLASSES};
use crate::settings::{Conflict, StandingRoles};

/// A request with its classes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) request: &'a AccessRequest,
    pub(crate) content: Content,
}

/// Roles that the user has without any request, as far as they belong to classes.
#[derive(Debug, Default)]
pub(crate) struct Standing<'a> {
    roles: Vec<(&'a str, Set)>,
    pub(crate) set: Set,
}

/// All access of a case, oldest first.
#[derive(Debug)]
pub(crate) struct Holdings<'a> {
    pub(crate) standing: Standing<'a>,
    /// Exempt from locks, or promoted to an access list where no lock reaches it.
    pub(crate) exempt: Vec<Holding<'a>>,
    /// In two classes alone: it is locked whatever else is held.
    mixed: Vec<Holding<'a>>,
    /// What may give way.
    free: Vec<Holding<'a>>,
}

/// What of the free access stays and what gives way.
#[derive(Debug, Default)]
pub(crate) struct Walk<'a> {
    pub(crate) kept: Vec<Holding<'a>>,
    /// With the classes of all that was kept before it.
    losers: Vec<(Holding<'a>, Set)>,
    /// The classes of all that is kept, of standing roles and of exempt access.
    set: Set,
}

// === impl Standing ===

impl<'a> Standing<'a> {
    fn new(classes: &Classes, case: &'a Case, standing_roles: StandingRoles) -> Self {
        let roles = match standing_roles {
            StandingRoles::Count => case.subject.roles.as_deref().unwrap_or_default(),
            StandingRoles::Ignore => &[],
        };
        let mut roles: Vec<_> = roles.iter().map(|role| (role.as_str(), classes.of_role(role))).collect();
        roles.retain(|(_, set)| !set.is_empty());
        roles.sort_unstable_by_key(|(role, _)| *role);
        let set = roles.iter().fold(Set::default(), |set, (_, more)| set.with(*more));
        Self { roles, set }
    }

    /// The standing roles that conflict with access of these classes, as in `prod-ro`, `prod-rw`.
    pub(crate) fn names(&self, set: Set) -> String {
        let names: Vec<_> =
            self.roles.iter().filter(|(_, own)| own.conflicts(set)).map(|(role, _)| format!("`{role}`")).collect();
        names.join(", ")
    }
}

// === impl Holdings ===

impl<'a> Holdings<'a> {
    pub(crate) fn new(classes: &Classes, case: &'a Case, standing_roles: StandingRoles) -> Self {
        let standing = Standing::new(classes, case, standing_roles);
        let mut holdings = Self { standing, exempt: Vec::new(), mixed: Vec::new(), free: Vec::new() };
        for request in &case.requests {
            let holding = Holding { request, content: classes.of_request(request) };
            let is_promoted = request.state == RequestState::Promoted && !request.has_expired(case.now);
            if is_promoted || (request.is_held(case.now) && request.is_exempt()) {
                holdings.exempt.push(holding);
            } else if !request.is_held(case.now) {
                // It gives no access.
            } else if holding.content.set.is_mixed() {
                holdings.mixed.push(holding);
            } else {
                holdings.free.push(holding);
            }
        }
        for some in [&mut holdings.exempt, &mut holdings.mixed, &mut holdings.free] {
            some.sort_unstable_by(|a, b| a.request.age().cmp(&b.request.age()));
        }
        holdings
    }

    /// Keeps what no lock may or can end, then the newest (or oldest) of the rest; whatever conflicts with what is
    /// already kept gives way. Where people decide, all is kept.
    pub(crate) fn walk(&self, conflict: Conflict) -> Walk<'a> {
        let exempt = self.exempt.iter().map(|holding| holding.content.set);
        let mut walk = Walk { set: exempt.fold(self.standing.set, Set::with), ..Walk::default() };
        match conflict {
            Conflict::NewestWins => self.free.iter().rev().for_each(|holding| walk.judge(*holding)),
            Conflict::OldestWins => self.free.iter().for_each(|holding| walk.judge(*holding)),
            Conflict::Escalate => self.free.iter().for_each(|holding| walk.keep(*holding)),
        }
        walk
    }

    /// The lock orders, oldest first.
    pub(crate) fn orders(&self, classes: &Classes, conflict: Conflict) -> Vec<LockOrder> {
        let mixed = self.mixed.iter().map(|holding| {
            let reason = format!("Single request contains conflicting roles: {}", classes.details(holding.request));
            (holding, lock(&holding.request.id, HELD_MIXES_CLASSES, reason))
        });
        let walk = self.walk(conflict);
        let losers = walk.losers.iter().map(|(holding, against)| (holding, self.order(classes, holding, *against)));
        let mut orders: Vec<_> = mixed.chain(losers).collect();
        orders.sort_unstable_by(|(a, _), (b, _)| a.request.age().cmp(&b.request.age()));
        if walk.set.is_mixed() {
            let versus = classes.versus(walk.set);
            log::warn(format!("conflicting access stays, because none of it may be locked: {versus}"));
        }
        orders.into_iter().map(|(_, order)| order).collect()
    }

    fn order(&self, classes: &Classes, holding: &Holding<'_>, against: Set) -> LockOrder {
        let set = holding.content.set;
        let standing = self.standing.names(set);
        if !standing.is_empty() {
            let versus = classes.versus(set.with(self.standing.set));
            let reason = format!("Environment conflict: user has conflicting standing roles {standing} ({versus})");
            return lock(&holding.request.id, CONFLICTS_WITH_STANDING, reason);
        }
        let reason = format!(
            "Multi-request environment conflict: user has conflicting access across requests ({})",
            classes.versus(set.with(against))
        );
        lock(&holding.request.id, HELD_CONFLICT, reason)
    }
}

// === impl Walk ===

impl<'a> Walk<'a> {
    /// Each free holding has one class at most, so it conflicts with something kept exactly if it does with the whole.
    fn judge(&mut self, holding: Holding<'a>) {
        if self.set.conflicts(holding.content.set) {
            self.losers.push((holding, self.set));
        } else {
            self.keep(holding);
        }
    }

    fn keep(&mut self, holding: Holding<'a>) {
        self.set = self.set.with(holding.content.set);
        self.kept.push(holding);
    }
}
