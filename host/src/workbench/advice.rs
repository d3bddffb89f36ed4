//! What the author of a policy does about a fault. It explains, and excuses nothing.

use tribunal_core::opinion::{Fault, FaultKind};
use tribunal_engine::limit_of;

/// What to do about a fault, in a sentence.
#[must_use]
pub fn advice(fault: &Fault) -> &'static str {
    match (fault.kind, limit_of(fault)) {
        (FaultKind::Trap, _) => "it panicked or trapped: what it printed says where; return an answer instead",
        (FaultKind::Deadline, _) => {
            "look for a loop that does not end, or for work that grows with the case; an operator can grant more time with \
             `granted-deadline-ms`"
        }
        (FaultKind::Memory, _) => {
            "hold less at once, or look for a list that grows without end; a leak it cannot be, each answer has a fresh memory"
        }
        (FaultKind::Limit, Some("reason_bytes_max")) => "shorten the reason: Teleport shows no more of it",
        (FaultKind::Limit, Some("grounds_max")) => "put what belongs together into one ground",
        (FaultKind::Limit, Some("log_calls_max" | "log_bytes_max")) => {
            "log less: what is beyond the limit is dropped anyway"
        }
        (FaultKind::Limit, Some("stack_bytes_max")) => "look for a recursion that does not end",
        (FaultKind::Limit, _) => "stay below the limit that it names",
        (FaultKind::Nonsense, _) => {
            "answer within the contract: rules that `describe` declares, at least one ground for a denial, one lock for an \
             approved request of the case"
        }
        (FaultKind::NotGranted, _) => {
            "answer only what is granted: `describe` has to declare the effect, and the operator to grant it with `effects`"
        }
        (FaultKind::Settings, _) => "`configure` must give the same answer to the same settings each time",
        (FaultKind::Unavailable, _) => "this is the host's doing: try again",
    }
}
