//! The words of `tribunal torture`.

use std::path::PathBuf;

use clap::Args;

/// `tribunal torture`.
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct TortureArgs {
    /// How often each guest strikes; those whose compilation is the attack no more than a few times
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rounds: u32,
    /// How many strike at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: u16,
    /// Of everything that is left to chance: the order of the attacks, random components
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Afterwards, so many components that nobody wrote: random modules, and mutations of the guests
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub random: u32,
    /// Afterwards, every component (`*.wasm`) in this directory as well, whoever made it
    #[arg(long, value_name = "DIR")]
    pub components: Option<PathBuf>,
    /// Keep all processors busy with something else meanwhile
    #[arg(long)]
    pub load: bool,
    /// Judge no times: for machines that are busy with something else
    #[arg(long)]
    pub untimed: bool,
    /// Only guests of whose names this is a part
    #[arg(long, value_name = "PART")]
    pub only: Option<String>,
    /// Say who the guests are, and attack nothing
    #[arg(long)]
    pub list: bool,
    /// Print one JSON object: `ok`, `findings`, the figures of all attacks, and `guests`, an array with those of each
    #[arg(long)]
    pub json: bool,
}

const MORE: &str = "\
Nothing but this process is attacked: no daemon, no cluster, no file. The guests sit in one panel beside `separation` and
`cap`, under the default limits, and are compiled in a process of their own, as those of a daemon are. After each attack
both are asked for a decision, which has to be the one from before. Judged are: that each guest comes to the fault that
it is declared to come to, that honest decisions stay the same, that the host does not panic, that a guest that loops
gives control back within 10 ms of its deadline and the next honest decision is there within 5 ms (99 of 100), that the
process grows by at most a guest's memory and 8 MiB, is back within a second, and leaves nothing behind.

Exit codes:
  0  all of it was contained
  1  something was not, or it could not begin; standard output says what
  2  the command line is not understood";
