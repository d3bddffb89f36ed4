//! What the world answers when a call to it does not succeed; how to react is the controller's to decide.

use std::fmt;

/// A call to the outside that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How to react.
    pub class: FailureClass,
    /// What happened, for the operator.
    pub detail: String,
}

/// How to react to a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureClass {
    /// May pass by itself: look at the state again, then try anew after a pause.
    Retry,
    /// The world is not as was thought (gone, already decided): look at the state again.
    Settle,
    /// A person has to act: a right is missing, or the server lacks a method.
    Alarm,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self { class, detail: detail.into() }
    }
}

impl FailureClass {
    /// Its name in the ledger and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Settle => "settle",
            Self::Alarm => "alarm",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}
