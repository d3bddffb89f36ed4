//! The words of `tribunal replay`.

use std::path::PathBuf;

use clap::Args;

use super::FilterArgs;
use crate::replay::Forbidden;

/// `tribunal replay`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ReplayArgs {
    /// The ledger's directory [default: that of the configuration, or where the daemon keeps it]
    #[arg(value_name = "LEDGER")]
    pub dir: Option<PathBuf>,
    /// Hold the decisions against the panel, protected roles and scope of this configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shadow", "settings", "components"])]
    pub config: Option<PathBuf>,
    /// Hold them against the panel of each as if its policies in shadow mode had counted
    #[arg(long)]
    pub shadow: bool,
    /// Hold them against the panel of each with this setting: `cap.max-resources=2`; any number of times
    #[arg(long = "set", value_name = "PLUGIN.KEY=VALUE")]
    pub settings: Vec<String>,
    /// Hold them against the panel of each with this component for a plugin: `cap=cap.wasm`; any number of times
    #[arg(long = "with", value_name = "PLUGIN=FILE")]
    pub components: Vec<String>,
    /// End with 1 if anything turns like this: `approve:deny`, `any:approve`, `keep:lock`; any number of times
    ///
    /// Words are approve, deny, leave (to people) and nothing (no policy says anything) for requests, lock and keep for
    /// what is held, and any.
    #[arg(long, value_name = "FROM:TO")]
    pub forbid: Vec<Forbidden>,
    /// Which decisions.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  every decision is the same; with a change: nothing turns in a way that was forbidden
  1  a decision is not the same, or turns in a way that was forbidden, or cannot be made again; standard error says which
  2  the command line is not understood";
