//! The words of `tribunal explain`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// `tribunal explain`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, group = ArgGroup::new("what").required(true).args(["id", "user", "case"]))]
pub struct ExplainArgs {
    /// A recorded decision: its id, or the number of its record
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The ledger that has it [default: that of the configuration, or where the daemon keeps it]
    #[arg(long, value_name = "DIR", requires = "id")]
    pub dir: Option<PathBuf>,
    /// The configuration whose panel is asked [default: tribunal.toml; for a recorded decision, the panel that made it]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A request that this user might make now: the cluster is read with the configured identity
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// A role that would be asked for; any number of times
    #[arg(long = "role", value_name = "ROLE", requires = "user")]
    pub roles: Vec<String>,
    /// A resource that would be asked for; any number of times. The roles that give access to it are named with `--role`
    #[arg(long = "resource", value_name = "/CLUSTER/KIND/NAME", requires = "user")]
    pub resources: Vec<String>,
    /// For how long access would be asked for
    #[arg(long, value_name = "HOURS", requires = "user", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=8_760))]
    pub hours: u64,
    /// A case in a file
    #[arg(long, value_name = "FILE")]
    pub case: Option<PathBuf>,
    /// Which pending request of it [default: the newest]
    #[arg(long, value_name = "ID", requires = "case")]
    pub request: Option<String>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  it is explained, whatever the verdict is
  1  it cannot be: no such decision, configuration, connection or case; standard error says what to do
  2  the command line is not understood";
