//! The words of `tribunal plugin run`.

use std::path::PathBuf;

use clap::Args;

use super::LimitsArgs;

/// `tribunal plugin run`.
#[derive(Debug, Args)]
pub struct RunPluginArgs {
    /// The plugin
    #[arg(value_name = "FILE")]
    pub plugin: String,
    /// A case, or a suite whose settings are then used
    #[arg(long, value_name = "CASE")]
    pub case: PathBuf,
    /// Which case of a suite
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Settings, a JSON object, over those of the suite
    #[arg(long, value_name = "JSON")]
    pub settings: Option<String>,
    /// Do not count instructions, which takes compiling the plugin a second time
    #[arg(long)]
    pub no_instructions: bool,
    /// Print the evaluations as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Under which limits.
    #[command(flatten)]
    pub limits: LimitsArgs,
}
