//! The words of `tribunal dev`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tribunal_sim::Release;

use super::run::LogArgs;

/// `tribunal dev`.
#[derive(Debug, Args)]
#[command(after_help = super::EXIT_CODES, args_conflicts_with_subcommands = true)]
pub struct DevArgs {
    /// Act on a simulated server that runs elsewhere.
    #[command(subcommand)]
    pub action: Option<DevAction>,
    /// Run the scenario to its end; exit with 0 only if the final state is the expected one
    #[arg(long, conflicts_with = "serve")]
    pub once: bool,
    /// Print the final state as one JSON object; with `--serve`, where the server is
    #[arg(long)]
    pub json: bool,
    /// Run only the simulated server, until it is stopped
    #[arg(long)]
    pub serve: bool,
    /// Where the simulated server listens; port 0: any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3025", requires = "serve")]
    pub listen: SocketAddr,
    /// Where identity files go: `identity` for the daemon, `admin.identity`, and one for each user
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The users, roles, nodes, requests and faults to begin with, as TOML
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// The panel of this configuration instead of the built-in one; cluster, identity and ledger stay those of the simulation
    #[arg(long, value_name = "FILE", requires = "scenario", conflicts_with = "serve")]
    pub config: Option<PathBuf>,
    /// The release of Teleport that is simulated, 16 to 19: what it lacks is not there, and clients that are too old for it
    /// are turned away; without it, that of the scenario
    #[arg(long, value_name = "MAJOR")]
    pub teleport_version: Option<Release>,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do with a simulated server that runs elsewhere.
#[derive(Debug, Subcommand)]
pub enum DevAction {
    /// Make an access request
    Request(RequestArgs),
    /// Show all access requests
    Requests(ShowArgs),
    /// Show all locks
    Locks(ShowArgs),
    /// Approve a request, as a person would
    Approve(ResolveArgs),
    /// Deny a request, as a person would
    Deny(ResolveArgs),
}

/// Which simulated server.
#[derive(Debug, Args)]
pub struct DirArgs {
    /// The directory that `tribunal dev --serve` was given
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}

/// `tribunal dev request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Which simulated server.
    #[command(flatten)]
    pub server: DirArgs,
    /// Who asks
    #[arg(long, value_name = "USER")]
    pub user: String,
    /// A role that is asked for; can be repeated
    #[arg(long = "role", value_name = "ROLE", required_unless_present = "resources")]
    pub roles: Vec<String>,
    /// A resource that is asked for, as `/cluster/node/name`; can be repeated
    #[arg(long = "resource", value_name = "PATH")]
    pub resources: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Print the request as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal dev requests` and `tribunal dev locks`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which simulated server.
    #[command(flatten)]
    pub server: DirArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `tribunal dev approve` and `tribunal dev deny`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// Which simulated server.
    #[command(flatten)]
    pub server: DirArgs,
    /// The request's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}
