//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::Selection;

/// Settings of the policy `reason-quality`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How many different words a reason has at least, without fillers. A script that puts no spaces between words has
    /// one word in a sentence: there `min-letters` is what counts.
    pub min_words: usize,
    /// How many letters and digits a reason has at least.
    pub min_letters: usize,
    /// Words that say nothing; case does not count.
    pub fillers: Vec<String>,
    /// What has to be in a reason.
    pub required: Vec<Required>,
    /// A good reason, to show to those who gave none.
    pub example: String,
    /// The answer about a reason that says too little.
    pub otherwise: Otherwise,
    /// Whose reasons are looked at; without it everybody's.
    pub only: Vec<Selection>,
}

/// Something that has to be in a reason.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Required {
    /// A regular expression that is found in it; case does not count.
    pub pattern: String,
    /// What to write, for the requester: `name the service, such as "service: billing"`.
    pub hint: String,
}

/// The answer about a reason that says too little.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// No.
    #[default]
    Deny,
    /// People decide.
    Escalate,
}

/// Words that say nothing about why access is needed.
const FILLERS: [&str; 24] = [
    "a", "access", "asap", "asdf", "be", "for", "i", "it", "me", "my", "n/a", "need", "needed", "none", "pls",
    "please", "reason", "request", "test", "testing", "the", "to", "urgent", "work",
];

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_words: 3,
            min_letters: 12,
            fillers: FILLERS.map(str::to_owned).into(),
            required: Vec::new(),
            example: "restart the billing workers on web-1, which are stuck since the deployment".to_owned(),
            otherwise: Otherwise::default(),
            only: Vec::new(),
        }
    }
}
