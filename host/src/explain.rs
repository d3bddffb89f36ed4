//! Why a request is decided as it is, and the smallest change with which it would pass: found by asking the policies
//! themselves, and checked by them. It guesses nothing about what a policy means, and changes nothing anywhere.

mod change;
mod search;

use std::collections::BTreeSet;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::Case;
use tribunal_core::decision::{Decision, Verdict};
use tribunal_core::guard::{Guard, guard};
use tribunal_core::hearing::{self, Answers, Hearing};
use tribunal_core::opinion::Member;
use tribunal_core::request::{AccessRequest, RequestId, UserName};
use tribunal_core::scope::Scope;

pub use self::change::{Change, LATER_HOURS_MAX, MOMENTS_MAX, ROLES_MAX, ROLES_TRIED_MAX, submit};
pub use self::search::{CANDIDATES_MAX, Found, NotFound};

/// What goes before policies: requests that are left to people whatever they say.
#[derive(Clone, Debug)]
pub struct Guards {
    /// The daemon's own user.
    pub own_user: UserName,
    /// Roles that are never given by us.
    pub protected_roles: BTreeSet<String>,
    /// Which requests are left alone.
    pub scope: Scope,
}

/// Who decides.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The panel.
    pub members: &'a [Member],
    /// What goes before it; none: nothing.
    pub guards: Option<&'a Guards>,
}

/// Why a request is decided as it is.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What policies say, or the guard that has the last word.
    pub hearing: Hearing,
    /// What would pass; none: it passes as it is.
    pub passes: Option<Result<Found, NotFound>>,
}

/// Explains what becomes of a pending request of the case. `known_roles` are those that it may be changed to.
pub fn explain(
    bench: Bench<'_>,
    case: &Arc<Case>,
    request: &AccessRequest,
    known_roles: &BTreeSet<String>,
    answers: &mut impl Answers,
) -> Explanation {
    let hearing = bench.judge(case, &request.id, answers);
    let passes = (!approves(&hearing)).then(|| search::smallest(bench, case, request, known_roles, answers));
    Explanation { hearing, passes }
}

/// Whether the request is approved.
#[must_use]
pub fn approves(hearing: &Hearing) -> bool {
    hearing.decision.as_ref().is_some_and(|decision| decision.verdict == Verdict::Approve)
}

// === impl Bench ===

impl Bench<'_> {
    /// What becomes of a pending request of the case.
    pub fn judge(&self, case: &Arc<Case>, request: &RequestId, answers: &mut impl Answers) -> Hearing {
        let found = case.find(request).and_then(|entry| self.guard(&entry.request, case.now));
        match found {
            Some(guard) => Hearing {
                evaluations: Vec::new(),
                enforcements: Vec::new(),
                orders: Vec::new(),
                decision: Some(Decision::guarded(guard)),
            },
            None => hearing::judge(self.members, case, request, answers),
        }
    }

    fn guard(&self, request: &AccessRequest, now: Timestamp) -> Option<Guard> {
        let Guards { own_user, protected_roles, scope } = self.guards?;
        guard(request, own_user, protected_roles, scope, now)
    }
}
