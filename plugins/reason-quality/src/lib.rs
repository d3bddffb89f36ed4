//! The policy `reason-quality`: a reason has to say something.
//! It must never judge what a reason says, only whether there is one.

mod settings;
mod words;

use tribunal_classes::pattern::Search;
use tribunal_guest::prelude::*;
use tribunal_terms::{Selectors, said};

pub use crate::settings::{Otherwise, Required, Settings};
use crate::words::Words;

/// The reason has too few words of its own.
pub const TOO_FEW_WORDS: &str = "too-few-words";
/// The reason is short of letters.
pub const TOO_SHORT: &str = "too-short";
/// The reason lacks something that has to be in it.
pub const SOMETHING_MISSING: &str = "something-missing";

/// At most this many patterns, and as many fillers.
pub const PATTERNS_COUNT_MAX: usize = 32;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct ReasonQuality {
    settings: Settings,
    required: Vec<(Search, String)>,
    only: Selectors,
}

tribunal_guest::export!(ReasonQuality);

// === impl ReasonQuality ===

impl Policy for ReasonQuality {
    type Settings = Settings;

    fn describe() -> Description {
        description("reason-quality", env!("CARGO_PKG_VERSION"), "a reason has to say something")
            .rule(TOO_FEW_WORDS, "the reason has too few words that are neither repeated nor fillers")
            .rule(TOO_SHORT, "the reason has too few letters and digits")
            .rule(SOMETHING_MISSING, "the reason lacks something that has to be in it")
            .effect(Effect::Deny)
            .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        for (key, count) in [("required", settings.required.len()), ("fillers", settings.fillers.len())] {
            if count > PATTERNS_COUNT_MAX {
                faults.push(format!("`{key}` has {count} entries, more than the limit of {PATTERNS_COUNT_MAX}"));
            }
        }
        let mut required = Vec::new();
        for (index, Required { pattern, hint }) in settings.required.iter().take(PATTERNS_COUNT_MAX).enumerate() {
            match Search::new(pattern) {
                Ok(search) => required.push((search, hint.clone())),
                Err(why) => faults.push(format!("`required.{index}.pattern`: the pattern `{pattern}` {why}")),
            }
            if hint.trim().is_empty() {
                faults.push(format!("`required.{index}.hint` is empty: requesters could not know what is missing"));
            }
        }
        let only = Selectors::new("only", &settings.only, &mut faults);
        if faults.is_empty() { Ok(Self { settings, required, only }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        if !self.only.any(case, request).may_be() {
            return abstain();
        }
        let grounds = self.grounds(&request.reason);
        match self.settings.otherwise {
            Otherwise::Deny => deny_all(grounds).unwrap_or_else(abstain),
            Otherwise::Escalate => match grounds.split_first() {
                Some((first, rest)) => {
                    let reasons: Vec<_> =
                        std::iter::once(first).chain(rest).map(|ground| ground.reason.as_str()).collect();
                    escalate(&first.rule, reasons.join("; "))
                }
                None => abstain(),
            },
        }
    }
}

impl ReasonQuality {
    /// All that is wrong with a reason, in the order of the rules.
    fn grounds(&self, reason: &str) -> Vec<Ground> {
        let words = Words::new(reason, &self.settings.fillers);
        let Settings { min_words, min_letters, example, .. } = &self.settings;
        let mut grounds = Vec::new();
        if words.count < *min_words {
            let (found, wanted) = (said(words.count, "word"), said(*min_words, "word"));
            let reason = format!(
                "The reason says too little: it has {found} of its own, and {wanted} are needed. Say what you are going to do, \
                 and why now, such as: {example}"
            );
            grounds.push(ground(TOO_FEW_WORDS, reason));
        }
        if words.letters < *min_letters {
            let (found, wanted) = (said(words.letters, "letter"), said(*min_letters, "letter"));
            let reason = format!("The reason is too short: it has {found}, and {wanted} are needed");
            grounds.push(ground(TOO_SHORT, reason));
        }
        let missing = self.required.iter().filter(|(search, _)| !search.matches(reason));
        grounds
            .extend(missing.map(|(_, hint)| ground(SOMETHING_MISSING, format!("The reason lacks something: {hint}"))));
        grounds
    }
}
