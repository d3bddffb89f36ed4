//! What can go wrong around a simulated cluster, each with what to do about it. It must never hide a cause.

use std::path::PathBuf;
use std::time::Duration;

use tribunal_sim::{InvalidScenario, StartError};

/// Why a subcommand of `tribunal dev` failed.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A file or directory cannot be read or written.
    #[error("cannot {verb} `{}`: {source}; {remedy}", path.display())]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The scenario file is larger than any that is read.
    #[error("scenario `{}` is larger than {bytes_max} bytes; split it", path.display())]
    ScenarioTooLarge {
        /// Which.
        path: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// The scenario cannot be used; a line for each fault.
    #[error("{}", of_scenario(path.as_ref(), invalid))]
    Scenario {
        /// Which; none: the built-in one.
        path: Option<PathBuf>,
        /// All its faults.
        invalid: InvalidScenario,
    },
    /// The server did not start.
    #[error("the simulated cluster did not start: {0}")]
    Start(#[from] StartError),
    /// Nothing is served from this directory.
    #[error(
        "`{}` has no file `address`: {source}; point `--dir` at the directory of a running `tribunal dev --serve`",
        dir.display()
    )]
    NotServed {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file `address` says something else.
    #[error("`{}` is no address: `{text}`; start `tribunal dev --serve` anew, which writes it", path.display())]
    Address {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// The user has no identity file.
    #[error("there is no user `{user}`; {}", have(users))]
    NoSuchUser {
        /// Who was meant.
        user: String,
        /// Who has an identity file.
        users: Vec<String>,
    },
    /// The server cannot be reached with this identity.
    #[error("cannot reach the simulated cluster: {0}; is `tribunal dev --serve` still running?")]
    Unreachable(String),
    /// The server turned a call down.
    #[error("`{user}` cannot {what}: {cause}")]
    Refused {
        /// Who asked.
        user: String,
        /// For what.
        what: &'static str,
        /// The server's words.
        cause: String,
    },
    /// A text is no resource id.
    #[error("resource `{0}` is not understood; write it as `/cluster/kind/name`, such as `/dev/node/node-1`")]
    Resource(String),
    /// A text names no request, or more than one.
    #[error("`{id}` names {count} requests; give the whole id, as `tribunal dev requests --json` shows it")]
    Ambiguous {
        /// What was given.
        id: String,
        /// How many it may mean.
        count: usize,
    },
    /// The directory has the ledger of an earlier cluster.
    #[error("`{}` is there already; choose another directory, or remove it", .0.display())]
    LedgerThere(PathBuf),
    /// The ledger cannot be read.
    #[error("the ledger: {0}")]
    Ledger(#[from] tribunal_ledger::ReadError),
    /// Something that has to happen did not.
    #[error("nothing was decided about {what} within {} s; the daemon's log says why (set `RUST_LOG=info`)", after.as_secs())]
    TooLate {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// The daemon could not be put together, or ended by itself.
    #[error("the daemon: {0}")]
    Daemon(String),
    /// A stop was asked for before the scenario had ended.
    #[error("interrupted before the scenario had ended")]
    Interrupted,
    /// What we have to say cannot be written.
    #[error("cannot write the output: {0}")]
    Output(std::io::Error),
}

fn of_scenario(path: Option<&PathBuf>, invalid: &InvalidScenario) -> String {
    let name = path.map_or_else(|| "the built-in scenario".to_owned(), |path| format!("scenario `{}`", path.display()));
    let lines: Vec<String> = invalid.problems.iter().map(|problem| format!("{name}: {problem}")).collect();
    lines.join("\n")
}

fn have(users: &[String]) -> String {
    if users.is_empty() {
        return "the directory has no `USER.identity` at all: point `--dir` at that of `tribunal dev --serve`"
            .to_owned();
    }
    let named: Vec<String> = users.iter().map(|user| format!("`{user}`")).collect();
    format!("choose one of {}", named.join(", "))
}
