//! The words of `tribunal plugin new` and `tribunal plugin build`.

use std::path::PathBuf;

use clap::Args;

use crate::authoring::Language;
use crate::authoring::scaffold::{Kind, Name};

/// `tribunal plugin new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Language,
    /// What it is about
    #[arg(long, value_name = "KIND", default_value = "both")]
    pub kind: Kind,
    /// Where the project goes [default: a directory of the policy's name]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// What the policy is called: lower case words joined by `-`
    #[arg(value_name = "NAME")]
    pub name: Name,
}

/// `tribunal plugin build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Print what was built as one JSON object
    #[arg(long)]
    pub json: bool,
    /// The project
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// What the help page of `tribunal plugin build` ends with.
pub(in crate::cli::args) const BUILD_NOTES: &str = "\
The tools are those of the language, in the versions that the project pins (package-lock.json, requirements.txt, …). What comes
from a registry of JavaScript goes into node_modules, what comes from Python's into a directory beside this user's other caches,
or into $TRIBUNAL_TOOLS_DIR. C is compiled with Zig, or with the wasi-sdk at $WASI_SDK_PATH.

Exit codes:
  0  the plugin is built, and a daemon would load it
  1  it is not; standard error says what is missing or wrong, and what to do
  2  the command line is not understood";
