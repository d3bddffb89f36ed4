//! What a check has to say: how it went, what was seen, and what to do. It knows no check.

use serde::Serialize;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// The daemon works, and somebody should look at it.
    Warning,
    /// The daemon cannot do its work, or endangers others.
    Failed,
    /// There was nothing to look at: something before it failed, or it does not apply.
    Skipped,
}

/// What a check has to say, as people and programs read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the check; of those that look at several things, the thing's.
    pub name: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was seen.
    pub what: String,
    /// What to do; none: nothing.
    pub remedy: Option<String>,
}

// === impl Outcome ===

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warning, Self::Failed, Self::Skipped];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

// === impl Finding ===

impl Finding {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self::new(Outcome::Ok, what.into(), None)
    }

    pub(super) fn warning(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Outcome::Warning, what.into(), Some(remedy.into()))
    }

    pub(super) fn failed(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, what.into(), Some(remedy.into()))
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::new(Outcome::Skipped, why.into(), None)
    }

    /// A failure whose message says what to do after its last semicolon, as those of this program do; `remedy` where it
    /// does not.
    pub(super) fn failed_as(message: &(impl ToString + ?Sized), remedy: &str) -> Self {
        let message = message.to_string();
        match message.rsplit_once("; ") {
            Some((what, remedy)) => Self::failed(what, remedy),
            None => Self::failed(message, remedy),
        }
    }

    /// The same under a name of its own.
    pub(super) fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    fn new(outcome: Outcome, what: String, remedy: Option<String>) -> Self {
        Self { name: String::new(), outcome, what, remedy }
    }
}
