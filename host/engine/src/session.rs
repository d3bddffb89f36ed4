//! One fresh instance, one deadline: made for a question and dropped with its answer. Nothing of it is ever used twice.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bumpalo::Bump;
use tracing::debug;
use tribunal_core::case::Case;
use tribunal_core::opinion::{Fault, FaultKind};
use tribunal_core::request::RequestId;
use wasmtime::component::Instance;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::policy::tribunal::policy::types as wit;
use crate::code::Code;
use crate::convert;
use crate::engine::config::Counting;
use crate::engine::limits::{Deadline, Limits};
use crate::engine::ticker::{Running, Ticker};
use crate::fault;
use crate::host::Host;
use crate::solo::Traces;

/// What instructions are counted down from: no deadline leaves time for as many.
pub(crate) const FUEL: u64 = u64::MAX;
/// Epochs between two looks at the clock.
const EPOCHS: u64 = 1;

/// Memory for cases that a thread keeps from one evaluation to the next.
const ARENA_KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    static ARENA: RefCell<Bump> = RefCell::new(Bump::new());
}

/// All that a guest needs to run.
pub(crate) struct Sandbox {
    pub(crate) name: Arc<str>,
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) code: Code,
    pub(crate) limits: Limits,
    pub(crate) counting: Counting,
}

/// A live instance.
struct Session<'a> {
    sandbox: &'a Sandbox,
    deadline: Deadline,
    store: Store<Host>,
    instance: Instance,
    began: Instant,
    traces: Option<&'a mut Traces>,
    /// The epoch moves while this lives.
    _running: Running<'a>,
}

/// Asks the policy what it is.
pub(crate) fn describe(sandbox: &Sandbox, traces: Option<&mut Traces>) -> Result<wit::Description, Fault> {
    let mut session = Session::open(sandbox, Deadline::Setup, None, traces)?;
    let answer = sandbox.code.describe(&mut session.store, session.instance);
    session.close("describe", answer)
}

/// Asks the policy what it thinks of its settings; the inner error holds all that it finds wrong.
pub(crate) fn try_settings(sandbox: &Sandbox, settings: &str) -> Result<Result<(), Vec<String>>, Fault> {
    let mut session = Session::open(sandbox, Deadline::Setup, None, None)?;
    let answer = sandbox.code.configure(&mut session.store, session.instance, settings);
    session.close("configure", answer)
}

/// Asks the policy about a pending request.
pub(crate) fn review(
    sandbox: &Sandbox,
    settings: &str,
    case: &Arc<Case>,
    request: &RequestId,
    traces: Option<&mut Traces>,
) -> Result<wit::Opinion, Fault> {
    let mut session = Session::open(sandbox, Deadline::Answer, Some(case), traces)?;
    session.configure(settings)?;
    let answer = with_arena(|arena| {
        let case = convert::case::case(case, arena);
        sandbox.code.review(&mut session.store, session.instance, case, request)
    });
    session.close("review", answer)
}

/// Asks the policy which held requests must be locked.
pub(crate) fn enforce(
    sandbox: &Sandbox,
    settings: &str,
    case: &Arc<Case>,
    traces: Option<&mut Traces>,
) -> Result<Vec<wit::LockOrder>, Fault> {
    let mut session = Session::open(sandbox, Deadline::Answer, Some(case), traces)?;
    session.configure(settings)?;
    let answer = with_arena(|arena| {
        let case = convert::case::case(case, arena);
        sandbox.code.enforce(&mut session.store, session.instance, case)
    });
    session.close("enforce", answer)
}

/// Lends what a case is lowered from; its memory is used again, unless it was much.
fn with_arena<T>(lower: impl FnOnce(&Bump) -> T) -> T {
    ARENA.with_borrow_mut(|arena| {
        let lowered = lower(arena);
        if arena.allocated_bytes() > ARENA_KEPT_BYTES {
            *arena = Bump::new();
        } else {
            arena.reset();
        }
        lowered
    })
}

// === impl Session ===

impl<'a> Session<'a> {
    /// A fresh instance, which has until its deadline for all that it is asked.
    fn open(
        sandbox: &'a Sandbox,
        deadline: Deadline,
        case: Option<&Arc<Case>>,
        mut traces: Option<&'a mut Traces>,
    ) -> Result<Self, Fault> {
        let running = sandbox.ticker.run().map_err(|error| {
            Fault::new(FaultKind::Unavailable, format!("there is no thread to watch its deadline: {error}"))
        })?;
        let began = Instant::now();
        let mut store = store(sandbox, deadline, case);
        if traces.is_some() {
            store.data_mut().log.keep();
        }
        match sandbox.code.instantiate(&mut store) {
            Ok(instance) => Ok(Self { sandbox, deadline, store, instance, began, traces, _running: running }),
            Err(error) => {
                Traces::note(&mut traces, &store, began);
                Err(fault_of(sandbox, &store, deadline, "instantiation", &error))
            }
        }
    }

    /// Hands over the settings, which the policy took when it was loaded.
    fn configure(&mut self, settings: &str) -> Result<(), Fault> {
        match self.sandbox.code.configure(&mut self.store, self.instance, settings) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(faults)) => {
                let first = faults.first().map_or("", String::as_str);
                let first = crate::text::clip(first, 1_024);
                Err(Fault::new(FaultKind::Settings, format!("refused the settings that it took when loaded: {first}")))
            }
            Err(error) => {
                Traces::note(&mut self.traces, &self.store, self.began);
                Err(fault_of(self.sandbox, &self.store, self.deadline, "configure", &error))
            }
        }
    }

    /// The answer, or the fault; the end of the instance in any case.
    fn close<T>(mut self, during: &str, answer: wasmtime::Result<T>) -> Result<T, Fault> {
        Traces::note(&mut self.traces, &self.store, self.began);
        let host = self.store.data();
        host.log.close();
        match answer {
            Ok(answer) => {
                for output in [host.wasi.stderr(), host.wasi.stdout()] {
                    if !output.is_empty() {
                        debug!(policy.id = %self.sandbox.name, output, "Policy printed");
                    }
                }
                Ok(answer)
            }
            Err(error) => Err(fault_of(self.sandbox, &self.store, self.deadline, during, &error)),
        }
    }
}

fn fault_of(
    sandbox: &Sandbox,
    store: &Store<Host>,
    deadline: Deadline,
    during: &str,
    error: &wasmtime::Error,
) -> Fault {
    fault::classify(error, store.data(), &sandbox.limits, deadline, during)
}

/// A store with all limits armed.
fn store(sandbox: &Sandbox, deadline: Deadline, case: Option<&Arc<Case>>) -> Store<Host> {
    let limits = &sandbox.limits;
    let mut store = Store::new(&sandbox.wasm, Host::new(&sandbox.name, limits, case));
    store.limiter(|host| &mut host.meter);
    store.set_hostcall_fuel(limits.hostcall_bytes_max);
    if sandbox.counting == Counting::On {
        // Without fuel at all the very first instruction traps, which then shows.
        let _ = store.set_fuel(FUEL);
    }
    let deadline = Instant::now() + Duration::from_millis(deadline.ms(limits));
    store.set_epoch_deadline(EPOCHS);
    // The clock decides, not the number of ticks: a ticker that gets little time makes a deadline coarser, not longer.
    store.epoch_deadline_callback(move |_| {
        let late = Instant::now() >= deadline;
        Ok(if late { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(EPOCHS) })
    });
    store
}
