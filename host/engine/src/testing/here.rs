//! An evaluation on the thread of whoever asks: all of the sandbox, without the way to its own threads and back. Nothing of the
//! product uses it.

use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::opinion::{Fault, Opinion};
use tribunal_core::request::RequestId;

use crate::panel::{self, Panel};
use crate::seat::{Taken, unavailable};

/// What the policy at this place of the panel says about a pending request. The thread needs as much stack as guests may use,
/// and more for the host.
///
/// # Errors
/// As [`tribunal_ports::Engine::review`].
pub fn review_here(panel: &Panel, policy: usize, request: &RequestId, case: &Arc<Case>) -> Result<Opinion, Fault> {
    let seat = panel.seats().get(policy).ok_or_else(|| unavailable("the panel has no such policy"))?;
    match &seat.taken {
        Taken::By(occupant) => panel::review(&occupant.policy, &seat.member, case, request),
        Taken::Vacant { why } => Err(unavailable(why.clone())),
    }
}
