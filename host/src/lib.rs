//! tribunal: a WebAssembly policy host for Teleport just-in-time access. The rooms of the shell; the core decides.

pub mod daemon;
