//! One policy alone, looked at closely: what it answers, and what each answer costs and leaves behind. For those who write
//! policies; nothing that decides about requests ever comes by here.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, LockOrder, Member, Opinion};
use tribunal_core::request::RequestId;
use wasmtime::Store;

use crate::compile::Workshop;
use crate::description::Description;
use crate::engine::config::Counting;
use crate::engine::limits::Limits;
use crate::engine::{OpenLane, Runtime};
use crate::host::Host;
use crate::host::log::LogLine;
use crate::load::{self, LoadProblem, Prepared};
use crate::panel::{self, PluginSpec, PolicyInfo};
use crate::policy::Policy;
use crate::session::{FUEL, Sandbox};

/// What an evaluation cost, and what it left behind beside its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// From the fresh instance to its answer, by the host's clock.
    pub elapsed: Duration,
    /// Bytes of memory that it held at most.
    pub memory_bytes: usize,
    /// Elements of its tables.
    pub table_elements: usize,
    /// Wasm instructions that it ran; none: they were not counted.
    pub instructions: Option<u64>,
    /// What it logged, within its limits.
    pub log: Vec<LogLine>,
    /// How many lines were beyond them.
    pub log_dropped: usize,
    /// The end of what it wrote to standard output.
    pub stdout: String,
    /// The end of what it wrote to standard error: what a panic says.
    pub stderr: String,
}

/// One policy, loaded as the daemon loads it. Calls block.
pub struct Solo {
    runtime: Arc<Runtime>,
    lane: Arc<OpenLane>,
    prepared: Arc<Prepared>,
    policy: Arc<Policy>,
    member: Member,
}

/// A policy that has described itself, and is not configured.
pub struct Introduced {
    runtime: Arc<Runtime>,
    lane: Arc<OpenLane>,
    prepared: Arc<Prepared>,
    spec: PluginSpec,
}

// === impl Traces ===

impl Traces {
    pub(crate) fn note(traces: &mut Option<&mut Self>, store: &Store<Host>, began: Instant) {
        let Some(traces) = traces else { return };
        let host = store.data();
        let (memory_bytes, table_elements) = host.meter.held();
        let (log, log_dropped) = host.log.kept();
        **traces = Self {
            elapsed: began.elapsed(),
            memory_bytes,
            table_elements,
            instructions: store.get_fuel().ok().map(|left| FUEL.saturating_sub(left)),
            log,
            log_dropped,
            stdout: host.wasi.stdout(),
            stderr: host.wasi.stderr(),
        };
    }
}

// === impl Introduced ===

impl Introduced {
    /// Asks a plugin what it is, after all that a daemon checks before.
    ///
    /// # Errors
    /// Why a daemon would not load it, whatever its settings.
    pub fn new(workshop: &Workshop, spec: PluginSpec, limits: Limits) -> Result<Self, LoadProblem> {
        Self::introduce(workshop, spec, limits, Counting::Off)
    }

    /// The same in an engine that counts instructions, and is slower.
    ///
    /// # Errors
    /// Why a daemon would not load it, whatever its settings.
    pub fn counting(workshop: &Workshop, spec: PluginSpec, limits: Limits) -> Result<Self, LoadProblem> {
        Self::introduce(workshop, spec, limits, Counting::On)
    }

    fn introduce(
        workshop: &Workshop,
        spec: PluginSpec,
        limits: Limits,
        counting: Counting,
    ) -> Result<Self, LoadProblem> {
        let own = limits.lowered(&spec.limits).map_err(LoadProblem::Raised)?;
        let runtime = Runtime::start_with(limits, counting).map(Arc::new).map_err(LoadProblem::Engine)?;
        let lane = Arc::new(OpenLane::new(&runtime, 1));
        let prepared = Arc::new(load::prepare(&runtime, workshop, &spec, &lane, own)?);
        Ok(Self { runtime, lane, prepared, spec })
    }

    /// What it says about itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.prepared.description
    }

    /// What `describe` took.
    #[must_use]
    pub fn traces(&self) -> &Traces {
        &self.prepared.traces
    }

    /// The policy with these settings, a JSON object, and these effects; none: all that it declares.
    ///
    /// # Errors
    /// That it refuses the settings, or does not declare an effect.
    pub fn configured(&self, settings: &str, effects: Option<&BTreeSet<Effect>>) -> Result<Solo, LoadProblem> {
        let policy = Arc::new(load::configure(&self.prepared, &self.lane, settings, effects)?);
        let name = self.spec.name.clone();
        let member = Member { name, effects: policy.effects.clone(), mode: self.spec.mode };
        let (runtime, lane, prepared) = (Arc::clone(&self.runtime), Arc::clone(&self.lane), Arc::clone(&self.prepared));
        Ok(Solo { runtime, lane, prepared, policy, member })
    }
}

impl fmt::Debug for Introduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Introduced").field(&self.spec.name).finish()
    }
}

// === impl Solo ===

impl Solo {
    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: self.member.name.clone(),
            digest: self.prepared.digest,
            description: self.prepared.description.clone(),
            settings: self.policy.settings.clone(),
            limits: self.prepared.sandbox.limits.clone(),
        }
    }

    /// The limits of all plugins, its own left aside.
    #[must_use]
    pub fn limits_of_all(&self) -> &Limits {
        &self.runtime.limits
    }

    /// What about this pending request?
    pub fn review(&self, case: &Arc<Case>, request: &RequestId) -> (Result<Opinion, Fault>, Traces) {
        let (case, request) = (Arc::clone(case), request.clone());
        self.ask(move |policy, member, traces| {
            policy.review_traced(&case, &request, Some(traces)).and_then(|opinion| member.admit(opinion))
        })
    }

    /// Which held requests must be locked?
    pub fn enforce(&self, case: &Arc<Case>) -> (Result<Vec<LockOrder>, Fault>, Traces) {
        let case = Arc::clone(case);
        self.ask(move |policy, member, traces| {
            policy.enforce_traced(&case, Some(traces)).and_then(|orders| panel::admit(member, orders))
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Policy, &Member, &mut Traces) -> Result<T, Fault> + Send + 'static,
    ) -> (Result<T, Fault>, Traces) {
        let (policy, member) = (Arc::clone(&self.policy), self.member.clone());
        let asked = load::on_worker(&self.lane, &self.prepared.sandbox, move |_: &Sandbox| {
            let mut traces = Traces::default();
            let answer = question(&policy, &member, &mut traces);
            Ok((answer, traces))
        });
        asked.unwrap_or_else(|problem| (Err(crate::seat::unavailable(problem.to_string())), Traces::default()))
    }
}

impl fmt::Debug for Solo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Solo").field(&self.member).finish()
    }
}
