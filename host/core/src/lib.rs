//! The sans-I/O core of tribunal: [`Event`](action::Event)s in, [`Action`](action::Action)s out, time passed in. It
//! decides and touches nothing: no async, no network, no files, no clock, no randomness, no log.

#![forbid(unsafe_code)]

pub mod action;
pub mod case;
pub mod controller;
pub mod decision;
pub mod failure;
pub mod guard;
pub mod lock;
pub mod opinion;
pub mod record;
pub mod recovery;
pub mod request;
pub mod time;

pub use controller::{Controller, Settings, Status};
pub use time::Timestamp;

/// The longest reason that Teleport takes, in bytes (`lib/services/access_request.go`: 4096).
pub const REASON_BYTES_MAX: usize = 4_096;
