//! What the sandbox costs: `cargo bench -p tribunal-tests --bench sandbox`. It must never be mistaken for a test: it says
//! figures, and judges none but ratios against those of an earlier run, where that is asked for.
//!
//! On the same input, sample by sample in turn, so that whatever else the machine does hits all alike:
//!
//! * `native`: the policy `cap` as a Rust function of this process, on a case that is there already;
//! * `bare`: the same policy as a component in the smallest wasmtime there is: no limits, no deadline, a store without data, the
//!   pooling allocator in its best configuration, the same bindings, a fresh instance for each call;
//! * `engine`: our sandbox with all of its limits, a fresh instance for each call, on this thread;
//! * `pool`: the same by the way that the daemon takes: through a queue to a thread of the engine, and back.
//!
//! Bare and engine do the same for each call: they make an instance, hand it its settings and ask it to `review`. The input is
//! the case of a user with one pending request for 1, 10, 100 or 1,000 nodes with two labels each (`testing/cases.rs`), which
//! the settings let pass: the policy looks at all of it and approves. Ratios are of medians. Decisions a second are those of
//! `engine` with 10 nodes, on one thread, for each second of its processor time.
//!
//! `-- --guest NAME=PATH` measures another component beside the built-in one, such as one in another language; `--save NAME`
//! keeps the ratios, `--compare NAME --threshold PERCENT` ends with 1 if any is worse than it was then by more than that.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program of the developers")]

mod bare;
mod baseline;
mod figures;
mod native;
mod options;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tribunal_core::case::Case;
use tribunal_core::opinion::Opinion;
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{case, pending, review_here};
use tribunal_engine::{Limits, Panel, PluginSpec};
use tribunal_ports::Engine as _;

use self::bare::Bare;
use self::baseline::Baseline;
use self::figures::{Figures, Line};
use self::options::{Guest, Options};

/// The bindings and the lowering of cases, as the engine has them.
mod bindings {
    pub(crate) mod policy {
        wasmtime::component::bindgen!({
            path: "../wit",
            world: "policy",
            imports: { default: trappable },
            ownership: Borrowing { duplicate_if_necessary: true },
        });
    }
}
#[cfg_attr(test, expect(dead_code, reason = "what its tests need, which do not run here"))]
#[path = "../../host/engine/src/convert/case.rs"]
mod lowered;

/// Nodes of the pending request, and how often each way of judging it is measured.
const SIZES: [(usize, usize); 4] = [(1, 4_000), (10, 4_000), (100, 1_000), (1_000, 200)];
/// Calls of each way before those that count.
const WARM_UP: usize = 100;
/// Guests of other languages take longer: one in so many of the samples.
const GUEST_SHARE: usize = 10;
/// Nodes of the request of which decisions a second are counted, and how many of them are made.
const RATE: (usize, usize) = (10, 100_000);
/// Settings that let all of these requests pass.
const SETTINGS: &str = r#"{"max-resources": 1000}"#;

/// A case, and the request in it.
struct Input {
    case: Arc<Case>,
    request: RequestId,
}

fn input(nodes: usize) -> Input {
    Input { case: case(vec![pending("r1", nodes)]), request: RequestId::new("r1") }
}

/// The panel of one that is measured: with the limits of the default, but for deadlines that no guest here may miss.
fn panel(guest: &Guest) -> Panel {
    let spec = PluginSpec { settings: guest.settings.clone(), ..PluginSpec::new("measured", guest.bytes.clone()) };
    let limits = Limits { deadline_ms: 10_000, setup_deadline_ms: 30_000, ..Limits::default() };
    Panel::load(vec![spec], limits).unwrap_or_else(|errors| panic!("`{}` does not load: {errors:?}", guest.name))
}

fn timed<T>(into: &mut Vec<Duration>, call: impl FnOnce() -> T) {
    let begun = Instant::now();
    black_box(call());
    into.push(begun.elapsed());
}

/// All ways in turn.
fn measure(guest: &Guest, nodes: usize, samples: usize, with_native: bool) -> Line {
    let input = input(nodes);
    let (bare, panel) = (Bare::new(&guest.bytes, &guest.settings), panel(guest));
    let native = with_native.then(|| native::Native::new(SETTINGS, &input.case));
    let engine = || review_here(&panel, 0, &input.request, &input.case).unwrap();
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pool = || {
        let answer = panel.review(0, input.request.clone(), Arc::clone(&input.case));
        waiting.block_on(answer).unwrap()
    };
    let given = engine();
    assert!(with_native <= matches!(given, Opinion::Approve(_)), "all of it is looked at and approved: {given:?}");
    let mut line = Line::new(&guest.name, nodes);
    for sample in 0..WARM_UP + samples {
        if sample == WARM_UP {
            line = Line::new(&guest.name, nodes);
        }
        if let Some(native) = &native {
            timed(&mut line.native, || native.review());
        }
        timed(&mut line.bare, || bare.review(&input.case, &input.request));
        timed(&mut line.engine, engine);
        timed(&mut line.pool, pool);
    }
    line
}

/// Nanoseconds that this thread was on a processor so far.
fn on_processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or_default()
}

/// Decisions for each second of this thread's processor time.
fn rate(guest: &Guest) -> f64 {
    let (nodes, count) = RATE;
    let (input, panel) = (input(nodes), panel(guest));
    let ask = |_| drop(black_box(review_here(&panel, 0, &input.request, &input.case)));
    (0..WARM_UP).for_each(ask);
    let before = on_processor();
    (0..count).for_each(ask);
    let took = on_processor().saturating_sub(before);
    count as f64 * 1e9 / took.max(1) as f64
}

fn main() -> ExitCode {
    let options = match Options::of(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    let cap = Guest { name: "rust".to_owned(), bytes: tribunal_plugins::CAP.to_vec(), settings: SETTINGS.to_owned() };
    let mut figures = Figures::default();
    println!("{}", Figures::head());
    for (nodes, samples) in SIZES {
        figures.add(measure(&cap, nodes, samples, true));
    }
    figures.rate = rate(&cap);
    println!("{:.0} isolated decisions a second of one core, {} nodes", figures.rate, RATE.0);
    for guest in &options.guests {
        match guest {
            Ok(guest) => {
                for (nodes, samples) in SIZES {
                    figures.add(measure(guest, nodes, samples / GUEST_SHARE, false));
                }
            }
            Err(missing) => println!("{missing}"),
        }
    }
    Baseline::of(&figures).keep(&options)
}
