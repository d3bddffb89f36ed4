//! What came of an attack, in words that a declaration can be compared with: the kind of a fault and the limit's name, never
//! the text of a fault.

use tribunal_core::opinion::{Fault, FaultKind, LockOrder, Opinion};
use tribunal_engine::{LoadProblem, limit_of};
use tribunal_hostile::Guest;

/// The word for an attack that was contained without a fault.
const NONE: &str = "none";

/// What came of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The kind of a fault, what kept the guest from being loaded, or `none`.
    pub(super) fault: &'static str,
    /// The limit that it is about.
    pub(super) limit: Option<&'static str>,
    /// For people.
    pub(super) detail: String,
}

// === impl Outcome ===

impl Outcome {
    pub(super) fn of_review(answer: &Result<Opinion, Fault>) -> Self {
        match answer {
            Ok(opinion) => {
                let grounds = opinion.grounds().iter().map(|ground| format!(" {}: {}", ground.rule, ground.reason));
                Self::none(format!("answered{}", grounds.collect::<String>()))
            }
            Err(fault) => Self::of_fault(fault),
        }
    }

    pub(super) fn of_enforce(answer: &Result<Vec<LockOrder>, Fault>) -> Self {
        match answer {
            Ok(orders) => {
                let orders = orders.iter().map(|order| format!(" {}: {}", order.request, order.ground.reason));
                Self::none(format!("ordered{}", orders.collect::<String>()))
            }
            Err(fault) => Self::of_fault(fault),
        }
    }

    pub(super) fn of_load(problem: Option<&LoadProblem>) -> Self {
        let Some(problem) = problem else { return Self::none("loaded".to_owned()) };
        let fault = match problem {
            LoadProblem::Setup(fault) => fault.kind.as_str(),
            LoadProblem::TooLarge { .. } | LoadProblem::Exceeded { .. } => FaultKind::Limit.as_str(),
            LoadProblem::Description(_) if problem.limit().is_some() => FaultKind::Limit.as_str(),
            LoadProblem::Description(_) => "description",
            LoadProblem::Settings(_) => FaultKind::Settings.as_str(),
            LoadProblem::Engine(_) => "engine",
            LoadProblem::SameName => "same-name",
            LoadProblem::Raised(_) => "raised",
            LoadProblem::Digest { .. } => "digest",
            LoadProblem::Unread(_) => "unread",
            LoadProblem::Compiler(_) => "compiler",
            LoadProblem::NotWasm => "not-wasm",
            LoadProblem::Text => "text",
            LoadProblem::CoreModule => "core-module",
            LoadProblem::Malformed(_) => "malformed",
            LoadProblem::OtherWorld { .. } => "other-world",
            LoadProblem::OtherContract { .. } => "other-contract",
            LoadProblem::Import { .. } => "import",
            LoadProblem::Compile(_) => "compile",
            LoadProblem::Link(_) => "link",
            LoadProblem::SettingsForm(_) => "settings-form",
            LoadProblem::NotDeclared { .. } => "not-declared",
        };
        Self { fault, limit: problem.limit(), detail: problem.to_string() }
    }

    fn of_fault(fault: &Fault) -> Self {
        Self { fault: fault.kind.as_str(), limit: limit_of(fault), detail: fault.detail.clone() }
    }

    const fn none(detail: String) -> Self {
        Self { fault: NONE, limit: None, detail }
    }

    /// Whether it is what the guest must come to.
    pub(super) fn is_expected(&self, of: &Guest) -> bool {
        self.fault == of.fault && self.limit == of.limit.as_deref()
    }

    /// Whether any of its text could move a terminal or break a line.
    pub(super) fn is_unfit(&self) -> bool {
        self.detail.chars().any(char::is_control)
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        match self.limit {
            Some(limit) => format!("{} (`{limit}`): {}", self.fault, self.detail),
            None => format!("{}: {}", self.fault, self.detail),
        }
    }
}
