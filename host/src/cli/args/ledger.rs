//! The words of `tribunal ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `tribunal ledger`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct LedgerArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: LedgerAction,
}

/// What to do with a ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerAction {
    /// Find out whether every record, case and plugin is what was written and signed
    ///
    /// Needs no network and no secret: recomputes every hash from the files, compares with the signed checkpoints, and names
    /// the first record that is wrong. Keep copies of the public key (`ledger.pub`) and of checkpoints elsewhere: whoever
    /// has the signing key can write another past, and only an older checkpoint shows it.
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyArgs),
    /// List decisions, oldest first
    #[command(after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show a decision, or any record, with all that belongs to it
    #[command(after_help = EXIT_CODES)]
    Show(ShowRecordArgs),
    /// Prove to others that a record is in the ledger, with a file that `verify --proof` checks
    #[command(after_help = EXIT_CODES)]
    Prove(ProveArgs),
}

/// Which ledger.
#[derive(Debug, Args)]
pub struct LedgerPlace {
    /// The ledger's directory [default: that of the configuration, or where the daemon keeps it]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The configuration of the daemon, of which `[ledger] dir` is used
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub config: Option<PathBuf>,
}

/// `tribunal ledger verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// The public key, or a file that has it [default: the one that lies in the ledger]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// An older checkpoint of this ledger: nothing that it was signed for may have changed
    #[arg(long, value_name = "CHECKPOINT-FILE")]
    pub since: Option<PathBuf>,
    /// Check this proof of one record instead of a ledger
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["dir", "config", "since"])]
    pub proof: Option<PathBuf>,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal ledger list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Which of its decisions.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The newest so many of them
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// Print the records themselves, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Which decisions.
#[derive(Debug, Default, Args)]
pub struct FilterArgs {
    /// About this user's requests
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// About this request, or locking it
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// Determined by this rule, or locking by it: `cap/over-cap`, or `over-cap`
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// Determined by a rule of this plugin, or locking by one
    #[arg(long, value_name = "NAME")]
    pub plugin: Option<String>,
    /// With this verdict
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub verdict: Option<VerdictWord>,
    /// Not before: `2026-03-01`, `2026-03-01T09:30:00Z`, or `24h` ago
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// `tribunal ledger show`.
#[derive(Debug, Args)]
pub struct ShowRecordArgs {
    /// The id of a decision, or the number of a record
    #[arg(value_name = "ID")]
    pub id: String,
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal ledger prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The id of a decision, or the number of a record
    #[arg(value_name = "ID")]
    pub id: String,
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Where the proof goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A verdict, as people type it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerdictWord {
    /// The request is approved.
    Approve,
    /// It is denied.
    Deny,
    /// It is left to people.
    Leave,
    /// No policy had anything to say.
    Nothing,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  `verify` found something wrong, or there is no such record, or it cannot be read; standard error says what
  2  the command line is not understood";
