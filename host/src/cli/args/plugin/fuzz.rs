//! The words of `tribunal plugin fuzz`.

use std::path::PathBuf;

use clap::Args;

use super::LimitsArgs;

/// `tribunal plugin fuzz`.
#[derive(Debug, Args)]
pub struct FuzzArgs {
    /// The plugin
    #[arg(value_name = "FILE")]
    pub plugin: String,
    /// Settings, a JSON object; what it says is what the cases are about
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub settings: String,
    /// Show a fact of this name with this JSON, now and then
    #[arg(long, value_name = "NAME=JSON")]
    pub fact: Vec<String>,
    /// Which cases: equal seeds give equal cases [default: another each time, which is told]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many cases at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub cases: u64,
    /// For how many seconds at most
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub seconds: u64,
    /// Where cases are written that were found, each as a suite that `plugin test` and `plugin run` read
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Under which limits.
    #[command(flatten)]
    pub limits: LimitsArgs,
}
