//! The log: lines on standard error, for people or as JSON. It never writes to standard output, which is for results.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object for each event.
    Json,
}

/// What is logged where `RUST_LOG` does not say: us at this level, others only when it matters.
const QUIET: &str = "h2=warn,hyper=warn,hyper_util=warn,tower=warn,tonic=warn,rustls=warn,wasmtime=warn,\
                     wasmtime_wasi=warn,cranelift=warn,cranelift_codegen=warn,regalloc2=warn";

/// Starts the log. `RUST_LOG` counts more than `debug`. A second call changes nothing.
pub fn init(format: Format, debug: bool) {
    let level = if debug { "debug" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));
    let started = match format {
        Format::Text => builder.compact().try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "The log had been started before");
    }
}
