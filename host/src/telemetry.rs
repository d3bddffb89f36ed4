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
    let environment = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let (filter, misunderstood) = filter(&environment, debug);
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour);
    let started = match format {
        Format::Text => builder.compact().try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    match (started, misunderstood) {
        (Ok(()), None) => {}
        (Ok(()), Some(why)) => tracing::warn!(%why, "RUST_LOG is not understood and does not count"),
        (Err(error), _) => tracing::debug!(%error, "The log had been started before"),
    }
}

/// What is logged; and why `RUST_LOG`, if it is there, is not understood.
fn filter(environment: &str, debug: bool) -> (EnvFilter, Option<String>) {
    let ours = || EnvFilter::new(format!("{},{QUIET}", if debug { "debug" } else { "info" }));
    if environment.trim().is_empty() {
        return (ours(), None);
    }
    match EnvFilter::try_new(environment) {
        Ok(filter) => (filter, None),
        Err(error) => (ours(), Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(environment: &str, debug: bool) -> String {
        filter(environment, debug).0.to_string()
    }

    #[test]
    fn dependencies_are_quiet_whatever_our_own_level() {
        for (debug, level) in [(false, "info"), (true, "debug")] {
            let shown = shown("", debug);
            assert!(shown.split(',').any(|directive| directive == level), "{shown}");
            for dependency in ["h2", "hyper", "wasmtime"] {
                assert!(shown.contains(&format!("{dependency}=warn")), "{shown}");
            }
        }
    }

    #[test]
    fn the_environment_counts_more_if_it_is_understood() {
        assert_eq!(shown("tribunal=trace", true), "tribunal=trace");
        let (filter, why) = filter("tribunal=loud", false);
        assert_eq!(filter.to_string(), shown("", false));
        assert!(why.is_some());
    }
}
