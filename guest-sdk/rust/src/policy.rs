//! The trait that a policy implements, and the builder of its description.
//! It must never grow a method that brings a policy anything but its settings and a case.

use alloc::string::String;
use alloc::vec::Vec;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{AccessRequest, Case, Description, Effect, LockOrder, Opinion, Rule, abstain};

/// A policy: a pure function of its settings and a case.
///
/// It is made anew for each call, so nothing that it remembers reaches another one. Equal settings and case must give
/// an equal answer: iterate over `BTreeMap`s, since a `HashMap` draws randomness, and take the time from `case.now`.
pub trait Policy: Sized {
    /// Its table in the operator's configuration. [`NoSettings`] where it takes none. With
    /// `#[serde(deny_unknown_fields)]` a misspelt key is an error; doc comments become the schema's descriptions.
    type Settings: DeserializeOwned + JsonSchema;

    /// Name, version, rules and effects, made with [`description`]. The schema of the settings is added to it.
    fn describe() -> Description;

    /// Checks the settings and prepares what the answers need. It is called before every answer: keep it cheap.
    ///
    /// # Errors
    /// All faults of the settings at once, each a sentence that names the key in backticks.
    fn new(settings: Self::Settings) -> Result<Self, Vec<String>>;

    /// What about this pending request of the case? By default nothing.
    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let _ = (case, request);
        abstain()
    }

    /// Which held requests must be locked now? By default none. At most one order for a request.
    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        let _ = case;
        Vec::new()
    }
}

/// The settings of a policy that takes none; any key is an error.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

/// A description without rules and effects: lower case name joined by `-`, semantic version, one line for the operator.
#[must_use]
pub fn description(name: impl Into<String>, version: impl Into<String>, summary: impl Into<String>) -> Description {
    Description {
        name: name.into(),
        version: version.into(),
        summary: summary.into(),
        rules: Vec::new(),
        effects: Vec::new(),
        settings_schema: String::new(),
    }
}

// === impl Description ===

impl Description {
    /// Adds a rule that grounds may name: lower case words joined by `-`, at most 64 bytes.
    #[must_use]
    pub fn rule(mut self, id: impl Into<String>, summary: impl Into<String>) -> Self {
        self.rules.push(Rule { id: id.into(), summary: summary.into() });
        self
    }

    /// Adds an effect that the policy's answers may have. The operator has to grant it.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        if !self.effects.contains(&effect) {
            self.effects.push(effect);
        }
        self
    }
}
