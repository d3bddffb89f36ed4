//! Classes of access, such as production and research: which names of roles and which labels belong to which. The policy
//! `separation` decides by them, and the host says beforehand which roles of a cluster they mean. Their patterns are those
//! of all policies that ship with the host.
//! It must never know a request, nor anything else of a policy or a host: it is part of both.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod classes;
pub mod pattern;
mod setting;

pub use classes::{CLASSES_COUNT_MAX, Class, Classes, PATTERNS_COUNT_MAX, Set};
pub use pattern::PATTERN_BYTES_MAX;
pub use setting::{Members, Setting};
