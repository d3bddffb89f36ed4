//! The policy `throttle`: so many requests in so much time, with a pause between them.
//! It must never count a request against itself, nor a later one against an earlier one.

mod settings;

use std::collections::BTreeMap;

use serde::Deserialize;
use tribunal_guest::prelude::*;
use tribunal_terms::{Entries, Marker, Object, Selectors, instant, read_fact, said, utc};

pub use crate::settings::{Over, Settings};

/// There were too many requests before this one.
pub const TOO_MANY_REQUESTS: &str = "too-many-requests";
/// This request follows another one too soon.
pub const TOO_SOON: &str = "too-soon";
/// What is known of earlier requests cannot be relied on now.
pub const HISTORY_NOT_KNOWN: &str = "history-not-known";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Throttle {
    settings: Settings,
    only: Selectors,
    marker: Option<Marker>,
}

tribunal_guest::export!(Throttle);

/// A request that the fact remembers.
#[derive(Debug, Deserialize)]
struct Past {
    id: String,
    /// RFC 3339.
    created: String,
}

// === impl Throttle ===

impl Policy for Throttle {
    type Settings = Settings;

    fn describe() -> Description {
        description(
            "throttle",
            env!("CARGO_PKG_VERSION"),
            "so many requests in so much time, with a pause between them",
        )
        .rule(TOO_MANY_REQUESTS, "the user made too many requests before this one")
        .rule(TOO_SOON, "this request follows another one too soon")
        .rule(HISTORY_NOT_KNOWN, "the fact about earlier requests is missing, out of date or damaged")
        .effect(Effect::Deny)
        .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        if settings.max_requests == 0 {
            faults.push("`max-requests` is 0: it has to be at least 1, or nobody could ask for anything".to_owned());
        }
        let only = Selectors::new("only", &settings.only, &mut faults);
        let marker = settings.unless_marked.as_ref().map(|word| Marker::new("unless-marked", word, &mut faults));
        if faults.is_empty() { Ok(Self { settings, only, marker }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let is_marked = self.marker.as_ref().is_some_and(|marker| marker.is_in(&request.reason));
        if is_marked || !self.only.any(case, request).may_be() {
            return abstain();
        }
        let before = match self.before(case, request) {
            Ok(before) => before,
            Err(why) => {
                let reason = format!("How many requests there were cannot be told, so people decide: {why}");
                return escalate(HISTORY_NOT_KNOWN, reason);
            }
        };
        let grounds = self.grounds(request, &before);
        match self.settings.over {
            Over::Deny => deny_all(grounds).unwrap_or_else(abstain),
            Over::Escalate => match grounds.into_iter().next() {
                Some(Ground { rule, reason }) => escalate(rule, reason),
                None => abstain(),
            },
        }
    }
}

impl Throttle {
    /// When the user's earlier requests were created, oldest first.
    fn before(&self, case: &Case, request: &AccessRequest) -> Result<Vec<Timestamp>, String> {
        let live = case.requests.iter().filter(|other| other.age() < request.age());
        let live = live.filter(|other| self.only.any(case, other).may_be());
        let mut created: BTreeMap<String, Timestamp> = live.map(|other| (other.id.clone(), other.created)).collect();
        if let Some(fact) = &self.settings.fact {
            let user = case.subject.name.as_str();
            let past: BTreeMap<String, Vec<Object<Past>>> =
                read_fact(case, fact, Entries::of(&[user])).map_err(|why| why.to_string())?;
            for Object(Past { id, created: at }) in past.into_values().flatten() {
                let at = instant(&at).map_err(|why| format!("the fact `{fact}` cannot be understood: {why}"))?;
                // A live request says itself when it was created, and whether it counts.
                if at <= request.created && case.find(&id).is_none() {
                    created.insert(id, at);
                }
            }
        }
        let mut created: Vec<Timestamp> = created.into_values().collect();
        created.sort_unstable();
        Ok(created)
    }

    /// All that is wrong, in the order of the rules.
    fn grounds(&self, request: &AccessRequest, before: &[Timestamp]) -> Vec<Ground> {
        let Settings { max_requests, per, cool_down, .. } = &self.settings;
        let mut grounds = Vec::new();
        let since = request.created.saturating_sub(per.ms());
        let counted: Vec<Timestamp> = before.iter().copied().filter(|created| *created > since).collect();
        // It would fit again once all but one less than the limit are out of sight.
        if let Some(last) = counted.len().checked_sub(*max_requests).and_then(|index| counted.get(index)) {
            let at = utc(ceil_to_minute(last.saturating_add(per.ms())));
            let (found, most) = (said(counted.len(), "request"), said(*max_requests, "request"));
            let reason = format!(
                "There were {found} in the {per} before this one, and {most} may be made: ask again after {at}"
            );
            grounds.push(ground(TOO_MANY_REQUESTS, reason));
        }
        if let (Some(pause), Some(last)) = (cool_down, before.last())
            && request.created < last.saturating_add(pause.ms())
        {
            let at = utc(ceil_to_minute(last.saturating_add(pause.ms())));
            let reason =
                format!("This request follows the one before it too soon: wait {pause}, and ask again after {at}");
            grounds.push(ground(TOO_SOON, reason));
        }
        grounds
    }
}

/// Times are told in minutes, and what is told must not be too early.
const fn ceil_to_minute(at: Timestamp) -> Timestamp {
    const MINUTE_MS: u64 = 60_000;
    at.div_ceil(MINUTE_MS).saturating_mul(MINUTE_MS)
}
