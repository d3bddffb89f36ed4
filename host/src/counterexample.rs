//! Looks for a case in which a panel approves although something that must always hold would not hold any more: all small
//! cases first, then by chance, led on by whatever answers it has not seen yet; what is found is made as small as it goes.
//! That it finds none proves nothing beyond the cases that it tried, and it says how many those are.

mod chance;
mod guided;
mod invariant;
mod shrink;
mod small;
mod words;

use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::hearing::{Answers, Hearing};
use tribunal_core::request::RequestId;

pub use self::chance::Chance;
pub use self::invariant::{Broken, Holds, Invariant, Invariants};
pub use self::words::Words;
pub use crate::explain::{Bench, Guards};

use crate::explain::approves;

/// Small cases that are tried, all of them; beyond that chance finds more.
pub const SMALL_CASES_MAX: usize = 60_000;

/// What people write: what must hold, and what cases are made of beside that.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Form {
    invariant: Vec<invariant::InvariantForm>,
    words: words::WordsForm,
}

/// Reads what must hold, and what cases are made of, from the text of a TOML file.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<(Invariants, Words), String> {
    let Form { invariant, words } = toml::from_str(text).map_err(|error| error.to_string())?;
    let invariants = invariant.into_iter().map(Invariant::try_from).collect::<Result<Vec<_>, _>>()?;
    if invariants.is_empty() {
        return Err("it has no `[[invariant]]`: nothing is to hold".to_owned());
    }
    let invariants = Invariants(invariants);
    let words = Words::of(&invariants, words)?;
    Ok((invariants, words))
}

/// A case that must not be.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The case.
    pub case: Case,
    /// The pending request that is approved.
    pub request: RequestId,
    /// What does not hold then.
    pub broken: Broken,
    /// What the panel said.
    pub hearing: Hearing,
}

/// What came of a search.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was found.
    pub found: Option<Box<Counterexample>>,
    /// How many cases were tried.
    pub tried: u64,
    /// All small cases are among them.
    pub all_small: bool,
    /// How many kinds of answers there were.
    pub kinds: usize,
}

/// A search.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// Who is asked.
    pub bench: Bench<'a>,
    /// What must hold.
    pub invariants: &'a Invariants,
    /// What cases are made of.
    pub words: &'a Words,
    /// What chance begins with: the same seed finds the same.
    pub seed: u64,
    /// Of several that search at once, which this is, and how many they are.
    pub share: (usize, usize),
}

// === impl Search ===

impl Search<'_> {
    /// Searches until something is found, or `over` says that it is enough; after each case it is asked.
    pub fn run(&self, answers: &mut impl Answers, mut over: impl FnMut() -> bool) -> Outcome {
        let mut trial = Trial { search: self, answers, tried: 0 };
        let (mut found, all_small) = small::search(&mut trial, &mut over);
        let mut kinds = 0;
        if found.is_none() && all_small {
            (found, kinds) = guided::search(&mut trial, &mut over);
        }
        let found = found.map(|found| Box::new(shrink::shrunk(&mut trial, found)));
        Outcome { found, tried: trial.tried, all_small, kinds }
    }
}

/// Cases being tried.
struct Trial<'a, A> {
    search: &'a Search<'a>,
    answers: &'a mut A,
    tried: u64,
}

// === impl Trial ===

impl<A: Answers> Trial<'_, A> {
    /// What the panel says about the newest pending request of a case, and what that breaks.
    fn hear(&mut self, case: &Case) -> Option<(RequestId, Hearing, Option<Broken>)> {
        self.tried += 1;
        let pending = words::pending_of(case)?;
        let case = Arc::new(case.clone());
        let hearing = self.search.bench.judge(&case, &pending, self.answers);
        let broken = if approves(&hearing) { self.search.invariants.broken(&case, &pending, &hearing) } else { None };
        Some((pending, hearing, broken))
    }

    fn check(&mut self, case: &Case) -> Option<Counterexample> {
        let (request, hearing, broken) = self.hear(case)?;
        broken.map(|broken| Counterexample { case: case.clone(), request, broken, hearing })
    }
}
