//! The words of `tribunal counterexample`.

use std::path::PathBuf;

use clap::Args;

/// `tribunal counterexample`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct CounterexampleArgs {
    /// What must always hold, and what cases are made of: a TOML file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The configuration whose panel is asked
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// For how long it is looked for
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// What chance begins with: the same seed tries the same cases
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// How many threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Where the case goes that was found, as a case file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
}

const HELP: &str = "\
What must hold:
  [[invariant]]
  name = \"at most three\"
  held-resources-max = 3            # what the operator exempts is not counted

  [[invariant]]
  name = \"prod and research apart\"
  never-together = [\"prod\", \"research\"]    # classes, as the policy `separation` has them

  [[invariant]]
  name = \"admins only with a ticket\"
  role = \"prod-admin\"
  only-by-rule = \"ticket/ticket-approved\"

  [words]                           # beside those that follow from the invariants
  roles = [\"db-admin\"]
  resources = [\"/example.com/db/orders\"]
  facts = { tickets = [{ open = [] }, { open = [\"T-1\"] }] }

Exit codes:
  0  no counterexample was found among the cases that were tried
  1  one was found, or the file, the configuration or a plugin is wrong
  2  the command line is not understood";
