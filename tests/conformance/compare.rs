//! Asks two builds the same and tells where they differ. It never says which of them is right.

use std::fmt::Write as _;

use tribunal_core::request::RequestState;
use tribunal_engine::{Introduced, Limits, PluginSpec, Solo, Traces, Workshop};

use crate::builds::Build;
use crate::cases::Question;

/// Differences of a build that are shown.
pub(crate) const SHOWN_MAX: usize = 3;
/// Milliseconds that an answer may take here, where speed is not what is judged.
const PATIENCE_MS: u64 = 30_000;

/// A build that can be asked.
pub(crate) struct Asked(Introduced);

// === impl Asked ===

impl Asked {
    /// The policy that ships with the host.
    pub(crate) fn reference() -> Result<Self, String> {
        Self::of(Build { language: "reference".to_owned(), bytes: tribunal_plugins::CAP.to_vec() })
    }

    /// A build, under the default limits but for time.
    pub(crate) fn of(build: Build) -> Result<Self, String> {
        let limits = Limits { deadline_ms: PATIENCE_MS, setup_deadline_ms: PATIENCE_MS, ..Limits::default() };
        let spec = PluginSpec::new("cap", build.bytes);
        let introduced = Introduced::new(&Workshop::here(), spec, limits);
        introduced.map(Self).map_err(|problem| format!("{}: {problem}", build.language))
    }

    /// Every answer to a question, as text: reviews of what is pending, oldest first, then lock orders, each with its log.
    pub(crate) fn answers(&self, Question { settings, case }: &Question) -> String {
        let solo = match self.0.configured(settings, None) {
            Ok(solo) => solo,
            // What it says about them is its own.
            Err(_problem) => return "refuses the settings".to_owned(),
        };
        let mut text = String::new();
        for entry in case.requests.iter().filter(|entry| entry.request.state == RequestState::Pending) {
            let (answer, traces) = solo.review(case, &entry.request.id);
            let _infallible = writeln!(text, "{}: {answer:?} {}", entry.request.id, logged(&traces));
        }
        let (orders, traces) = Solo::enforce(&solo, case);
        let _infallible = writeln!(text, "{orders:?} {}", logged(&traces));
        text
    }

    /// What the policy says that its answers may be.
    fn promises(&self) -> String {
        let said = self.0.description();
        format!("{} {:?} {:?}", said.name, said.rules, said.effects)
    }
}

/// Where a build differs from another one.
pub(crate) fn differences(reference: &Asked, build: &Asked, questions: &[Question]) -> Vec<String> {
    let mut differences = Vec::new();
    if reference.promises() != build.promises() {
        differences.push(format!("promises {} instead of {}", build.promises(), reference.promises()));
    }
    for (number, question) in questions.iter().enumerate() {
        let (expected, found) = (reference.answers(question), build.answers(question));
        if expected != found {
            differences.push(format!("case {number} with {}: {found} instead of {expected}", question.settings));
        }
    }
    differences
}

fn logged(traces: &Traces) -> String {
    format!("{:?}", traces.log)
}
