//! What the author of a policy needs before there is a plugin: a project to begin with, and a plugin made of it with the
//! tools of its language. It never runs a policy; that is the engine's.

pub mod build;
mod language;
pub mod scaffold;

pub use language::Language;
