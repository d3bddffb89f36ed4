//! The policy `duration`: how long access of which kind may last.
//! It must never let access through whose end it does not know.

mod settings;

use tribunal_guest::prelude::*;
use tribunal_terms::{Marker, Match, SLACK_MS, Selector, Span, asked_ms};

pub use crate::settings::{Limit, Over, Settings};

/// The access is asked for longer than it may last.
pub const TOO_LONG: &str = "too-long";
/// The end of the access is not known.
pub const END_NOT_KNOWN: &str = "end-not-known";

/// At most this many limits.
pub const LIMITS_COUNT_MAX: usize = 200;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Duration {
    limits: Vec<Compiled>,
    max: Option<Span>,
    over: Over,
    marker: Option<Marker>,
}

/// A compiled limit.
#[derive(Clone, Debug)]
struct Compiled {
    name: String,
    selector: Selector,
    max: Span,
}

tribunal_guest::export!(Duration);

// === impl Duration ===

impl Policy for Duration {
    type Settings = Settings;

    fn describe() -> Description {
        description("duration", env!("CARGO_PKG_VERSION"), "how long access of which kind may last")
            .rule(TOO_LONG, "the access is asked for longer than it may last")
            .rule(END_NOT_KNOWN, "the end of the access is not known")
            .effect(Effect::Deny)
            .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let Settings { limits, max, over, unless_marked } = settings;
        if limits.is_empty() && max.is_none() {
            faults.push("neither `limits` nor `max` is set: nothing would be limited".to_owned());
        }
        if limits.len() > LIMITS_COUNT_MAX {
            faults.push(format!("`limits` has {} limits, more than the limit of {LIMITS_COUNT_MAX}", limits.len()));
        }
        let compile = |(index, limit): (usize, Limit)| {
            let selector = Selector::new(&format!("limits.{index}.when"), &limit.when, &mut faults);
            Compiled { name: limit.name, selector, max: limit.max }
        };
        let limits = limits.into_iter().take(LIMITS_COUNT_MAX).enumerate().map(compile).collect();
        let marker = unless_marked.map(|word| Marker::new("unless-marked", &word, &mut faults));
        if faults.is_empty() { Ok(Self { limits, max, over, marker }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        if self.marker.as_ref().is_some_and(|marker| marker.is_in(&request.reason)) {
            return abstain();
        }
        let Some((name, max)) = self.shortest(case, request) else { return abstain() };
        let Some(asked) = asked_ms(request) else {
            return escalate(
                END_NOT_KNOWN,
                format!("When this access would end is not known, and {name} may last {max}"),
            );
        };
        if asked <= max.ms().saturating_add(SLACK_MS) {
            return abstain();
        }
        let asked = Span::of_ms(asked);
        let reason = format!("Access for {asked} is asked for, and {name} may last {max}: ask again for {max} or less");
        match self.over {
            Over::Deny => deny(TOO_LONG, reason),
            Over::Escalate => escalate(TOO_LONG, reason),
        }
    }
}

impl Duration {
    /// The shortest of the limits for this request, with what it is for; of equal ones the first.
    fn shortest(&self, case: &Case, request: &AccessRequest) -> Option<(String, Span)> {
        let applies = |limit: &&Compiled| match limit.selector.any(case, request) {
            Match::Yes | Match::Unknown => true,
            Match::No => false,
        };
        let own = self.limits.iter().filter(applies).map(|limit| (format!("`{}`", limit.name), limit.max));
        let general = self.max.map(|max| ("any access".to_owned(), max));
        own.chain(general).min_by_key(|(_, max)| *max)
    }
}
