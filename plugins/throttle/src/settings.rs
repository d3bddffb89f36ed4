//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::{Selection, Span};

/// Settings of the policy `throttle`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How many requests a user may make in the time `per`.
    #[schemars(range(min = 1))]
    pub max_requests: usize,
    /// The time in which they are counted, back from the request's creation.
    pub per: Span,
    /// How long a user waits after a request before the next.
    pub cool_down: Option<Span>,
    /// The fact that knows requests that are there no more: an object of lists of `{"id": …, "created": …}` by user
    /// name. Without it only live requests count: what was denied, has ended or was deleted is forgotten.
    pub fact: Option<String>,
    /// The answer about one request too many.
    pub over: Over,
    /// Which requests are counted and limited; without it all.
    pub only: Vec<Selection>,
    /// A word in the reason, such as `BREAK-GLASS`, with which a request is not limited here. Only beside `break-glass`
    /// with `otherwise = "escalate"`, which leaves to people whoever may not use that word.
    pub unless_marked: Option<String>,
}

/// The answer about one request too many.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// No.
    #[default]
    Deny,
    /// People decide.
    Escalate,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_requests: 10,
            per: Span::of_ms(3_600_000),
            cool_down: None,
            fact: None,
            over: Over::default(),
            only: Vec::new(),
            unless_marked: None,
        }
    }
}
