//! The thread behind every deadline: while a guest runs, wasmtime's epoch moves once a millisecond. It never decides that
//! a guest is late; each evaluation looks at the clock itself whenever the epoch moved.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::EngineWeak;

/// The time between two steps of the epoch.
const TICK: Duration = Duration::from_millis(1);
/// Steps without any evaluation after which the thread rests until the next one.
const IDLE_TICKS_MAX: u32 = 100;

/// Moves the epoch while evaluations run. Dropping it stops the thread.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Mutex<JoinHandle<()>>,
}

/// An evaluation under way; while one exists, the epoch moves.
pub(crate) struct Running<'a>(&'a Shared);

struct Shared {
    engine: EngineWeak,
    running: AtomicUsize,
    stop: AtomicBool,
}

// === impl Ticker ===

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: EngineWeak) -> io::Result<Self> {
        let shared = Arc::new(Shared { engine, running: AtomicUsize::new(0), stop: AtomicBool::new(false) });
        let thread = Mutex::new(spawn(&shared)?);
        Ok(Self { shared, thread })
    }

    /// Says that an evaluation begins. INVARIANT: while the result lives, there is a thread that moves the epoch; one
    /// that died is replaced here, since without it no deadline would ever be noticed.
    pub(crate) fn run(&self) -> io::Result<Running<'_>> {
        let first = self.shared.running.fetch_add(1, Ordering::SeqCst) == 0;
        let running = Running(&self.shared);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_finished() {
            *thread = spawn(&self.shared)?;
        } else if first {
            thread.thread().unpark();
        }
        drop(thread);
        Ok(running)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread holds nothing of ours but `shared` and ends by itself; waiting for it would serve nobody.
        thread.thread().unpark();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn spawn(shared: &Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    thread::Builder::new().name("policy-ticker".into()).spawn(move || tick(&shared))
}

fn tick(shared: &Shared) {
    let mut idle_ticks = 0_u32;
    while !shared.stop.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) > 0 {
            idle_ticks = 0;
        } else if idle_ticks < IDLE_TICKS_MAX {
            idle_ticks += 1;
        } else {
            // A beginning evaluation that we did not see has left its token: then this returns at once.
            thread::park();
            idle_ticks = 0;
            continue;
        }
        thread::sleep(TICK);
        let Some(engine) = shared.engine.upgrade() else { return };
        engine.increment_epoch();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_ticker_that_died_is_replaced_before_the_next_evaluation() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(engine.weak()).unwrap();
        ticker.shared.stop.store(true, Ordering::SeqCst);
        while !ticker.thread.lock().unwrap().is_finished() {
            ticker.thread.lock().unwrap().thread().unpark();
            thread::yield_now();
        }
        ticker.shared.stop.store(false, Ordering::SeqCst);
        let running = ticker.run().unwrap();
        assert!(!ticker.thread.lock().unwrap().is_finished());
        drop(running);
        assert_eq!(ticker.shared.running.load(Ordering::SeqCst), 0);
    }
}
