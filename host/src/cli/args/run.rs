//! The words of `tribunal run`; those of Teleport's sample watcher keep their meanings.

use std::path::PathBuf;

use clap::Args;

use crate::config::{GoBool, GoFlags, Overrides};
use crate::telemetry::Format;

/// `tribunal run`.
#[derive(Debug, Args)]
#[command(
    after_help = super::EXIT_CODES,
    args_override_self = true
)]
pub struct RunArgs {
    /// The configuration; not together with the flags that it makes superfluous
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_resources", "poll_interval", "conflict_patterns",
        "resource_limit", "role_conflicts"])]
    pub config: Option<PathBuf>,
    /// The address of the cluster, such as `auth.example.com:3025`; counts more than the configuration
    #[arg(short, long, value_name = "ADDR", help_heading = WATCHER)]
    pub proxy: Option<String>,
    /// The identity file that Machine ID's `tbot` writes; counts more than the configuration
    #[arg(short, long, alias = "identity-file", value_name = "FILE", help_heading = WATCHER)]
    pub identity: Option<PathBuf>,
    /// How many resources a user holds at most [default: 3]
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, help_heading = WATCHER)]
    pub max_resources: Option<String>,
    /// The time between two full lists, at least 1s [default: 30s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = WATCHER)]
    pub poll_interval: Option<String>,
    /// Patterns of role names of which a user never holds two; can be repeated [default: prod,research]
    #[arg(long, value_name = "A,B", help_heading = WATCHER)]
    pub conflict_patterns: Vec<String>,
    /// Whether the limit of resources is on [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = WATCHER)]
    pub resource_limit: Option<String>,
    /// Whether conflicting roles are looked for [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        help_heading = WATCHER)]
    pub role_conflicts: Option<String>,
    /// Decide and record, but change nothing in the cluster
    #[arg(long)]
    pub dry_run: bool,
    /// Where the ledger is; counts more than the configuration [default: the user's or systemd's state directory]
    #[arg(long, value_name = "DIR")]
    pub ledger_dir: Option<PathBuf>,
    /// Release the breaker, if it tripped in an earlier run, once this daemon acts
    #[arg(long)]
    pub release_breaker: bool,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

const WATCHER: &str = "As Teleport's sample watcher has it";

/// How to log.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Log more; `RUST_LOG` counts more than this
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        default_value = "false", hide_default_value = true, hide_possible_values = true)]
    pub debug: GoBool,
    /// The form of the log, on standard error
    #[arg(long, value_enum, value_name = "FORM", default_value = "text")]
    pub log_format: Format,
}

// === impl RunArgs ===

impl RunArgs {
    /// What stands beside a configuration file.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides {
            address: self.proxy.clone(),
            identity_file: self.identity.clone(),
            ledger_dir: self.ledger_dir.clone(),
            dry_run: self.dry_run,
        }
    }

    /// What stands for a configuration file.
    #[must_use]
    pub fn go_flags(&self) -> GoFlags {
        let Self {
            config: _, // there is none
            proxy,
            identity,
            max_resources,
            poll_interval,
            conflict_patterns,
            resource_limit,
            role_conflicts,
            dry_run,
            ledger_dir,
            release_breaker: _, // is no setting
            log: _,             // has been used already
        } = self;
        GoFlags {
            proxy: proxy.clone(),
            identity: identity.clone(),
            max_resources: max_resources.clone(),
            poll_interval: poll_interval.clone(),
            conflict_patterns: conflict_patterns.clone(),
            resource_limit: resource_limit.clone(),
            role_conflicts: role_conflicts.clone(),
            ledger_dir: ledger_dir.clone(),
            dry_run: *dry_run,
        }
    }
}
