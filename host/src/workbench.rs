//! What authors of policies work with: cases and suites in files, one policy alone in the engine, reports. It runs policies
//! under the daemon's limits, and never connects anywhere or decides about a request.

pub mod advice;
pub mod ask;
pub mod bench;
pub mod case;
mod component;
pub mod fuzz;
mod inspection;
pub mod run;
pub mod schema;
pub mod settings;
pub mod suite;
pub mod syntax;
pub mod test;
pub mod trouble;

pub use self::component::{Component, workshop};
pub use self::inspection::Inspection;
pub use self::trouble::Trouble;
