//! `tribunal counterexample`: looks for a case in which the panel approves what must not be, and prints it. It changes
//! nothing, and connects nowhere.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use tribunal_core::request::UserName;
use tribunal_engine::{Asking, Panel, crew};
use tribunal_ledger::schema;

use super::args::CounterexampleArgs;
use super::ledger::print;
use super::{EXIT_ERROR, progress, report};
use crate::assembly;
use crate::config::{Config, Overrides};
use crate::counterexample::{self, Bench, Counterexample, Guards, Invariants, Outcome, Search, Words};
use crate::health::plain;
use crate::workbench;

/// The longest file of invariants, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What is searched, and for how long.
struct Hunt {
    panel: Panel,
    guards: Guards,
    invariants: Invariants,
    words: Words,
    seed: u64,
    threads: usize,
    time: Duration,
}

pub(super) async fn counterexample(args: CounterexampleArgs) -> anyhow::Result<ExitCode> {
    let cannot = || format!("`{}` cannot be used", args.file.display());
    let length = std::fs::metadata(&args.file).with_context(cannot)?.len();
    anyhow::ensure!(length <= FILE_BYTES_MAX, "`{}` is too long: {length} bytes", args.file.display());
    let text = std::fs::read_to_string(&args.file).with_context(cannot)?;
    let (invariants, words) = counterexample::parse(&text).map_err(|why| anyhow::anyhow!(why)).with_context(cannot)?;
    let config = Config::load(&args.config, &Overrides { dry_run: true, ..Overrides::default() })?;
    let threads = match args.threads {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let panel = Box::pin(assembly::load_for_crew(&config, threads)).await;
    let panel = panel.map_err(|errors| anyhow::anyhow!(errors.join("\n")))?;
    let guards = Guards {
        own_user: UserName::new(""),
        protected_roles: config.protected_roles.clone(),
        scope: config.scope.clone(),
    };
    let hunt =
        Hunt { panel, guards, invariants, words, seed: args.seed, threads, time: Duration::from_secs(args.seconds) };
    let outcome = tokio::task::spawn_blocking(move || hunt.search()).await.context("a bug; please report it")??;
    say(&args, &outcome)
}

fn say(args: &CounterexampleArgs, outcome: &Outcome) -> anyhow::Result<ExitCode> {
    let Outcome { found, tried, all_small, kinds } = outcome;
    let case = found.as_ref().map(|found| case_file(found)).transpose()?;
    if let (Some(case), Some(path)) = (&case, &args.out) {
        std::fs::write(path, case).with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    if args.json {
        let found = found.as_ref().map(|found| {
            json!({
                "invariant": found.broken.invariant,
                "what": found.broken.what,
                "request": found.request.as_str(),
                "case": schema::Case::from(&found.case),
                "evaluations": found.hearing.evaluations.iter().map(schema::Evaluation::from).collect::<Vec<_>>(),
                "enforcements": found.hearing.enforcements.iter().map(schema::Enforcement::from).collect::<Vec<_>>(),
            })
        });
        let ok = found.is_none();
        print(&format!(
            "{}\n",
            json!({ "ok": ok, "tried": tried, "all_small": all_small, "kinds": kinds, "found": found })
        ))?;
    } else if let (Some(case), None) = (&case, &args.out) {
        print(case)?;
    } else if case.is_none() {
        let small = if *all_small { "all small ones" } else { "not even all small ones: give it more `--seconds`" };
        print(&format!("no counterexample in {tried} cases ({small}), with answers of {kinds} kinds\n"))?;
    }
    let Some(Counterexample { broken, .. }) = found.as_deref() else { return Ok(ExitCode::SUCCESS) };
    let (invariant, what) = (plain(&broken.invariant), plain(&broken.what));
    report::say(&[format!(
        "the panel approves, and `{invariant}` does not hold any more: {what} (after {tried} cases)"
    )]);
    Ok(ExitCode::from(EXIT_ERROR))
}

/// The case as a file of `tribunal plugin run` and `tribunal explain --case`.
fn case_file(found: &Counterexample) -> anyhow::Result<String> {
    let Counterexample { case, request, broken, hearing: _ } = found;
    let mut short = workbench::case::short(case);
    short.insert("name".to_owned(), Value::from(format!("{}: {}", broken.invariant, broken.what)));
    short.insert("request".to_owned(), Value::from(request.as_str()));
    Ok(format!("{}\n", serde_json::to_string_pretty(&short)?))
}

// === impl Hunt ===

impl Hunt {
    fn search(&self) -> anyhow::Result<Outcome> {
        let members = self.panel.members();
        let bench = Bench { members: &members, guards: Some(&self.guards) };
        let (began, enough, tried) = (Instant::now(), AtomicBool::new(false), AtomicU64::new(0));
        let next = std::sync::atomic::AtomicUsize::new(0);
        let so_far = || {
            let tried = tried.load(Ordering::Relaxed);
            (began.elapsed().as_secs_f64() / self.time.as_secs_f64(), format!("{tried} cases"))
        };
        let outcomes = progress::during(so_far, || {
            crew(self.threads, |hand| {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Self { panel, invariants, words, seed, threads, .. } = self;
                let search = Search { bench, invariants, words, seed: *seed, share: (place, *threads) };
                let outcome = search.run(&mut Asking { panel, hand }, || {
                    tried.fetch_add(1, Ordering::Relaxed);
                    enough.load(Ordering::Relaxed) || began.elapsed() >= self.time
                });
                if outcome.found.is_some() {
                    enough.store(true, Ordering::Relaxed);
                }
                outcome
            })
        });
        let outcomes = outcomes.context("no threads can be started")?;
        let mut whole = Outcome { found: None, tried: 0, all_small: true, kinds: 0 };
        for Outcome { found, tried, all_small, kinds } in outcomes {
            whole.found = whole.found.or(found);
            whole.tried += tried;
            whole.all_small &= all_small;
            whole.kinds = whole.kinds.max(kinds);
        }
        Ok(whole)
    }
}
