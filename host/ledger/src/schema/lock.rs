//! Locks in the ledger, with Teleport's names. It never judges them.

use serde::{Deserialize, Serialize};
use tribunal_core::lock as core;
use tribunal_core::request::{RequestId, UserName};

use super::Time;

/// A lock that is about to be written, and the rule that wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLock {
    /// `policy/rule`.
    pub rule: String,
    /// The lock.
    #[serde(flatten)]
    pub lock: Lock,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Its name.
    pub name: String,
    /// What it is on.
    pub target: LockTarget,
    /// Shown to whom it hits.
    pub message: String,
    /// When it stops being in force; absent: when somebody deletes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// Who wrote it last, as the server says; empty where it does not.
    pub created_by: String,
}

/// What a lock is on: every field that is set must match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockTarget {
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// An access request, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_request: Option<String>,
    /// Whether it also names something that says nothing about a request.
    pub other: bool,
}

// === impl PlannedLock ===

impl From<&(core::Lock, String)> for PlannedLock {
    fn from((lock, rule): &(core::Lock, String)) -> Self {
        Self { rule: rule.clone(), lock: Lock::from(lock) }
    }
}

impl From<PlannedLock> for (core::Lock, String) {
    fn from(PlannedLock { rule, lock }: PlannedLock) -> Self {
        (lock.into(), rule)
    }
}

// === impl Lock ===

impl From<&core::Lock> for Lock {
    fn from(it: &core::Lock) -> Self {
        let core::Lock { name, target, message, expires, created_by } = it;
        Self {
            name: name.as_str().to_owned(),
            target: target.into(),
            message: message.clone(),
            expires: expires.map(Into::into),
            created_by: created_by.clone(),
        }
    }
}

impl From<Lock> for core::Lock {
    fn from(it: Lock) -> Self {
        let Lock { name, target, message, expires, created_by } = it;
        Self {
            name: core::LockName::new(name),
            target: target.into(),
            message,
            expires: expires.map(Into::into),
            created_by,
        }
    }
}

// === impl LockTarget ===

impl From<&core::LockTarget> for LockTarget {
    fn from(it: &core::LockTarget) -> Self {
        let core::LockTarget { user, role, access_request, other } = it;
        Self {
            user: user.as_ref().map(|user| user.as_str().to_owned()),
            role: role.clone(),
            access_request: access_request.as_ref().map(|id| id.as_str().to_owned()),
            other: *other,
        }
    }
}

impl From<LockTarget> for core::LockTarget {
    fn from(it: LockTarget) -> Self {
        let LockTarget { user, role, access_request, other } = it;
        Self { user: user.map(UserName::new), role, access_request: access_request.map(RequestId::new), other }
    }
}
