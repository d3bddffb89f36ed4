//! Locks, with Teleport's names; what a lock is on and whose it is, never how it is written.

use std::fmt;
use std::sync::Arc;

use crate::request::{AccessRequest, RequestId, UserName};
use crate::time::Timestamp;

/// What the names of our locks begin with; the request's id follows.
pub const LOCK_PREFIX: &str = "tribunal-";
/// What the names of the locks of Teleport's sample watcher begin with; such locks are adopted as ours.
pub const WATCHER_LOCK_PREFIX: &str = "jit-watcher-";

/// The name of a lock (`metadata.name`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockName(Arc<str>);

/// What a lock is on (`types.LockTarget`): every field that is set must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockTarget {
    /// A user.
    pub user: Option<UserName>,
    /// A role.
    pub role: Option<String>,
    /// An access request.
    pub access_request: Option<RequestId>,
    /// Whether fields are set that say nothing about a request: login, device, server and so on.
    pub other: bool,
}

/// A lock (`types.LockV2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its name.
    pub name: LockName,
    /// What it is on.
    pub target: LockTarget,
    /// Shown to whom it hits.
    pub message: String,
    /// When it stops being in force; none: when somebody deletes it.
    pub expires: Option<Timestamp>,
    /// Who wrote it last, as the server says; empty where it does not.
    pub created_by: String,
}

// === impl LockName ===

impl LockName {
    /// The name `name`.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name of our lock on a request: the same each time, so that writing it twice makes one lock.
    #[must_use]
    pub fn of(request: &RequestId) -> Self {
        Self::new(format!("{LOCK_PREFIX}{request}"))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl LockTarget ===

impl LockTarget {
    /// Only this request.
    #[must_use]
    pub fn access_request(id: RequestId) -> Self {
        Self { access_request: Some(id), ..Self::default() }
    }
}

// === impl Lock ===

impl Lock {
    /// Whether it bites at `now` (Teleport: while now is before `spec.expires`).
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }

    /// Whether it takes away the access of this request. A lock with a field that says nothing about requests may
    /// leave the access usable, and so covers none.
    #[must_use]
    pub fn covers(&self, request: &AccessRequest) -> bool {
        let LockTarget { user, role, access_request, other } = &self.target;
        let names_something = user.is_some() || role.is_some() || access_request.is_some();
        names_something
            && !other
            && user.as_ref().is_none_or(|user| *user == request.user)
            && role.as_ref().is_none_or(|role| request.roles.contains(role))
            && access_request.as_ref().is_none_or(|id| *id == request.id)
    }

    /// The request that this lock is ours on: named by us, on nothing but that request, and not written by anybody
    /// else since, as its seal shows. (Teleport fills in who wrote a lock only where the writer leaves that empty, so
    /// that an edited one still names us: `lib/auth/auth_with_roles.go`.) Those of Teleport's sample watcher are ours
    /// too, whatever bot it ran as.
    #[must_use]
    pub fn ours(&self, own_user: &UserName) -> Option<&RequestId> {
        let LockTarget { user: None, role: None, access_request: Some(id), other: false } = &self.target else {
            return None;
        };
        let by_us = self.created_by.is_empty() || self.created_by == own_user.as_str();
        let (suffix, by_us) = match self.name.0.strip_prefix(LOCK_PREFIX) {
            Some(suffix) => (suffix, by_us && self.has_seal(id)),
            None => {
                let suffix = self.name.0.strip_prefix(WATCHER_LOCK_PREFIX)?;
                (suffix, by_us || UserName::new(self.created_by.as_str()).is_bot())
            }
        };
        (suffix == id.as_str() && by_us).then_some(id)
    }

    /// Moves the end of a lock of ours that is not written yet, and seals it anew.
    pub(crate) fn end_at(&mut self, expires: Option<Timestamp>) {
        self.expires = expires;
        if let (Some(request), Some((text, _))) = (&self.target.access_request, unsealed(&self.message)) {
            self.message = sealed(text, request, expires);
        }
    }

    fn has_seal(&self, request: &RequestId) -> bool {
        unsealed(&self.message).is_some_and(|(text, there)| there == seal(text, request, self.expires))
    }
}

/// The message of a lock of ours: `text`, and a seal that breaks when somebody edits message or expiry. It tells edits,
/// not forgeries: who may write locks may do anything.
#[must_use]
pub fn sealed(text: &str, request: &RequestId, expires: Option<Timestamp>) -> String {
    format!("{text} [{}]", seal(text, request, expires))
}

/// The length of what [`sealed`] adds to a text, in bytes.
pub const SEAL_BYTES: usize = 11;

/// The text of a message, and its seal.
fn unsealed(message: &str) -> Option<(&str, &str)> {
    message.strip_suffix(']')?.rsplit_once(" [")
}

/// FNV-1a over all that is sealed. Whole seconds: what is less may not survive every server.
fn seal(text: &str, request: &RequestId, expires: Option<Timestamp>) -> String {
    let end = expires.map_or(0, |end| end.as_millis() / 1_000);
    let bytes = text.bytes().chain(request.as_str().bytes()).chain(end.to_le_bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

#[cfg(test)]
mod tests;
