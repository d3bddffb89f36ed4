//! The loaded policies in the order of the configuration. It knows how a panel is put together, and never what an answer
//! means.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, FaultKind, LockOrder, Member, Mode, Opinion, PanelId, PolicyName};
use tribunal_core::request::RequestId;
use tribunal_ports::Engine;

use crate::compile::Workshop;
use crate::description::Description;
use crate::digest::Digest;
use crate::engine::Runtime;
use crate::engine::limits::{LimitOverrides, Limits};
use crate::load::{LoadError, LoadProblem};
use crate::policy::Policy;
use crate::seat::{Occupant, PolicyHealth, Seat, Taken, unavailable};

/// A plugin to be loaded.
#[derive(Clone, Debug)]
pub struct PluginSpec {
    /// What the operator calls it.
    pub name: PolicyName,
    /// The component.
    pub bytes: Vec<u8>,
    /// Why there are no bytes: such a plugin does not load, for this reason.
    pub unread: Option<String>,
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

/// Threads that load plugins, that of the caller among them. Of those that have to be compiled each waits for its turn.
const LOADERS_MAX: usize = 8;

/// The loaded policies. Dropping it ends its threads, each after the evaluation that it is at.
pub struct Panel {
    runtime: Arc<Runtime>,
    seats: Vec<Seat>,
    /// What names it in the ledger, if it is kept there.
    id: Option<PanelId>,
}

/// What came of loading a plugin.
type Loaded = Result<Arc<Occupant>, LoadProblem>;

// === impl PluginSpec ===

impl PluginSpec {
    /// A plugin with empty settings, all the effects that it declares and the limits of all.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: PolicyName::new(name),
            bytes,
            unread: None,
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
    /// Loads plugins of one's own, all of them or none, and compiles them in this process.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub fn load(specs: Vec<PluginSpec>, limits: Limits) -> Result<Self, Vec<LoadError>> {
        Self::load_in(&Workshop::here(), specs, limits)
    }

    /// Loads plugins, all of them or none: verifies, inspects, compiles, describes and configures each. Blocks, for a
    /// tenth of a second for each plugin or so where none is in the workshop's cache.
    ///
    /// # Errors
    /// All that is wrong with any of them.
    pub fn load_in(workshop: &Workshop, specs: Vec<PluginSpec>, limits: Limits) -> Result<Self, Vec<LoadError>> {
        match Self::assemble(workshop, specs, limits, None) {
            Ok((panel, errors)) if errors.is_empty() => Ok(panel),
            Ok((_panel, errors)) => Err(errors),
            Err(error) => Err(vec![error]),
        }
    }

    /// Loads plugins as far as they can be: the seat of one that cannot is vacant, and its every answer a fault. What is
    /// the same as in the panel `before` is taken over with all that it remembers, and so are the engine's threads.
    /// Blocks, as [`Self::load_in`] does.
    ///
    /// # Errors
    /// That the engine itself does not start.
    pub fn assemble(
        workshop: &Workshop,
        specs: Vec<PluginSpec>,
        limits: Limits,
        before: Option<&Self>,
    ) -> Result<(Self, Vec<LoadError>), LoadError> {
        let before = before.filter(|before| before.runtime.limits == limits);
        let runtime = match before {
            Some(before) => Arc::clone(&before.runtime),
            None => Runtime::start(limits)
                .map(Arc::new)
                .map_err(|error| LoadError { plugin: None, problem: LoadProblem::Engine(error) })?,
        };
        let mut names = BTreeSet::new();
        let known = |spec: &PluginSpec| {
            if names.insert(spec.name.clone()) {
                before.and_then(|before| before.occupant(spec)).map(Ok)
            } else {
                Some(Err(LoadProblem::SameName))
            }
        };
        let known = specs.iter().map(known).collect();
        let loaded = load_all(&runtime, workshop, &specs, known);
        let (mut seats, mut errors) = (Vec::new(), Vec::new());
        for (spec, loaded) in specs.into_iter().zip(loaded) {
            let PluginSpec { name, effects, mode, .. } = spec;
            let (effects, taken) = match loaded {
                Ok(occupant) => (occupant.policy.effects.clone(), Taken::By(occupant)),
                Err(problem) => {
                    let why = problem.to_string();
                    errors.push(LoadError { plugin: Some(name.clone()), problem });
                    // What it would declare is not known: it might object to anything.
                    (effects.unwrap_or_else(|| Effect::ALL.into()), Taken::Vacant { why })
                }
            };
            seats.push(Seat { member: Member { name, effects, mode }, taken });
        }
        Ok((Self { runtime, seats, id: None }, errors))
    }

