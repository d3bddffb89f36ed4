//! The words of `tribunal doctor`.

use std::path::PathBuf;

use clap::Args;

/// `tribunal doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct DoctorArgs {
    /// The configuration that the daemon runs with
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// The address of the cluster; counts more than the configuration
    #[arg(short, long, value_name = "ADDR")]
    pub proxy: Option<String>,
    /// The identity file; counts more than the configuration
    #[arg(short, long, alias = "identity-file", value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Where the ledger is; counts more than the configuration
    #[arg(long, value_name = "DIR")]
    pub ledger_dir: Option<PathBuf>,
    /// Look at what `tribunal run --dry-run` needs
    #[arg(long)]
    pub dry_run: bool,
    /// End with 1 for warnings as well
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON object: `ok`, and `checks`, an array of objects with `name`, `outcome` (`ok`, `warning`, `failed` or
    /// `skipped`), `what` and `remedy`
    #[arg(long)]
    pub json: bool,
}

const EXIT_CODES: &str = "\
Nothing is changed, here or in the cluster, and nothing waits without end.

Exit codes:
  0  nothing failed
  1  something failed; standard output says what, and what to do
  2  the command line is not understood";
