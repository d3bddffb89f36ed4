//! Rules of the house that the compiler cannot see, checked over the sources themselves. It must never change a file.

mod arrows;
mod claims;
mod commands;
mod docs;
mod operating;
mod sources;
pub(crate) mod tree;