    /// The plugin that loading `spec` would give again.
    fn occupant(&self, spec: &PluginSpec) -> Option<Arc<Occupant>> {
        let seat = self.seats.iter().find(|seat| seat.member.name == spec.name)?;
        match &seat.taken {
            Taken::By(occupant) if occupant.is(spec, &self.runtime.limits) => Some(Arc::clone(occupant)),
            Taken::By(_) | Taken::Vacant { .. } => None,
        }
    }

    /// The same panel, which the ledger keeps by this name.
    #[must_use]
    pub fn kept_as(self, id: PanelId) -> Self {
        Self { id: Some(id), ..self }
    }

    /// What names it in the ledger; none: it is not kept there.
    #[must_use]
    pub const fn id(&self) -> Option<&PanelId> {
        self.id.as_ref()
    }

    /// The policies as the core weighs them, in the order of the configuration.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.seats.iter().map(|seat| seat.member.clone()).collect()
    }

    /// What is known of each policy that is loaded, in the same order.
    #[must_use]
    pub fn policies(&self) -> Vec<PolicyInfo> {
        self.seats.iter().filter_map(Seat::info).collect()
    }

    /// How each policy stands, in the order of the configuration.
    #[must_use]
    pub fn health(&self) -> Vec<PolicyHealth> {
        self.seats.iter().map(Seat::health).collect()
    }

    /// Whether it is, seat by seat, the very same as this one.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.runtime, &other.runtime)
            && self.seats.len() == other.seats.len()
            && self.seats.iter().zip(&other.seats).all(|(seat, other)| seat.is_same(other))
    }

    pub(crate) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    pub(crate) fn seat(&self, policy: usize) -> Result<&Seat, Fault> {
        self.seats.get(policy).ok_or_else(|| unavailable(format!("the panel has no policy number {policy}")))
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.seats.iter().map(|seat| &seat.member)).finish()
    }
}

impl Engine for Panel {
    async fn review(&self, policy: usize, request: RequestId, case: Arc<Case>) -> Result<Opinion, Fault> {
        let user = case.subject.name.clone();
        self.seat(policy)?.ask(&user, move |policy, member| review(policy, member, &case, &request)).await
    }

    async fn enforce(&self, policy: usize, case: Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        let user = case.subject.name.clone();
        self.seat(policy)?.ask(&user, move |policy, member| enforce(policy, member, &case)).await
    }
}

/// Loads each plugin of which nothing is `known` yet, several at a time; what came of all, in their order.
fn load_all(
    runtime: &Arc<Runtime>,
    workshop: &Workshop,
    specs: &[PluginSpec],
    mut known: Vec<Option<Loaded>>,
) -> Vec<Loaded> {
    let missing = known.iter().filter(|known| known.is_none()).count();
    let load = |spec: &PluginSpec| Occupant::load(runtime, workshop, spec).map(Arc::new);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let loaders = cores.min(LOADERS_MAX).min(missing);
    let queue = Mutex::new(specs.iter().zip(&mut known).filter(|(_, known)| known.is_none()));
    let work = || {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((spec, slot)) = next() {
            *slot = Some(load(spec));
        }
    };
    thread::scope(|scope| {
        for _ in 0..loaders {
            // With fewer of them it takes longer; without any the caller has to, below. What they needed goes with them.
            let started = thread::Builder::new().name("plugin-loader".to_owned()).spawn_scoped(scope, work);
            let Ok(_joined_by_the_scope) = started else { break };
        }
    });
    specs.iter().zip(known).map(|(spec, loaded)| loaded.unwrap_or_else(|| load(spec))).collect()
}

/// A policy's opinion, as far as it is within the grant.
pub(crate) fn review(
    policy: &Policy,
    member: &Member,
    case: &Arc<Case>,
    request: &RequestId,
) -> Result<Opinion, Fault> {
    policy.review(case, request).and_then(|opinion| member.admit(opinion))
}

/// A policy's lock orders, as far as they are within the grant.
pub(crate) fn enforce(policy: &Policy, member: &Member, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
    policy.enforce(case).and_then(|orders| admit(member, orders))
}

/// Lock orders as far as they are within the grant.
pub(crate) fn admit(member: &Member, orders: Vec<LockOrder>) -> Result<Vec<LockOrder>, Fault> {
    if orders.is_empty() || member.effects.contains(&Effect::Lock) {
        return Ok(orders);
    }
    Err(Fault::new(FaultKind::NotGranted, "ordered a lock, which is not granted"))
}
