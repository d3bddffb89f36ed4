//! Runs policies: Wasm components in a sandbox, each evaluation in a fresh instance under limits that have names. It
//! never decides what an answer means, and nothing of wasmtime or of the generated bindings leaves this room.

mod anatomy;
mod bindings;
mod code;
mod compile;
mod convert;
mod crew;
mod description;
mod digest;
mod engine;
mod fault;
mod host;
mod inspect;
mod live;
mod load;
mod panel;
mod policy;
mod quarantine;
mod seat;
mod session;
mod solo;
#[cfg(feature = "testing")]
pub mod testing;
mod text;

pub use anatomy::{Anatomy, Import, Kind, Needs, Producer};
pub use compile::{Workshop, compile_standard_input};
pub use crew::{Asking, Hand, crew};
pub use description::{Description, Rule};
pub use digest::{Digest, InvalidDigest};
pub use engine::limits::named::{is_of_the_moment, limit_of};
pub use engine::limits::{DEADLINE_GRANT_MS_MAX, LimitOverrides, Limits, RaisedLimit};
pub use host::log::LogLine;
pub use live::{LivePanel, RECORDED_MAX, Rehearsal};
pub use load::{LoadError, LoadProblem, passing_buffer};
pub use panel::{Panel, PluginSpec, PolicyInfo};
pub use seat::{Health, PolicyHealth};
pub use solo::{Introduced, Solo, Traces};
