//! Where guests attack: one panel, in which the honest policies sit beside all guests that let themselves be loaded, compiled
//! in a process of its own as those of a daemon are. It asks, and judges nothing but whether an answer is the one it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, LockOrder, Opinion};
use tribunal_engine::{Limits, Panel, PluginSpec, Workshop};
use tribunal_hostile::{Guest, Strike};
use tribunal_ports::Engine as _;

use super::outcome::Outcome;
use super::{case, limits};

/// The honest policies, with settings under which each has something to say.
const HONEST: [(&str, &str); 2] = [
    ("separation", r#"{"classes": {"prod": {"roles": ["prod-*"]}, "research": {"roles": ["research-*"]}}}"#),
    ("cap", r#"{"max-resources": 3}"#),
];

/// Where guests attack.
pub(super) struct Arena {
    workshop: Arc<Workshop>,
    limits: Limits,
    timed: bool,
    panel: Panel,
    /// Where in the panel a guest sits.
    seats: BTreeMap<String, usize>,
    /// What the honest policies answered before any attack.
    honest: Vec<Answer>,
    asking: Arc<Case>,
    hoarding: Arc<Case>,
}

/// An honest answer.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Review(Result<Opinion, Fault>),
    Enforce(Result<Vec<LockOrder>, Fault>),
}

// === impl Arena ===

impl Arena {
    /// Loads the honest policies and all guests that strike later than that. Blocks while they are compiled.
    ///
    /// # Errors
    /// That the engine does not start, that an honest policy does not answer, or that the corpus is damaged.
    pub(super) async fn open(workshop: Arc<Workshop>, guests: &[Guest], timed: bool) -> Result<Self, String> {
        let limits = limits::of_all(timed);
        let (mut specs, mut seats) = (Vec::new(), BTreeMap::new());
        for (name, settings) in HONEST {
            let builtin = tribunal_plugins::BUILTINS.iter().find(|builtin| builtin.name == name);
            let bytes = builtin.map(|builtin| builtin.bytes.to_vec()).unwrap_or_default();
            let mut spec = PluginSpec::new(name, bytes);
            spec.settings = settings.to_owned();
            spec.limits = limits::patient(timed);
            specs.push(spec);
        }
        for guest in guests.iter().filter(|guest| guest.strikes != Strike::Load) {
            let own = limits::of(guest, timed)?;
            if own.all.is_none() {
                seats.insert(guest.name.clone(), specs.len());
                specs.push(spec(guest, &own)?);
            }
        }
        // A guest that does not load has a seat all the same, and its answers are faults of another kind than declared.
        let (panel, _vacant) =
            Panel::assemble(&workshop, specs, limits.clone(), None).map_err(|error| error.to_string())?;
        let (asking, hoarding) = (case::asking(), case::hoarding());
        let mut arena = Self { workshop, limits, timed, panel, seats, honest: Vec::new(), asking, hoarding };
        arena.honest = arena.ask_honest().await;
        match arena.honest.iter().find_map(Answer::fault) {
            None => Ok(arena),
            Some(fault) => Err(format!("an honest policy does not answer, before any attack: {fault}")),
        }
    }

    /// Lets a guest strike.
    pub(super) async fn attack(&self, guest: &Guest) -> Result<Outcome, String> {
        let own = limits::of(guest, self.timed)?;
        if guest.strikes == Strike::Load {
            return self.load(spec(guest, &own)?, own.all);
        }
        if let Some(all) = own.all {
            let (panel, _vacant) =
                Panel::assemble(&self.workshop, vec![spec(guest, &limits::Own { all: None, ..own })?], all, None)
                    .map_err(|error| error.to_string())?;
            return Ok(self.ask(&panel, 0, guest).await);
        }
        let seat = self.seats.get(&guest.name).copied();
        Ok(self.ask(&self.panel, seat.unwrap_or(usize::MAX), guest).await)
    }

    /// Whether the honest policies answer as they did before any attack.
    pub(super) async fn is_honest_as_before(&self) -> bool {
        self.ask_honest().await == self.honest
    }

    /// Loads bytes that nobody knows and, if they are a policy, asks it everything.
    pub(super) async fn try_unknown(&self, workshop: &Workshop, bytes: Vec<u8>) -> Vec<Outcome> {
        let limits = self.limits.clone();
        let mut spec = PluginSpec::new("unknown", bytes);
        spec.limits = limits::patient(self.timed);
        let (panel, errors) = match Panel::assemble(workshop, vec![spec], limits, Some(&self.panel)) {
            Ok(assembled) => assembled,
            Err(error) => return vec![Outcome::of_load(Some(&error.problem))],
        };
        if let Some(error) = errors.first() {
            return vec![Outcome::of_load(Some(&error.problem))];
        }
        let review = panel.review(0, case::pending(), Arc::clone(&self.asking)).await;
        let enforce = panel.enforce(0, Arc::clone(&self.asking)).await;
        vec![Outcome::of_review(&review), Outcome::of_enforce(&enforce)]
    }

    /// Loads a guest beside the panel, as a change of the configuration would.
    fn load(&self, spec: PluginSpec, all: Option<Limits>) -> Result<Outcome, String> {
        let (before, limits) = match all {
            None => (Some(&self.panel), self.limits.clone()),
            Some(all) => (None, all),
        };
        let (_panel, errors) =
            Panel::assemble(&self.workshop, vec![spec], limits, before).map_err(|error| error.to_string())?;
        Ok(Outcome::of_load(errors.first().map(|error| &error.problem)))
    }

    async fn ask(&self, panel: &Panel, seat: usize, guest: &Guest) -> Outcome {
        for _ in 1..guest.times {
            let _earlier = self.ask_once(panel, seat, guest.strikes).await;
        }
        let answers = join_all((0..guest.crowd).map(|_| self.ask_once(panel, seat, guest.strikes))).await;
        // Of a crowd, most are told something else than the one that the guest is here for.
        let unexpected = answers.first().cloned();
        let expected = answers.into_iter().find(|outcome| outcome.is_expected(guest));
        expected.or(unexpected).unwrap_or_else(|| Outcome::of_load(None))
    }

    async fn ask_once(&self, panel: &Panel, seat: usize, strikes: Strike) -> Outcome {
        let case = Arc::clone(&self.asking);
        match strikes {
            Strike::Enforce => Outcome::of_enforce(&panel.enforce(seat, case).await),
            Strike::Load | Strike::Review => Outcome::of_review(&panel.review(seat, case::pending(), case).await),
        }
    }

    /// All that a decision about a pending request takes: each policy's opinion, and what it would lock.
    async fn ask_honest(&self) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(2 * HONEST.len());
        for (seat, _) in HONEST.iter().enumerate() {
            let review = self.panel.review(seat, case::pending(), Arc::clone(&self.asking)).await;
            answers.push(Answer::Review(review));
            answers.push(Answer::Enforce(self.panel.enforce(seat, Arc::clone(&self.hoarding)).await));
        }
        answers
    }
}

// === impl Answer ===

impl Answer {
    const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Review(Err(fault)) | Self::Enforce(Err(fault)) => Some(fault),
            Self::Review(Ok(_)) | Self::Enforce(Ok(_)) => None,
        }
    }
}

fn spec(guest: &Guest, own: &limits::Own) -> Result<PluginSpec, String> {
    let mut spec = PluginSpec::new(guest.name.as_str(), guest.component.clone());
    spec.settings.clone_from(&guest.settings);
    spec.limits = own.lowered.clone();
    if let Some(names) = &guest.effects {
        let effect = |name: &String| Effect::ALL.into_iter().find(|effect| effect.as_str() == name);
        let effects: Option<BTreeSet<_>> = names.iter().map(effect).collect();
        spec.effects =
            Some(effects.ok_or_else(|| format!("guest `{}` is granted an effect that is none", guest.name))?);
    }
    Ok(spec)
}
