//! The policy `allow-rules`: ordered rules say what is approved, denied or left to people; the first that fits decides.
//! It must never approve what it could not see, nor what its rule does not name.

mod rule;
mod settings;

use tribunal_guest::prelude::*;

use crate::rule::{Fit, Rule as Compiled};
pub use crate::settings::{Otherwise, Rule, Settings, Then};

/// A rule allows all of what is asked for.
pub const ALLOWED: &str = "allowed";
/// A rule denies some of what is asked for.
pub const NOT_ALLOWED: &str = "not-allowed";
/// A rule leaves it to people.
pub const LEFT_TO_PEOPLE: &str = "left-to-people";
/// A rule that denies or leaves to people may fit: the host could not see enough to tell.
pub const CANNOT_TELL: &str = "cannot-tell";
/// No rule fits.
pub const NO_RULE_FITS: &str = "no-rule-fits";

/// At most this many rules.
pub const RULES_COUNT_MAX: usize = 200;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct AllowRules {
    rules: Vec<Compiled>,
    otherwise: Otherwise,
}

tribunal_guest::export!(AllowRules);

// === impl AllowRules ===

impl Policy for AllowRules {
    type Settings = Settings;

    fn describe() -> Description {
        description(
            "allow-rules",
            env!("CARGO_PKG_VERSION"),
            "ordered rules say what is approved, denied or left to people",
        )
        .rule(ALLOWED, "a rule allows all of what is asked for")
        .rule(NOT_ALLOWED, "a rule denies some of what is asked for")
        .rule(LEFT_TO_PEOPLE, "a rule leaves it to people")
        .rule(CANNOT_TELL, "what could not be seen decides whether a rule that restricts fits")
        .rule(NO_RULE_FITS, "no rule fits")
        .effect(Effect::Approve)
        .effect(Effect::Deny)
        .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        if settings.rules.len() > RULES_COUNT_MAX {
            let count = settings.rules.len();
            faults.push(format!("`rules` has {count} rules, more than the limit of {RULES_COUNT_MAX}"));
        }
        let rules = settings.rules.iter().take(RULES_COUNT_MAX).enumerate();
        let rules = rules.map(|(index, rule)| Compiled::new(index, rule, &mut faults)).collect();
        if faults.is_empty() { Ok(Self { rules, otherwise: settings.otherwise }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        for rule in &self.rules {
            match rule.fit(case, request) {
                Fit::No => {}
                Fit::Yes => return rule.answer(),
                Fit::Unknown => {
                    let unread = "labels of a resource, or roles or traits of the requester, could not be read";
                    return escalate(CANNOT_TELL, format!("Whether {} fits cannot be told: {unread}", rule.told()));
                }
            }
        }
        let nothing = "No rule says that this is approved automatically";
        match self.otherwise {
            Otherwise::Abstain => abstain(),
            Otherwise::Escalate => escalate(NO_RULE_FITS, format!("{nothing}: people decide")),
            Otherwise::Deny => {
                deny(NO_RULE_FITS, format!("{nothing}: ask for what a rule names, or ask whoever keeps the rules"))
            }
        }
    }
}
