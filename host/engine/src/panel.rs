//! The loaded policies in the order of the configuration, and the way in which each is asked: through its own queue, on the
//! engine's own threads. It never blocks an async worker and never lets one plugin wait for another's queue.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};
use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, FaultKind, LockOrder, Member, Mode, Opinion, PolicyName};
use tribunal_core::request::RequestId;
use tribunal_ports::Engine;

use crate::description::Description;
use crate::digest::Digest;
use crate::engine::limits::{LimitOverrides, Limits};
use crate::engine::{OpenLane, Runtime};
use crate::load::{self, LoadError, LoadProblem};
use crate::policy::Policy;

/// A plugin to be loaded.
#[derive(Clone, Debug)]
pub struct PluginSpec {
    /// What the operator calls it.
    pub name: PolicyName,
    /// The component.
    pub bytes: Vec<u8>,
    /// What the bytes must be; none: whatever they are.
    pub digest: Option<Digest>,
    /// Its settings, a JSON object.
    pub settings: String,
    /// What its answers may bring about; none: all that it declares.
    pub effects: Option<BTreeSet<Effect>>,
    /// Whether its opinions count.
    pub mode: Mode,
    /// Lower limits for it alone.
    pub limits: LimitOverrides,
}

/// What is known of a loaded policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInfo {
    /// What the operator calls it.
    pub name: PolicyName,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// What it says about itself.
    pub description: Description,
    /// The settings that it was given.
    pub settings: String,
    /// The limits that it runs under.
    pub limits: Limits,
}

/// The loaded policies. Dropping it ends its threads, each after the evaluation that it is at.
pub struct Panel {
    seats: Vec<Seat>,
}

/// A policy's place in the panel.
struct Seat {
    member: Member,
    policy: Arc<Policy>,
    lane: OpenLane,
    /// Places for evaluations of this policy, running and waiting.
    places: Arc<Semaphore>,
}

// === impl PluginSpec ===

impl PluginSpec {
    /// A plugin with empty settings, all the effects that it declares and the limits of all.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: PolicyName::new(name),
            bytes,
            digest: None,
            settings: "{}".to_owned(),
            effects: None,
            mode: Mode::Enforce,
            limits: LimitOverrides::default(),
        }
    }
}

// === impl Panel ===

impl Panel {
    /// Loads plugins: verifies, inspects, compiles, describes and configures each. Blocks, for a tenth of a second for
    /// each plugin or so.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub fn load(specs: Vec<PluginSpec>, limits: Limits) -> Result<Self, Vec<LoadError>> {
        let runtime = Runtime::start(limits)
            .map(Arc::new)
            .map_err(|error| vec![LoadError { plugin: None, problem: LoadProblem::Engine(error) }])?;
        let mut names = BTreeSet::new();
        let (mut seats, mut errors) = (Vec::new(), Vec::new());
        for spec in specs {
            let seat =
                if names.insert(spec.name.clone()) { Seat::load(&runtime, &spec) } else { Err(LoadProblem::SameName) };
            match seat {
                Ok(seat) => seats.push(seat),
                Err(problem) => errors.push(LoadError { plugin: Some(spec.name), problem }),
            }
        }
        if errors.is_empty() { Ok(Self { seats }) } else { Err(errors) }
    }

    /// The policies as the core weighs them, in the order of the configuration.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.seats.iter().map(|seat| seat.member.clone()).collect()
    }

    /// What is known of each policy, in the same order.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyInfo> {
        self.seats.iter().map(Seat::info).collect()
    }

    /// Asks a policy. The one way to a guest: waits for a place in the policy's queue, then for a thread, then for the
    /// answer.
    async fn ask<T: Send + 'static>(
        &self,
        policy: usize,
        question: impl FnOnce(&Policy, &Member) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let Some(seat) = self.seats.get(policy) else {
            return Err(unavailable(format!("the panel has no policy number {policy}")));
        };
        let place = Arc::clone(&seat.places).acquire_owned().await.map_err(|_| unavailable("its queue is closed"))?;
        let (reply, answer) = oneshot::channel();
        let (policy, member) = (Arc::clone(&seat.policy), seat.member.clone());
        seat.lane.submit(Box::new(move || {
            // Who asked has gone: nobody needs the answer.
            if reply.is_closed() {
                return;
            }
            let result = question(&policy, &member);
            drop(place);
            let _ = reply.send(result);
        }));
        answer.await.unwrap_or_else(|_| Err(unavailable("the host gave up on the evaluation: see its log")))
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.seats.iter().map(|seat| &seat.member)).finish()
    }
}

impl Engine for Panel {
    async fn review(&self, policy: usize, request: RequestId, case: Arc<Case>) -> Result<Opinion, Fault> {
        self.ask(policy, move |policy, member| policy.review(&case, &request).and_then(|opinion| member.admit(opinion)))
            .await
    }

    async fn enforce(&self, policy: usize, case: Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        self.ask(policy, move |policy, member| policy.enforce(&case).and_then(|orders| admit(member, orders))).await
    }
}

// === impl Seat ===

impl Seat {
    fn load(runtime: &Arc<Runtime>, spec: &PluginSpec) -> Result<Self, LoadProblem> {
        let limits = runtime.limits.lowered(&spec.limits).map_err(LoadProblem::Raised)?;
        let places = Semaphore::new(limits.concurrency.saturating_add(limits.queue).min(Semaphore::MAX_PERMITS));
        let lane = OpenLane::new(runtime, limits.concurrency);
        let policy = load::load(runtime, spec, &lane, limits)?;
        Ok(Self {
            member: Member { name: spec.name.clone(), effects: policy.effects.clone(), mode: spec.mode },
            policy: Arc::new(policy),
            lane,
            places: Arc::new(places),
        })
    }

    fn info(&self) -> PolicyInfo {
        PolicyInfo {
            name: self.member.name.clone(),
            digest: self.policy.digest,
            description: self.policy.description.clone(),
            settings: self.policy.settings.clone(),
            limits: self.policy.sandbox.limits.clone(),
        }
    }
}

/// Lock orders as far as they are within the grant.
fn admit(member: &Member, orders: Vec<LockOrder>) -> Result<Vec<LockOrder>, Fault> {
    if orders.is_empty() || member.effects.contains(&Effect::Lock) {
        return Ok(orders);
    }
    Err(Fault::new(FaultKind::NotGranted, "ordered a lock, which is not granted"))
}

fn unavailable(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Unavailable, detail)
}
