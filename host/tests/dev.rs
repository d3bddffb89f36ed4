//! Temporary.
#[path = "../src"]
pub mod w { pub mod dev; }
pub use w::dev;
pub use tribunal::{assembly, config, daemon};
