//! The thread behind every deadline: while a guest runs, wasmtime's epoch moves once a millisecond, and each evaluation looks
//! at the clock itself whenever it moved. Whoever cannot look is told on by this thread, which never ends a guest.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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

/// Somebody who is waited for until a time; whoever drops this was not late.
pub(crate) struct Watch<'a> {
    number: u64,
    running: Running<'a>,
}

struct Shared {
    engine: EngineWeak,
    running: AtomicUsize,
    stop: AtomicBool,
    watched: Mutex<Vec<Watched>>,
    next: AtomicU64,
}

/// What is done about whoever is late.
struct Watched {
    number: u64,
    until: Instant,
    late: Box<dyn FnOnce() + Send>,
}

// === impl Ticker ===

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: EngineWeak) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            engine,
            running: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            watched: Mutex::default(),
            next: AtomicU64::new(0),
        });
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

    /// Has `late` called, on the ticker's thread, unless the result is dropped by then.
    pub(crate) fn watch(&self, until: Instant, late: Box<dyn FnOnce() + Send>) -> io::Result<Watch<'_>> {
        let running = self.run()?;
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        self.shared.watched().push(Watched { number, until, late });
        Ok(Watch { number, running })
    }
}

// === impl Shared ===

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells on whoever is late.
    fn tell(&self, now: Instant) {
        let late: Vec<_> = self.watched().extract_if(.., |watched| watched.until <= now).collect();
        for Watched { late, .. } in late {
            late();
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.running.0.watched().retain(|watched| watched.number != self.number);
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
        shared.tell(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_is_late_is_told_on_and_whoever_is_not_is_not() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(engine.weak()).unwrap();
        let watch = |until| {
            let (tell, told) = mpsc::channel();
            (ticker.watch(until, Box::new(move || tell.send(()).unwrap())).unwrap(), told)
        };
        let (late, told) = watch(Instant::now());
        told.recv().unwrap();
        drop(late);
        let (punctual, told) = watch(Instant::now() + Duration::from_secs(3_600));
        drop(punctual);
        // What would tell is gone.
        assert!(told.recv().is_err());
        assert_eq!(ticker.shared.running.load(Ordering::SeqCst), 0);
    }

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
