//! Law 10: what is never approved because it cannot be understood or is not ours to give. Pure; policies are not asked.

use std::collections::BTreeSet;
use std::fmt;

use crate::request::{AccessRequest, Constraints, RequestKind, RequestState, UserName};
use crate::scope::Scope;
use crate::time::Timestamp;

/// Why a pending request is left to people whatever policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Its state is not known to this build.
    UnknownState,
    /// Its kind is not known to this build.
    UnknownKind,
    /// It aims at permanent access.
    LongTerm,
    /// It is the daemon's own user's.
    OwnRequest,
    /// It asks for a role that the operator protects.
    ProtectedRole(String),
    /// It names a resource whose constraint is not known to this build.
    UnknownConstraint(String),
    /// It, or the access that it asks for, is already over.
    Over,
    /// It asks for nothing at all.
    Empty,
    /// It is outside of what the operator set the daemon to.
    OutOfScope,
}

/// The first guard that stands before this request, if any.
#[must_use]
pub fn guard(
    request: &AccessRequest,
    own_user: &UserName,
    protected_roles: &BTreeSet<String>,
    scope: &Scope,
    now: Timestamp,
) -> Option<Guard> {
    if !scope.takes(request) {
        return Some(Guard::OutOfScope);
    }
    if request.user == *own_user {
        return Some(Guard::OwnRequest);
    }
    match request.state {
        RequestState::Unknown => return Some(Guard::UnknownState),
        RequestState::Pending | RequestState::Approved | RequestState::Denied | RequestState::Promoted => {}
    }
    match request.kind {
        RequestKind::ShortTerm => {}
        RequestKind::LongTerm => return Some(Guard::LongTerm),
        RequestKind::Unknown => return Some(Guard::UnknownKind),
    }
    if request.is_over(now) {
        return Some(Guard::Over);
    }
    if request.roles.is_empty() && request.resources.is_empty() {
        return Some(Guard::Empty);
    }
    if mutant!(ForgetTheGuards) {
        return None;
    }
    if let Some(role) = request.roles.iter().find(|role| protected_roles.contains(*role)) {
        return Some(Guard::ProtectedRole(role.clone()));
    }
    request.resources.iter().find_map(|resource| match &resource.constraints {
        Some(Constraints::Unknown(what)) => Some(Guard::UnknownConstraint(what.clone())),
        Some(Constraints::Known(_)) | None => None,
    })
}

// === impl Guard ===

impl Guard {
    /// Its name in the ledger.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnknownState => "unknown-state",
            Self::UnknownKind => "unknown-kind",
            Self::LongTerm => "long-term",
            Self::OwnRequest => "own-request",
            Self::ProtectedRole(_) => "protected-role",
            Self::UnknownConstraint(_) => "unknown-constraint",
            Self::Over => "over",
            Self::Empty => "empty",
            Self::OutOfScope => "out-of-scope",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownState => f.write_str("left to people: its state is not known to this version"),
            Self::UnknownKind => f.write_str("left to people: its kind is not known to this version"),
            Self::LongTerm => f.write_str("left to people: it asks for long-term access"),
            Self::OwnRequest => f.write_str("left to people: it is the daemon's own user's request"),
            Self::ProtectedRole(role) => write!(f, "left to people: role `{role}` is protected"),
            Self::UnknownConstraint(what) => {
                write!(f, "left to people: a resource constraint is not known to this version: {what}")
            }
            Self::Over => f.write_str("left alone: the request or its access is over"),
            Self::Empty => f.write_str("left to people: it names neither roles nor resources"),
            Self::OutOfScope => f.write_str("left to people: it is out of the daemon's scope"),
        }
    }
}

#[cfg(test)]
mod tests;
