//! `conformance`: one policy in every language gives one answer. Each build of `cap` is asked about the same cases as the one
//! in Rust that ships with the host; opinions, lock orders, log lines and refused settings have to be equal, byte by byte. It
//! must never pass over a build that is not there without saying so.
//!
//! ```console
//! $ tests/languages/run target/languages
//! $ cargo run --release -p tribunal-tests --bin conformance
//! ```
//!
//! The first command builds them with the tools of their languages, each into `target/languages/LANGUAGE/cap.wasm`; the
//! second compares them, and prints size, time to compile, time of a fresh evaluation and memory of each. A difference is
//! told with the seed that finds it again.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people, whose findings are what it is for"
)]

mod builds;
mod cases;
#[path = "../soak/chance.rs"]
#[expect(dead_code, reason = "what else is left to chance, the soak needs")]
mod chance;
mod compare;
mod figures;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use self::builds::Build;

/// What is compared.
#[derive(Clone, Debug, Parser)]
#[command(name = "conformance", about = "One policy in every language gives one answer")]
struct Args {
    /// Where the builds are: `LANGUAGE/cap.wasm`
    #[arg(long, value_name = "DIR", default_value = "target/languages")]
    dir: PathBuf,
    /// Cases that each build is asked about
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    cases: u64,
    /// What the cases are made of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Languages that have to be there
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',')]
    require: Vec<String>,
    /// Compare only, and measure nothing
    #[arg(long)]
    no_figures: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that is there, and all that has to be, agrees.
fn run(args: &Args) -> Result<bool, String> {
    let (builds, missing) = builds::find(&args.dir)?;
    for language in &missing {
        println!("{language}: not compared, `{}` is not there", builds::path(&args.dir, language).display());
    }
    let mut is_good = !missing.iter().any(|language| args.require.iter().any(|required| required == language));
    let reference = compare::Asked::reference()?;
    let questions = cases::questions(args.seed, args.cases);
    for build in &builds {
        let asked = compare::Asked::of(build.clone())?;
        let differences = compare::differences(&reference, &asked, &questions);
        for difference in differences.iter().take(compare::SHOWN_MAX) {
            println!("{}: {difference} (`--seed {}`)", build.language, args.seed);
        }
        let verdict = if differences.is_empty() { "agrees" } else { "DIFFERS" };
        println!("{}: {verdict} on {} cases", build.language, questions.len());
        is_good &= differences.is_empty();
    }
    if !args.no_figures {
        println!("\n{}", figures::table(&builds)?);
    }
    Ok(is_good)
}
