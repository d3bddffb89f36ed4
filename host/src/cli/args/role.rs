//! The words of `tribunal role`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tribunal_core::action::ResolveWith;

use crate::role::RoleName;

/// `tribunal role`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct RoleArgs {
    /// The configuration; its plugins are loaded, nobody is connected to
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// How requests are resolved; where nothing is said, as `resolve-with` in `[teleport]` says
    #[arg(long, value_name = "WAY")]
    pub resolve_with: Option<Way>,
    /// What the role and the bot are called
    #[arg(long, value_name = "NAME", default_value_t)]
    pub name: RoleName,
    /// The role of a rehearsal, which looks and never acts
    #[arg(long)]
    pub dry_run: bool,
    /// Print one of the two files alone
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub only: Option<Only>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How requests are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// Outright, past review thresholds; in any edition
    State,
    /// By one review, beside those of people; in editions that have reviews
    Review,
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Only {
    /// Roles and bot, for `tctl create -f`
    Cluster,
    /// `tbot.yaml`
    Tbot,
}

// === impl Way ===

impl From<Way> for ResolveWith {
    fn from(way: Way) -> Self {
        match way {
            Way::State => Self::State,
            Way::Review => Self::Review,
        }
    }
}

const EXAMPLE: &str = "\
Example:
  tribunal role --only cluster > role.yaml && tctl create -f role.yaml
  tribunal role --only tbot > tbot.yaml
  tctl bots instances add tribunal    # prints the token that tbot.yaml wants

Exit codes:
  0  printed
  1  the configuration or a plugin is not right; standard error says what to do
  2  the command line is not understood";
