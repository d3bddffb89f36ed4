//! The ledger as evidence: what a start believes, what a crash leaves, what an auditor finds, and whatever a forger does. It
//! must never look into the ledger's own code.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "evidence/archived.rs"]
mod archived;
#[path = "evidence/bundled.rs"]
mod bundled;
#[path = "evidence/crashes.rs"]
mod crashes;
#[path = "evidence/erased.rs"]
mod erased;
#[path = "evidence/found.rs"]
mod found;
#[path = "evidence/made.rs"]
mod made;
#[path = "evidence/moved.rs"]
mod moved;
#[path = "evidence/pieces.rs"]
mod pieces;
#[path = "evidence/place.rs"]
mod place;
#[path = "evidence/starts.rs"]
mod starts;
#[path = "evidence/tampering.rs"]
mod tampering;
