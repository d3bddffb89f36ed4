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
    /// Hand decisions over to other systems: SIEM, spreadsheet, data lake
    ///
    /// Prints one event for each decision, with what became of it, oldest first: as JSON lines (the records themselves, with
    /// what they refer to), CSV, OCSF (class 3005, User Access Management, version 1.5.0) or CEF.
    #[command(after_help = EXIT_CODES)]
    Export(ExportArgs),
    /// Make a bundle of evidence for an auditor: records, proofs, cases and plugins, which can be checked offline
    ///
    /// The bundle is a directory that is complete in itself. `verify --bundle` checks it with the public key alone. With
    /// `--user` or `--request`, it has the decisions about them and what became of those; with a time alone, every record.
    #[command(after_help = EXIT_CODES)]
    Evidence(EvidenceArgs),
    /// Move old segments to a place of their own, or remove them, with the hashes that vouch for them left behind
    ///
    /// Only segments that are complete, signed for, as they were written, and of which no decision is open. The place is a
    /// ledger of its own for `list`, `show` and `verify`. That it was done is a record itself.
    #[command(after_help = EXIT_CODES)]
    Archive(ArchiveArgs),
    /// What the ledger adds up to; the same as `tribunal report`
    #[command(after_help = EXIT_CODES)]
    Report(ReportArgs),
    /// Erase what is personal of a user: the words of requests and reviews, and what policies were shown
    ///
    /// Destroys the key that it was sealed with, wherever copies of the ledger lie: nobody can read it again, while every
    /// hash and signature still holds. Who, when, what and why stay in the records. Copies of `keys/` in backups have to be
    /// destroyed as well. That it was done is a record itself.
    #[command(after_help = EXIT_CODES)]
    Erase(EraseArgs),
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
    /// Check this bundle of evidence instead of a ledger
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dir", "config", "since", "proof"])]
    pub bundle: Option<PathBuf>,
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
    /// Which decisions.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// The newest so many of them
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// Print the records themselves, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `tribunal ledger export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// In which form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = ExportForm::Jsonl)]
    pub format: ExportForm,
    /// Which decisions.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Where it goes; must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A form of other systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// The records themselves, one JSON object a line.
    Jsonl,
    /// For spreadsheets: RFC 4180, with a head.
    Csv,
    /// Open Cybersecurity Schema Framework, one JSON object a line.
    Ocsf,
    /// Common Event Format, one event a line.
    Cef,
}

/// `tribunal ledger archive`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["to", "remove", "check"]))]
pub struct ArchiveArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Segments all of whose records are from before: `2026-03-01`, `2026-03-01T09:30:00Z`, or `9600h` ago
    #[arg(long, value_name = "TIME")]
    pub before: String,
    /// Where they go; what is archived there already is added to
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Remove them for ever
    #[arg(long)]
    pub remove: bool,
    /// Only say what would go
    #[arg(long)]
    pub check: bool,
    /// Print what was done as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal report`, and `tribunal ledger report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Not before: `2026-03-01`, `2026-03-01T09:30:00Z`, or `24h` ago
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// A policy whose denials and locks are separation of duties; may be repeated [default: separation]
    #[arg(long, value_name = "POLICY")]
    pub separation: Vec<String>,
    /// What happened to the daemon itself: identities, configuration, panels, breaker, quarantines, overrides, starts and
    /// stops
    #[arg(long = "self", conflicts_with_all = ["html", "separation"])]
    pub itself: bool,
    /// Write a page with plots into this file, which opens offline
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal ledger evidence`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("question").required(true).multiple(true).args(["user", "request", "from", "to"]))]
pub struct EvidenceArgs {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Decisions about this user's requests
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Decisions about this request, or locking it
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// Not before: `2026-03-01`, `2026-03-01T09:30:00Z`, or `24h` ago
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Before
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// The directory to make
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print what is in it as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which decisions; all that is given must fit.
#[derive(Clone, Debug, Default, Args)]
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

/// `tribunal ledger erase`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// Whose
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Do it; without it only says what would be erased
    #[arg(long)]
    pub yes: bool,
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// Print what was done as one JSON object
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
