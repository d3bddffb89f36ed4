//! The words of `tribunal status`.

use std::path::PathBuf;

use clap::Args;

/// `tribunal status`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct StatusArgs {
    /// The configuration of the daemon, of which `[health] listen` is used
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// The daemon's health port, such as `http://127.0.0.1:9464`; counts more than the configuration
    #[arg(long, value_name = "URL")]
    pub health: Option<String>,
    /// Also show the requests of this user, instead of what each user has
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the daemon is ready
  1  it is not ready; standard output says why
  2  that cannot be told: there is no answer, or the command line is not understood; standard error says what to do";
