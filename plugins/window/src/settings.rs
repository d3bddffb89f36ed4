//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::Selection;

/// Settings of the policy `window`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The time zone of all times here: its name, such as `Europe/Berlin`, or a POSIX rule, such as
    /// `CET-1CEST,M3.5.0,M10.5.0/3`. What names mean is part of the policy: a rule is for a zone that changed since.
    pub zone: String,
    /// When access may begin. Without any it may always, but for holidays and freezes.
    pub hours: Vec<Hours>,
    /// Days without hours, such as `2026-12-25`.
    pub holidays: Vec<String>,
    /// Times in which nothing is to be changed.
    pub freezes: Vec<Freeze>,
    /// The fact that knows more of them: `{"holidays": […], "freezes": […]}`.
    pub fact: Option<String>,
    /// What has to be within the hours and without the freezes.
    pub judged: Judged,
    /// The answer outside of the hours.
    pub outside: Answer,
    /// The answer in a freeze.
    pub frozen: Answer,
    /// Which requests have hours; without it all.
    pub only: Vec<Selection>,
    /// A word in the reason, such as `BREAK-GLASS`, with which neither hours nor freezes count. Only beside
    /// `break-glass` with `otherwise = "escalate"`, which leaves to people whoever may not use that word.
    pub unless_marked: Option<String>,
}

/// Hours of some days.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hours {
    /// Days and spans of days, such as `mon-fri` and `sun`.
    pub days: Vec<String>,
    /// Such as `08:00`.
    pub from: String,
    /// Such as `18:00`, or `24:00`. One that is not after `from` is of the day after.
    pub until: String,
}

/// A time in which nothing is to be changed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Freeze {
    /// What it is for, as reasons tell it: `end of year`.
    pub name: String,
    /// Its first day, such as `2026-12-20`, or time, such as `2026-12-20T18:00`.
    pub from: String,
    /// Its last day, all of which belongs to it, or the time at which it ends.
    pub until: String,
}

/// What has to be within the hours and without the freezes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// The time at which access begins: now, or later where the request says so.
    #[default]
    Start,
    /// All of the access, from its beginning to its end.
    Whole,
}

/// An answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// No.
    Deny,
    /// People decide. When the hours have come, the request is judged anew.
    Escalate,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            hours: Vec::new(),
            holidays: Vec::new(),
            freezes: Vec::new(),
            fact: None,
            judged: Judged::default(),
            outside: Answer::Escalate,
            frozen: Answer::Deny,
            only: Vec::new(),
            unless_marked: None,
        }
    }
}
