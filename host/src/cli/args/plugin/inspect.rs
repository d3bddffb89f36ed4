//! The words of `tribunal plugin inspect`.

use clap::Args;

use super::LimitsArgs;

/// `tribunal plugin inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The plugin, however broken
    #[arg(value_name = "FILE")]
    pub plugin: String,
    /// Print the JSON Schema of its settings, and nothing else
    #[arg(long, conflicts_with = "json")]
    pub schema: bool,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Under which limits.
    #[command(flatten)]
    pub limits: LimitsArgs,
}
