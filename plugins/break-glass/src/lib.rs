//! The policy `break-glass`: the emergency path, for named people, for a short time, and loud.
//! It must never approve what is not marked, nor anybody who is not named.

mod on_call;
mod settings;

use tribunal_guest::prelude::*;
use tribunal_terms::{Marker, Match, SLACK_MS, Selector, Span, asked_ms, begins, read_fact, utc};

use crate::on_call::{Duty, OnCall};
pub use crate::settings::{Otherwise, Settings};

/// The emergency path is taken.
pub const GLASS_BROKEN: &str = "glass-broken";
/// The request is marked, and not approved by this policy.
pub const NOT_ENTITLED: &str = "not-entitled";

/// Longer access is no emergency.
pub const SPAN_MAX: Span = Span::of_ms(24 * 3_600_000);

/// The configured policy.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    marker: Marker,
    allow: Selector,
    max: Span,
    on_call: Option<String>,
    otherwise: Otherwise,
}

tribunal_guest::export!(BreakGlass);

// === impl BreakGlass ===

impl Policy for BreakGlass {
    type Settings = Settings;

    fn describe() -> Description {
        description(
            "break-glass",
            env!("CARGO_PKG_VERSION"),
            "the emergency path, for named people, for a short time, and loud",
        )
        .rule(GLASS_BROKEN, "somebody who may takes the emergency path")
        .rule(NOT_ENTITLED, "the request is marked as an emergency, and is not for this path")
        .effect(Effect::Approve)
        .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let Settings { marker, allow, max, on_call, otherwise } = settings;
        let marker = Marker::new("marker", &marker, &mut faults);
        if allow.users.is_empty() && allow.traits.is_empty() && allow.standing_roles.is_empty() {
            faults.push("`allow` names nobody: give it `users`, `traits` or `standing-roles`".to_owned());
        }
        if allow.roles.is_empty() {
            faults.push("`allow.roles` is missing: name the roles that may be had in an emergency".to_owned());
        }
        if max > SPAN_MAX {
            faults.push(format!("`max` is {max}: the most is {SPAN_MAX}"));
        }
        let allow = Selector::new("allow", &allow, &mut faults);
        if faults.is_empty() { Ok(Self { marker, allow, max, on_call, otherwise }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        if !self.marker.is_in(&request.reason) {
            return abstain();
        }
        let (user, marker) = (&case.subject.name, self.marker.as_str());
        match self.until(case, request) {
            Ok(until) => {
                log::warn(format!("`{user}` breaks the glass: request {}", request.id));
                let until = utc(until);
                let reason = format!(
                    "{marker}: emergency access for `{user}` until {until}. This is on record and will be looked at: write down \
                     what you do"
                );
                approve(GLASS_BROKEN, reason)
            }
            Err(why) => {
                log::warn(format!("`{user}` may not break the glass: request {}: {why}", request.id));
                match self.otherwise {
                    Otherwise::Escalate => {
                        let reason =
                            format!("The reason says {marker}, and {why}: people decide, or ask again without it");
                        escalate(NOT_ENTITLED, reason)
                    }
                    Otherwise::Abstain => abstain(),
                }
            }
        }
    }
}

impl BreakGlass {
    /// Until when the access is given.
    ///
    /// # Errors
    /// Why it is not.
    fn until(&self, case: &Case, request: &AccessRequest) -> Result<Timestamp, String> {
        match self.allow.all(case, request) {
            Match::Yes => {}
            Match::No => {
                return Err("the emergency path is not for this user, or not for all that is asked for".to_owned());
            }
            Match::Unknown => return Err("whether the emergency path is for this could not be seen".to_owned()),
        }
        if begins(request) > case.now {
            return Err("access that starts later is no emergency".to_owned());
        }
        let max = self.max;
        let (Some(asked), Some(expires)) = (asked_ms(request), request.access_expires) else {
            return Err(format!("when the access would end is not known, and in an emergency it may last {max}"));
        };
        if asked > max.ms().saturating_add(SLACK_MS) {
            let asked = Span::of_ms(asked);
            return Err(format!("in an emergency access may last {max}, and {asked} are asked for"));
        }
        let Some(fact) = &self.on_call else { return Ok(expires) };
        let looked = OnCall { user: &case.subject.name, now: case.now };
        match read_fact(case, fact, looked) {
            Ok(Duty::On(_)) => Ok(expires),
            Ok(Duty::Off) => Err("the requester is not on call now".to_owned()),
            Err(why) => Err(format!("who is on call cannot be told: {why}")),
        }
    }
}
