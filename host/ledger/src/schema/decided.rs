//! Decisions in the ledger. It never makes one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tribunal_core::lock::LockName;
use tribunal_core::opinion::PanelId;
use tribunal_core::record as core;
use tribunal_core::request::UserName;

use super::{
    Case, DeterminedBy, Enforcement, Evaluation, InvalidLine, PlannedLock, Request, Shown, StoredFact, Time, Verdict,
};
use crate::digest::Digest;

/// A decision, with all that it stands on; also the intent of what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision's id.
    pub id: String,
    /// About whom: a Teleport user name.
    pub user: String,
    /// The root cluster, repeated from the case for those who search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Nothing of it is done: the operator rehearses.
    pub dry_run: bool,
    /// The verdict; absent when only held requests were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What determined the verdict; there exactly when the verdict is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub determined_by: Option<DeterminedBy>,
    /// The reason that Teleport is given with a resolution.
    pub reason: String,
    /// The pending request, as it was when it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What each policy said about the request, in the order of the panel.
    pub evaluations: Vec<Evaluation>,
    /// What each policy wants locked, in the order of the panel.
    pub enforcements: Vec<Enforcement>,
    /// Locks that are about to be written.
    pub locks: Vec<PlannedLock>,
    /// Names of locks that are about to be deleted.
    pub releases: Vec<String>,
    /// The panel that was asked: the name of a stored object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<Digest>,
    /// What the policies were shown, but for facts; absent where they were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<Shown>,
    /// The facts that they were shown with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<StoredFact>,
}

// === impl Decided ===

impl From<&core::Decided> for Decided {
    fn from(it: &core::Decided) -> Self {
        let core::Decided {
            id,
            at: _, // the line has it
            user,
            request,
            decision,
            evaluations,
            enforcements,
            locks,
            releases,
            reason,
            panel,
            case,
            dry_run,
        } = it;
        Self {
            id: id.as_str().to_owned(),
            user: user.as_str().to_owned(),
            cluster: case.as_ref().map(|case| case.cluster.clone()),
            dry_run: *dry_run,
            verdict: decision.as_ref().map(|decision| decision.verdict.into()),
            determined_by: decision.as_ref().map(|decision| DeterminedBy::from(&decision.because)),
            reason: reason.clone(),
            request: request.as_ref().map(Request::from),
            evaluations: evaluations.iter().map(Evaluation::from).collect(),
            enforcements: enforcements.iter().map(Enforcement::from).collect(),
            locks: locks.iter().map(PlannedLock::from).collect(),
            releases: releases.iter().map(|name| name.as_str().to_owned()).collect(),
            panel: panel.as_ref().and_then(|panel| Digest::parse(panel.as_str())),
            case: case.as_ref().map(|case| Shown::Inline(Box::new(Case::from(&**case)))),
            facts: Vec::new(), // they are in the case
        }
    }
}

impl Decided {
    pub(super) fn into_core(self, at: Time) -> Result<core::Decided, InvalidLine> {
        let Self {
            id,
            user,
            cluster: _, // repeated from the case
            dry_run,
            verdict,
            determined_by,
            reason,
            request,
            evaluations,
            enforcements,
            locks,
            releases,
            panel,
            case,
            facts: _, // are in the case, where it stands inline
        } = self;
        let case = case.and_then(Shown::into_inline);
        let decision = match (verdict, determined_by) {
            (Some(verdict), Some(DeterminedBy { rules: _, because })) => {
                Some(tribunal_core::decision::Decision { verdict: verdict.into(), because: because.into() })
            }
            (None, None) => None,
            (Some(_), None) => return Err(InvalidLine("`verdict` without `determined_by`".to_owned())),
            (None, Some(_)) => return Err(InvalidLine("`determined_by` without `verdict`".to_owned())),
        };
        Ok(core::Decided {
            id: core::DecisionId::new(id),
            at: at.into(),
            user: UserName::new(user),
            request: request.map(Into::into),
            decision,
            evaluations: evaluations.into_iter().map(Into::into).collect(),
            enforcements: enforcements.into_iter().map(Into::into).collect(),
            locks: locks.into_iter().map(Into::into).collect(),
            releases: releases.into_iter().map(LockName::new).collect(),
            reason,
            panel: panel.map(|panel| PanelId::new(panel.to_string())),
            case: case.map(|case| Arc::new(case.into())),
            dry_run,
        })
    }
}
