//! One rule: whether it is for a request, and what it answers.
//! It must never fit by half: a rule that allows has to name all of what is asked for.

use tribunal_guest::{AccessRequest, Case, Opinion, approve, deny, escalate};
use tribunal_terms::{Match, SLACK_MS, Selector, Span, asked_ms};

use crate::settings::{self, Then};
use crate::{ALLOWED, LEFT_TO_PEOPLE, NOT_ALLOWED};

/// Longest name of a rule and longest own reason, in bytes.
const NAME_BYTES_MAX: usize = 200;
const REASON_BYTES_MAX: usize = 1_000;

/// A compiled rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    name: String,
    then: Then,
    selector: Selector,
    at_most: Option<Span>,
    reason: Option<String>,
}

/// Whether a rule is for a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fit {
    No,
    Yes,
    /// The host could not see what would tell.
    Unknown,
}

// === impl Rule ===

impl Rule {
    /// Compiles the rule at `index`; what is wrong with it is added to `faults`.
    pub(crate) fn new(index: usize, rule: &settings::Rule, faults: &mut Vec<String>) -> Self {
        let place = format!("rules.{index}");
        if rule.name.trim().is_empty() || rule.name.len() > NAME_BYTES_MAX {
            faults.push(format!("`{place}.name` has to have 1 to {NAME_BYTES_MAX} bytes: reasons name the rule"));
        }
        if rule.reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
            faults.push(format!("`{place}.reason` is longer than {REASON_BYTES_MAX} bytes"));
        }
        let selector = Selector::new(&format!("{place}.when"), &rule.when, faults);
        match rule.then {
            Then::Approve if !selector.is_about_roles() => faults.push(format!(
                "`{place}.when.roles` is missing: a rule that approves names the roles, with `[\"*\"]` for any"
            )),
            Then::Deny | Then::Escalate if rule.at_most.is_some() => faults.push(format!(
                "`{place}.at-most` is for rules that approve: the policy `duration` limits how long access lasts"
            )),
            Then::Approve | Then::Deny | Then::Escalate => {}
        }
        let (name, then, at_most, reason) = (rule.name.clone(), rule.then, rule.at_most, rule.reason.clone());
        Self { name, then, selector, at_most, reason }
    }

    /// Whether it is for this request.
    pub(crate) fn fit(&self, case: &Case, request: &AccessRequest) -> Fit {
        match self.then {
            // What is not known is not allowed.
            Then::Approve if self.selector.all(case, request) == Match::Yes && self.is_short(request) => Fit::Yes,
            Then::Approve => Fit::No,
            Then::Deny | Then::Escalate => match self.selector.any(case, request) {
                Match::No => Fit::No,
                Match::Yes => Fit::Yes,
                Match::Unknown => Fit::Unknown,
            },
        }
    }

    pub(crate) fn answer(&self) -> Opinion {
        let own = |otherwise: &str| match &self.reason {
            Some(reason) => format!("{reason} ({})", self.told()),
            None => format!("{otherwise} {}", self.told()),
        };
        match self.then {
            Then::Approve => approve(ALLOWED, own("Approved by")),
            Then::Deny => deny(NOT_ALLOWED, own("Some of what is asked for is not allowed by")),
            Then::Escalate => escalate(LEFT_TO_PEOPLE, own("Left to people by")),
        }
    }

    /// Its name for people.
    pub(crate) fn told(&self) -> String {
        format!("rule `{}`", self.name)
    }

    fn is_short(&self, request: &AccessRequest) -> bool {
        self.at_most
            .is_none_or(|most| asked_ms(request).is_some_and(|asked| asked <= most.ms().saturating_add(SLACK_MS)))
    }
}
