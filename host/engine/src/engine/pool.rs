//! The threads that guests run on, and the order in which waiting evaluations get one: each plugin has a lane, lanes take
//! turns, and none has more threads than its limit. It never drops a job but at its own end.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tracing::error;

/// Something to run. It answers by itself, over a channel that it holds; a job that panics closes that channel.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The waiting room of one plugin; how many wait there is bounded by who submits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lane(u64);

/// Threads of our own. Dropping it ends them, each after the job that it is at.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    lanes: BTreeMap<Lane, Waiting>,
    next_lane: u64,
    /// The lane that was served last.
    turn: Option<Lane>,
    stop: bool,
}

struct Waiting {
    jobs: VecDeque<Job>,
    running: usize,
    concurrency: usize,
}

// === impl Pool ===

impl Pool {
    /// Starts `workers` threads with a stack of `stack_bytes` each.
    pub(crate) fn start(workers: usize, stack_bytes: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), wake: Condvar::new() });
        let mut pool = Self { shared, threads: Vec::with_capacity(workers) };
        for number in 0..workers {
            let shared = Arc::clone(&pool.shared);
            let builder = thread::Builder::new().name(format!("policy-{number}")).stack_size(stack_bytes);
            pool.threads.push(builder.spawn(move || work(&shared))?);
        }
        Ok(pool)
    }

    /// Opens a lane that runs at most `concurrency` jobs at a time.
    pub(crate) fn open(&self, concurrency: usize) -> Lane {
        let mut state = self.shared.lock();
        let lane = Lane(state.next_lane);
        state.next_lane = state.next_lane.saturating_add(1);
        state.lanes.insert(lane, Waiting { jobs: VecDeque::new(), running: 0, concurrency: concurrency.max(1) });
        lane
    }

    /// Closes a lane; what waits in it is dropped.
    pub(crate) fn close(&self, lane: Lane) {
        let closed = self.shared.lock().lanes.remove(&lane);
        // Outside of the lock: dropping a job wakes whoever waits for its answer.
        drop(closed);
    }

    /// Queues a job.
    pub(crate) fn submit(&self, lane: Lane, job: Job) {
        let mut state = self.shared.lock();
        let Some(waiting) = state.lanes.get_mut(&lane) else {
            drop(state);
            return;
        };
        waiting.jobs.push_back(job);
        drop(state);
        self.shared.wake.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stop = true;
        let lanes = std::mem::take(&mut state.lanes);
        drop(state);
        drop(lanes);
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("Policy worker ended by a panic");
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under this lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// The next job: of the first lane after the one served last that has a job waiting and a thread to spare.
    fn take(&mut self) -> Option<(Lane, Job)> {
        let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let ready =
            |(_, waiting): &(&Lane, &Waiting)| !waiting.jobs.is_empty() && waiting.running < waiting.concurrency;
        let lane = *self
            .lanes
            .range((after, Bound::Unbounded))
            .find(ready)
            .or_else(|| self.lanes.iter().find(ready))
            .map(|(lane, _)| lane)?;
        let waiting = self.lanes.get_mut(&lane)?;
        let job = waiting.jobs.pop_front()?;
        waiting.running += 1;
        self.turn = Some(lane);
        Some((lane, job))
    }
}

fn work(shared: &Shared) {
    let mut state = shared.lock();
    loop {
        if state.stop {
            return;
        }
        let Some((lane, job)) = state.take() else {
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            error!("Evaluation panicked in the host");
        }
        state = shared.lock();
        if let Some(waiting) = state.lanes.get_mut(&lane) {
            waiting.running = waiting.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::sync::mpsc;

    use super::*;

    const STACK_BYTES: usize = 256 * 1024;

    #[test]
    fn lanes_take_turns() {
        let pool = Pool::start(1, STACK_BYTES).unwrap();
        let (greedy, modest) = (pool.open(1), pool.open(1));
        let (gate, opened) = mpsc::channel::<()>();
        let (told, order) = mpsc::channel();
        pool.submit(greedy, Box::new(move || opened.recv().unwrap()));
        for lane in [greedy, greedy, greedy, modest] {
            let told = told.clone();
            pool.submit(lane, Box::new(move || told.send(lane).unwrap()));
        }
        gate.send(()).unwrap();
        let order: Vec<_> = order.iter().take(4).collect();
        assert_eq!(order, [modest, greedy, greedy, greedy]);
    }

    #[test]
    fn a_lane_never_has_more_threads_than_its_limit() {
        let pool = Pool::start(2, STACK_BYTES).unwrap();
        let (greedy, modest) = (pool.open(1), pool.open(1));
        let (gate, opened) = mpsc::channel::<()>();
        let (told, order) = mpsc::channel();
        let first = told.clone();
        pool.submit(
            greedy,
            Box::new(move || {
                opened.recv().unwrap();
                first.send("first").unwrap();
            }),
        );
        let second = told.clone();
        pool.submit(greedy, Box::new(move || second.send("second").unwrap()));
        pool.submit(modest, Box::new(move || told.send("modest").unwrap()));
        assert_eq!(order.recv().unwrap(), "modest");
        gate.send(()).unwrap();
        assert_eq!(order.iter().collect::<Vec<_>>(), ["first", "second"]);
    }

    #[test]
    fn a_worker_survives_a_panic() {
        let pool = Pool::start(1, STACK_BYTES).unwrap();
        let lane = pool.open(1);
        let (told, answer) = mpsc::channel();
        pool.submit(lane, Box::new(|| panic!("a panic that a test wants")));
        pool.submit(lane, Box::new(move || told.send(1).unwrap()));
        assert_eq!(answer.recv().unwrap(), 1);
    }

    #[test]
    fn what_waits_in_a_closed_lane_is_told() {
        let pool = Pool::start(1, STACK_BYTES).unwrap();
        let lane = pool.open(1);
        pool.close(lane);
        let (told, answer) = mpsc::channel::<()>();
        pool.submit(lane, Box::new(move || told.send(()).unwrap()));
        assert!(answer.recv().is_err());
    }
}
