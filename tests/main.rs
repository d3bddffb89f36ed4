//! The parts together: the daemon against the simulated server over mTLS, and rules of the house that the compiler cannot
//! see. What a room can test alone is tested there, not here.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bindings;
mod scenarios;
mod tidy;
mod world;
