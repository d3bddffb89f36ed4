//! The hostile corpus: guests that attack the sandbox, each with the fault that it must come to, and random ones on top. It knows
//! nothing of how the sandbox works, and never runs a guest.

mod compiled;
mod harness;
mod made;
mod manifest;
mod random;

pub use harness::{STRANGER, around};
pub use manifest::{Guest, Strike, corpus};
pub use random::random;
