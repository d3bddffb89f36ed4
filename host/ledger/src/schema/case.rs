//! What the policies were shown, in the ledger. It never judges it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tribunal_core::case as core;
use tribunal_core::lock::LockName;
use tribunal_core::request::UserName;

use super::{Request, StoredWords, Time};
use crate::digest::Digest;

/// What the policies were shown: a stored object, or, in lines of version 1 and in lines that were read with what they
/// refer to, the case itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// The name of a stored object.
    Stored(Digest),
    /// It was stored, and its user's key was destroyed since: only in lines that were read with what they refer to.
    Erased(Erased),
    /// The case.
    Inline(Box<Case>),
}

/// Stands where something was that nobody can read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Erased {
    /// Its user's key was destroyed, or is not here.
    Erased,
}

/// A fact whose text is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFact {
    /// Its name.
    pub name: String,
    /// Its JSON text: the name of a stored object.
    pub json: Digest,
    /// When it was read.
    pub fetched: Time,
    /// Whether it was young enough for the operator.
    pub fresh: bool,
}

/// What the policies were shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The only clock of a policy.
    pub now: Time,
    /// The root cluster.
    pub cluster: String,
    /// Whose requests these are.
    pub subject: Subject,
    /// Live requests, oldest first.
    pub requests: Vec<CaseRequest>,
    /// What the operator's sources said; stored by themselves since version 2.
    pub facts: Vec<Fact>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The user's name.
    pub name: String,
    /// Standing roles; absent if they may not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Traits; absent if they may not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traits: Option<BTreeMap<String, Vec<String>>>,
}

/// A request and the locks on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseRequest {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// Locks in force on it.
    pub locks: Vec<CaseLock>,
}

/// A lock in force on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseLock {
    /// Its name.
    pub name: String,
    /// Its message.
    pub message: String,
    /// Whether an earlier policy of the panel ordered it in the same round.
    pub ours: bool,
    /// When it ends; absent: when it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// Data that the operator configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// A JSON text.
    pub json: String,
    /// When it was read.
    pub fetched: Time,
    /// Whether it was young enough for the operator.
    pub fresh: bool,
}

// === impl Shown ===

/// By hand, because serde's way to read one of several kinds copies it first.
impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(CaseOrItsName)
    }
}

struct CaseOrItsName;

impl<'de> Visitor<'de> for CaseOrItsName {
    type Value = Shown;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a case, or the name of a stored one")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Shown, E> {
        match StoredWords::parse(text) {
            Some(StoredWords::Stored(name)) => Ok(Shown::Stored(name)),
            Some(StoredWords::Erased(erased)) => Ok(Shown::Erased(erased)),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<Map: MapAccess<'de>>(self, map: Map) -> Result<Shown, Map::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Shown::Inline)
    }
}

impl Shown {
    /// The case, if it is here.
    #[must_use]
    pub fn inline(&self) -> Option<&Case> {
        match self {
            Self::Inline(case) => Some(case),
            Self::Stored(_) | Self::Erased(_) => None,
        }
    }

    /// The case, if it is here.
    #[must_use]
    pub fn into_inline(self) -> Option<Case> {
        match self {
            Self::Inline(case) => Some(*case),
            Self::Stored(_) | Self::Erased(_) => None,
        }
    }
}

// === impl Case ===

impl From<&core::Case> for Case {
    fn from(it: &core::Case) -> Self {
        let core::Case { now, cluster, subject, requests, facts } = it;
        Self {
            now: (*now).into(),
            cluster: cluster.clone(),
            subject: subject.into(),
            requests: requests.iter().map(|request| CaseRequest::from(&**request)).collect(),
            facts: facts.iter().map(Fact::from).collect(),
        }
    }
}

impl From<Case> for core::Case {
    fn from(it: Case) -> Self {
        let Case { now, cluster, subject, requests, facts } = it;
        Self {
            now: now.into(),
            cluster,
            subject: subject.into(),
            requests: requests.into_iter().map(|request| Arc::new(request.into())).collect(),
            facts: facts.into_iter().map(Into::into).collect(),
        }
    }
}

// === impl Subject ===

impl From<&tribunal_core::request::Subject> for Subject {
    fn from(it: &tribunal_core::request::Subject) -> Self {
        let tribunal_core::request::Subject { name, roles, traits } = it;
        Self { name: name.as_str().to_owned(), roles: roles.clone(), traits: traits.clone() }
    }
}

impl From<Subject> for tribunal_core::request::Subject {
    fn from(it: Subject) -> Self {
        let Subject { name, roles, traits } = it;
        Self { name: UserName::new(name), roles, traits }
    }
}

// === impl CaseRequest ===

impl From<&core::CaseRequest> for CaseRequest {
    fn from(it: &core::CaseRequest) -> Self {
        let core::CaseRequest { request, locks } = it;
        Self { request: request.into(), locks: locks.iter().map(CaseLock::from).collect() }
    }
}

impl From<CaseRequest> for core::CaseRequest {
    fn from(it: CaseRequest) -> Self {
        let CaseRequest { request, locks } = it;
        Self { request: request.into(), locks: locks.into_iter().map(Into::into).collect() }
    }
}

// === impl CaseLock ===

impl From<&core::CaseLock> for CaseLock {
    fn from(it: &core::CaseLock) -> Self {
        let core::CaseLock { name, message, ours, expires } = it;
        Self { name: name.as_str().to_owned(), message: message.clone(), ours: *ours, expires: expires.map(Into::into) }
    }
}

impl From<CaseLock> for core::CaseLock {
    fn from(it: CaseLock) -> Self {
        let CaseLock { name, message, ours, expires } = it;
        Self { name: LockName::new(name), message, ours, expires: expires.map(Into::into) }
    }
}

// === impl Fact ===

impl From<&core::Fact> for Fact {
    fn from(it: &core::Fact) -> Self {
        let core::Fact { name, json, fetched, fresh } = it;
        Self { name: name.clone(), json: json.clone(), fetched: (*fetched).into(), fresh: *fresh }
    }
}

impl From<Fact> for core::Fact {
    fn from(it: Fact) -> Self {
        let Fact { name, json, fetched, fresh } = it;
        Self { name, json, fetched: fetched.into(), fresh }
    }
}
