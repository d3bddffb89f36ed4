//! The words of `tribunal plugin bench`.

use std::path::PathBuf;

use clap::Args;

use super::LimitsArgs;

/// `tribunal plugin bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The plugin
    #[arg(value_name = "FILE")]
    pub plugin: String,
    /// Settings, a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub settings: String,
    /// Save what is measured under this name, as `NAME.bench.json`
    #[arg(long, value_name = "NAME")]
    pub save: Option<String>,
    /// Compare with what was saved under this name
    #[arg(long, value_name = "NAME")]
    pub compare: Option<String>,
    /// By how many percent a median may be longer than before [default: 20]
    #[arg(long, value_name = "PERCENT", requires = "compare")]
    pub threshold: Option<f64>,
    /// Where those files are
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Evaluations of each size and question, at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub samples: usize,
    /// Seconds for each size and question, at most
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub seconds: u64,
    /// Do not count instructions, which takes compiling the plugin a second time
    #[arg(long)]
    pub no_instructions: bool,
    /// Print what was measured as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Under which limits.
    #[command(flatten)]
    pub limits: LimitsArgs,
}
