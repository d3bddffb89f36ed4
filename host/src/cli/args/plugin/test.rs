//! The words of `tribunal plugin test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LimitsArgs;

/// `tribunal plugin test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Suites, and directories that have some: `suite.toml`, `NAME.suite.toml`, the same with `.yaml` and `.json` [default: .]
    #[arg(value_name = "DIR|FILES")]
    pub paths: Vec<PathBuf>,
    /// Test this plugin instead of those that the suites name
    #[arg(long, value_name = "FILE")]
    pub plugin: Option<String>,
    /// Run only cases whose name has this text in it
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Keep what is answered now as what is expected from now on, for cases that expect nothing else
    #[arg(long)]
    pub update: bool,
    /// Run again whenever a suite or a plugin changes, until it is interrupted
    #[arg(long, conflicts_with = "update")]
    pub watch: bool,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: TestFormat,
    /// Under which limits.
    #[command(flatten)]
    pub limits: LimitsArgs,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// JUnit XML, for build servers
    Junit,
    /// Test Anything Protocol, version 14
    Tap,
}
