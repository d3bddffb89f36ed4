//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::Selection;

/// Settings of the policy `ticket`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// A regular expression for the numbers of tickets, such as `OPS-\d+`; case does not count.
    pub pattern: String,
    /// A number to show to those who name none, such as `OPS-42`.
    pub example: String,
    /// The fact that knows the tickets.
    #[serde(default = "tickets")]
    pub fact: String,
    /// The states in which a ticket is open; case does not count.
    #[serde(default = "open")]
    pub open: Vec<String>,
    /// To whom the ticket has to be assigned.
    #[serde(default)]
    pub assigned_to: AssignedTo,
    /// The trait whose values the tickets' assignees are, such as `email`; without it assignees are user names.
    #[serde(default)]
    pub assignee_trait: Option<String>,
    /// What a ticket says about roles and resources.
    #[serde(default)]
    pub scope: Scope,
    /// The answer about a request whose ticket the fact does not know.
    #[serde(default)]
    pub unknown: Unknown,
    /// The answer about a request with a good ticket.
    #[serde(default)]
    pub when_open: WhenOpen,
    /// What happens to held access when its ticket is closed.
    #[serde(default)]
    pub when_closed: WhenClosed,
    /// Which requests need a ticket; without it all.
    #[serde(default)]
    pub only: Vec<Selection>,
    /// A word in the reason, such as `BREAK-GLASS`, with which no ticket is needed. Only beside `break-glass` with
    /// `otherwise = "escalate"`, which leaves to people whoever may not use that word.
    #[serde(default)]
    pub unless_marked: Option<String>,
}

/// To whom the ticket has to be assigned.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum AssignedTo {
    /// That does not matter.
    #[default]
    Anybody,
    /// To who asks for access.
    Requester,
}

/// What a ticket says about roles and resources.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Where a ticket lists roles or resources, only those may be asked for.
    #[default]
    WhereListed,
    /// A ticket has to list them.
    Listed,
    /// They do not matter.
    Ignore,
}

/// The answer about a request whose ticket the fact does not know.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// No.
    #[default]
    Deny,
    /// People decide: the ticket may be too new for the fact.
    Escalate,
}

/// The answer about a request with a good ticket.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenOpen {
    /// Leave the approval to another policy.
    #[default]
    Abstain,
    /// Approve it, unless another policy objects.
    Approve,
}

/// What happens to held access when its ticket is closed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenClosed {
    /// It is locked, and let go if the ticket is opened again. A ticket that the fact does not list is not closed.
    #[default]
    Lock,
    /// It is locked, and a ticket that the fact does not list is closed: for facts that list open tickets only.
    LockUnlisted,
    /// Nothing.
    Leave,
}

fn tickets() -> String {
    "tickets".to_owned()
}

fn open() -> Vec<String> {
    ["open", "in progress"].map(str::to_owned).into()
}
