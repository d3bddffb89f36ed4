//! Runs policies: Wasm components in a sandbox, each evaluation in a fresh instance under limits that have names. It
//! never decides what an answer means, and nothing of wasmtime or of the generated bindings leaves this room.

mod bindings;
mod convert;
mod description;
mod digest;
mod engine;
mod fault;
mod host;
mod inspect;
mod load;
mod panel;
mod policy;
mod session;
#[cfg(feature = "testing")]
pub mod testing;
mod text;

pub use description::{Description, Rule};
pub use digest::{Digest, InvalidDigest};
pub use engine::limits::{LimitOverrides, Limits, RaisedLimit};
pub use load::{LoadError, LoadProblem};
pub use panel::{Panel, PluginSpec, PolicyInfo};
