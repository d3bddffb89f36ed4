//! A loaded plugin: asks its guest and checks the answer at the door. It never weighs an answer and keeps nothing between
//! two of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, LockOrder, Opinion};
use tribunal_core::request::RequestId;

use crate::convert::answer::Door;
use crate::description::Description;
use crate::digest::Digest;
use crate::session::{self, Sandbox};
use crate::solo::Traces;

/// A plugin with its settings and its grant.
pub(crate) struct Policy {
    pub(crate) digest: Digest,
    pub(crate) description: Description,
    /// What its answers may bring about.
    pub(crate) effects: BTreeSet<Effect>,
    pub(crate) settings: String,
    pub(crate) sandbox: Arc<Sandbox>,
}

// === impl Policy ===

impl Policy {
    /// What about this pending request? Blocks until the answer, at most for the deadline.
    pub(crate) fn review(&self, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault> {
        self.review_traced(case, request, None)
    }

    /// The same, with what it leaves behind.
    pub(crate) fn review_traced(
        &self,
        case: &Arc<Case>,
        request: &RequestId,
        traces: Option<&mut Traces>,
    ) -> Result<Opinion, Fault> {
        let answer = session::review(&self.sandbox, &self.settings, case, request, traces)?;
        self.door().opinion(answer)
    }

    /// Which held requests must be locked? Blocks until the answer, at most for the deadline.
    pub(crate) fn enforce(&self, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        self.enforce_traced(case, None)
    }

    /// The same, with what it leaves behind.
    pub(crate) fn enforce_traced(
        &self,
        case: &Arc<Case>,
        traces: Option<&mut Traces>,
    ) -> Result<Vec<LockOrder>, Fault> {
        let answer = session::enforce(&self.sandbox, &self.settings, case, traces)?;
        self.door().orders(answer, case)
    }

    fn door(&self) -> Door<'_> {
        Door { description: &self.description, limits: &self.sandbox.limits }
    }
}
