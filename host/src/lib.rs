//! tribunal: a WebAssembly policy host for Teleport just-in-time access. The rooms of the shell; the core decides.

pub mod assembly;
pub mod chronicle;
pub mod cli;
pub mod clock;
pub mod config;
pub mod counterexample;
pub mod daemon;
pub mod dev;
pub mod doctor;
pub mod explain;
pub mod facts;
pub mod health;
pub mod replay;
pub mod role;
pub mod signs;
pub mod telemetry;
pub mod torture;
pub mod workbench;
