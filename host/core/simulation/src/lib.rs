//! The core against a model of Teleport: random schedules from seeds, and small scopes completely. It drives the
//! controller as the daemon does and never looks inside to judge it.
//!
//! These files are compiled twice: here, for the program that runs millions, and as a module of the core's own tests,
//! which put mutants of the controller in its place.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test program")]

pub(crate) mod driver;
pub(crate) mod invariants;
pub(crate) mod model;
pub(crate) mod policies;
pub(crate) mod rehearing;
pub mod schedule;
pub mod search;
