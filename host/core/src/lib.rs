//! The sans-I/O core of tribunal: [`Event`](action::Event)s in, [`Action`](action::Action)s out, time passed in. It
//! decides and touches nothing: no async, no network, no files, no clock, no randomness, no log.

#![forbid(unsafe_code)]

/// Whether the controller makes this mistake: in the product never, in tests when the simulation has to catch it.
#[cfg(not(test))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}
#[cfg(test)]
macro_rules! mutant {
    ($name:ident) => {
        $crate::mutants::Mutant::$name.is_on()
    };
}

#[cfg(test)]
mod mutants;

pub mod action;
pub mod case;
pub mod controller;
pub mod decision;
pub mod failure;
pub mod guard;
pub mod hearing;
pub mod lock;
pub mod opinion;
pub mod record;
pub mod recovery;
pub mod request;
pub mod scope;
pub mod time;

// The simulation names this crate as any other user does.
#[cfg(test)]
extern crate self as tribunal_core;
#[cfg(test)]
#[expect(unreachable_pub, reason = "it is also the library of the simulation's program")]
#[path = "../simulation/src/lib.rs"]
mod simulation;
#[cfg(test)]
#[path = "../simulation/tests/all.rs"]
mod simulation_tests;

pub use controller::{Controller, RoundLimits, Settings, Status};
pub use time::Timestamp;

/// The longest reason that Teleport takes, in bytes (`lib/services/access_request.go`: 4096).
pub const REASON_BYTES_MAX: usize = 4_096;
