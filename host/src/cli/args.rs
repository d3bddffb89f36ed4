//! Every command, flag and word of the command line: the one source for parsing, help and completions. It runs nothing.

mod counterexample;
mod dev;
mod doctor;
mod explain;
mod ledger;
mod plugin;
mod replay;
mod role;
mod run;
mod status;
mod torture;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::counterexample::CounterexampleArgs;
pub use self::dev::{DevAction, DevArgs, DirArgs, RequestArgs, ResolveArgs, ShowArgs};
pub use self::doctor::DoctorArgs;
pub use self::explain::ExplainArgs;
pub use self::ledger::{
    ArchiveArgs, EraseArgs, EvidenceArgs, ExportArgs, ExportForm, FilterArgs, LedgerAction, LedgerArgs, LedgerPlace,
    ListArgs, ProveArgs, ReportArgs, ShowRecordArgs, VerdictWord, VerifyArgs,
};
pub use self::plugin::{
    BenchArgs, FuzzArgs, InspectArgs, LimitsArgs, PluginAction, PluginArgs, RunPluginArgs, TestArgs, TestFormat,
};
pub use self::replay::ReplayArgs;
pub use self::role::{Only, RoleArgs, Way};
pub use self::run::{LogArgs, RunArgs};
pub use self::status::StatusArgs;
pub use self::torture::TortureArgs;

/// What every help page ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  all is well, or the daemon was asked to stop and did
  1  configuration, identity or connection are not right, or a check failed; standard error says what to do
  2  the command line is not understood
  3  `tribunal dev --once`: the scenario did not end as expected";

/// A WebAssembly policy host for Teleport just-in-time access
///
/// Follows the access requests of a Teleport cluster, asks a panel of sandboxed policies about each of them, approves,
/// denies and locks, and keeps evidence of every decision.
#[derive(Debug, Parser)]
#[command(name = "tribunal", version, after_help = EXIT_CODES, propagate_version = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a cluster's access requests and decide them
    ///
    /// Takes either a configuration file, or the flags of Teleport's sample watcher as they are, also with one dash
    /// (`-poll-interval=30s`). SIGINT and SIGTERM end it within five seconds; SIGUSR1
    /// releases its breaker.
    Run(Box<RunArgs>),
    /// Try it out: a simulated cluster, the daemon and a scenario in one process
    ///
    /// Daemon and cluster speak the same protocol as in production. With `--serve` only the simulated server runs, for
    /// a daemon of your own; the commands below act on it as its users would.
    Dev(Box<DevArgs>),
    /// Check a configuration: load it and all of its plugins, and say what was found
    Check(CheckArgs),
    /// Find out why the daemon would not work: connection, identity, rights, and everything around it
    Doctor(DoctorArgs),
    /// Print the least that Teleport has to allow a configuration: role, bot and tbot.yaml
    Role(RoleArgs),
    /// Ask a running daemon how it stands, and who holds what
    Status(StatusArgs),
    /// Write policies: inspect a plugin, test it, run, measure and fuzz it
    Plugin(Box<PluginArgs>),
    /// Look into the ledger: verify it, find decisions, show one, prove one to others
    Ledger(LedgerArgs),
    /// Attack the sandbox on this machine with a corpus of hostile policies, and judge how it holds
    Torture(TortureArgs),
    /// Make recorded decisions again: the same to the byte, or by another panel, to see what would have been otherwise
    ///
    /// Without a change, every recorded decision is made again by the very plugins, settings and limits that made it, on the
    /// case that they were shown; any answer that is not the same, byte for byte, is an alarm. With `--config`, `--set`,
    /// `--with` or `--shadow` it says which decisions would have been others: a backtest. Each decision is judged on the
    /// case as it was; what would have followed from it later is not played on. A fault of the moment (a deadline, a plugin
    /// that was not loaded) is no part of a decision, and is counted apart.
    Replay(ReplayArgs),
    /// Say why a request is decided as it is, and the smallest change with which it would pass
    ///
    /// About a decision of the ledger, a request that somebody might make of the cluster as it is now, or a case in a file.
    /// What passes is found by asking the policies themselves: the request with fewer resources, other roles, or later, in
    /// order of size. Nothing is changed anywhere; a connection only reads.
    Explain(ExplainArgs),
    /// Look for a case in which the panel approves although something that must always hold would not
    ///
    /// All small cases first, then larger ones by chance, led on by answers of new kinds; what is found is made as small as
    /// it goes, and printed as a case. Every answer is that of the plugins themselves. That nothing is found proves nothing
    /// beyond the cases that were tried.
    Counterexample(CounterexampleArgs),
    /// Say what the ledger adds up to: decisions by rule, how long they took, what is held, and for how many hours
    Report(ReportArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

/// `tribunal check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct CheckArgs {
    /// The configuration to check
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// Connect with the configured identity, and say which of the cluster's roles each class of access means
    #[arg(long)]
    pub connect: bool,
    /// End with 1 for warnings as well
    #[arg(long)]
    pub strict: bool,
    /// Allow a panel in which no plugin may approve, as `tribunal run --dry-run` does
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.command)
    }

    fn dev(line: &str) -> DevArgs {
        match parse(line).unwrap() {
            Command::Dev(args) => *args,
            Command::Run(_)
            | Command::Check(_)
            | Command::Doctor(_)
            | Command::Role(_)
            | Command::Status(_)
            | Command::Ledger(_)
            | Command::Plugin(_)
            | Command::Torture(_)
            | Command::Replay(_)
            | Command::Explain(_)
            | Command::Counterexample(_)
            | Command::Report(_)
            | Command::Completions(_) => {
                panic!("`{line}` is not `dev`")
            }
        }
    }

    #[test]
    fn the_words_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_simulated_cluster_is_played_served_and_acted_on() {
        let played = dev("tribunal dev --once --json --scenario s.toml");
        assert!(played.once && played.json && !played.serve && played.action.is_none());
        let served = dev("tribunal dev --serve --listen 127.0.0.1:0 --dir d -d");
        assert!(served.serve && served.log.debug.0 && served.listen.port() == 0);
        let requested = dev("tribunal dev request --dir d --user u --role r --resource /c/node/n --reason why");
        let Some(DevAction::Request(RequestArgs { user, roles, resources, reason, .. })) = requested.action else {
            panic!("no request")
        };
        assert_eq!((user.as_str(), reason.as_str()), ("u", "why"));
        assert_eq!((roles, resources), (vec!["r".to_owned()], vec!["/c/node/n".to_owned()]));
        let Command::Status(StatusArgs { config, health, user, json }) =
            parse("tribunal status --health http://127.0.0.1:9464 --user u --json").unwrap()
        else {
            panic!("no status")
        };
        assert_eq!((config.to_str(), user.as_deref()), (Some("tribunal.toml"), Some("u")));
        assert!(health.is_some() && json);
        for line in ["requests --dir d --json", "locks --dir d", "approve --dir d ID", "deny --dir d ID --reason no"] {
            assert!(dev(&format!("tribunal dev {line}")).action.is_some(), "{line}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for line in [
            "tribunal dev --once --serve",
            "tribunal dev --listen 127.0.0.1:1",
            "tribunal dev --once requests --dir d",
            "tribunal dev requests",
            "tribunal dev request --dir d --user u",
            "tribunal dev approve --dir d",
            "tribunal run --debug=perhaps",
            "tribunal run --log-format xml",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
