//! What all policies share: the configured wasmtime, the ticker behind every deadline, the threads that guests run on.
//! It knows nothing of panels and settings, and never runs a guest on a thread that is not its own.

pub(crate) mod config;
pub(crate) mod limits;
pub(crate) mod pool;
pub(crate) mod ticker;

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use self::config::Counting;
use self::limits::Limits;
use self::pool::{Job, Lane, Pool};
use self::ticker::Ticker;
use crate::bindings::{inert, policy};
use crate::host::Host;
use crate::host::log::Log;
use crate::host::wasi::Wasi;

/// Everything that a panel shares with the one that replaces it. Dropping it stops its threads.
pub(crate) struct Runtime {
    pub(crate) limits: Limits,
    pub(crate) counting: Counting,
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) linker: Linker<Host>,
    pub(crate) ticker: Arc<Ticker>,
    pub(crate) pool: Pool,
}

/// A plugin's lane, open while this lives.
pub(crate) struct OpenLane {
    runtime: Arc<Runtime>,
    lane: Lane,
}

// === impl Runtime ===

impl Runtime {
    /// Starts the engine and its threads.
    ///
    /// # Errors
    /// A sentence that says what could not be started.
    pub(crate) fn start(limits: Limits) -> Result<Self, String> {
        Self::start_with(limits, Counting::Off)
    }

    /// The same, and perhaps counting instructions.
    pub(crate) fn start_with(limits: Limits, counting: Counting) -> Result<Self, String> {
        limits.check()?;
        let wasm = config::engine(&limits, counting)?;
        let linker = link(&wasm).map_err(|error| format!("cannot prepare the imports: {error:#}"))?;
        let ticker = Ticker::start(wasm.weak()).map_err(|error| format!("cannot start the ticker: {error}"))?;
        let pool = Pool::start(limits.workers(), limits.worker_stack_bytes())
            .map_err(|error| format!("cannot start the workers: {error}"))?;
        Ok(Self { limits, counting, wasm, linker, ticker: Arc::new(ticker), pool })
    }
}

// === impl OpenLane ===

impl OpenLane {
    /// A lane that runs at most `concurrency` jobs at a time.
    pub(crate) fn new(runtime: &Arc<Runtime>, concurrency: usize) -> Self {
        Self { runtime: Arc::clone(runtime), lane: runtime.pool.open(concurrency) }
    }

    /// Queues a job.
    pub(crate) fn submit(&self, job: Job) {
        self.runtime.pool.submit(self.lane, job);
    }
}

impl Drop for OpenLane {
    fn drop(&mut self) {
        self.runtime.pool.close(self.lane);
    }
}

/// The imports that exist; what is not here cannot be linked, whatever the inspection of imports let through.
fn link(wasm: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(wasm);
    policy::Policy::add_to_linker::<Host, HasSelf<Log>>(&mut linker, |host| &mut host.log)?;
    inert::Inert::add_to_linker::<Host, HasSelf<Wasi>>(&mut linker, |host| &mut host.wasi)?;
    Ok(linker)
}
