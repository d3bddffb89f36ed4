//! The policy `cap`: at most so many resources for a user at one time; what is held longest gives way to what is new.
//! It must never count what gives no access, and never lock a request whose loss makes no room.

#![cfg_attr(target_arch = "wasm32", no_std)]

mod overflow;
mod settings;
mod usage;

use tribunal_guest::prelude::*;

use crate::overflow::Holding;
pub use crate::settings::{Order, Promoted, RoleOnlyRequests, Settings, Unit, WhenCompliant};
use crate::usage::Tally;

/// The request complies; somebody's approval is needed, and this policy may give it.
pub const WITHIN_CAP: &str = "within-cap";
/// The request alone asks for more than the limit.
pub const REQUEST_OVER_CAP: &str = "request-over-cap";
/// Newer requests, which do not give way to this one, already fill the limit.
pub const NEWER_FILL_CAP: &str = "newer-fill-cap";
/// Held together the requests exceed the limit, and this one gives way.
pub const HELD_OVER_CAP: &str = "held-over-cap";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Cap {
    settings: Settings,
    /// The limit, in units.
    max: usize,
}

tribunal_guest::export!(Cap);

// === impl Cap ===

impl Policy for Cap {
    type Settings = Settings;

    fn describe() -> Description {
        description("cap", env!("CARGO_PKG_VERSION"), "at most so many resources for a user, the oldest give way")
            .rule(WITHIN_CAP, "the request fits the limit once older ones have given way")
            .rule(REQUEST_OVER_CAP, "the request alone exceeds the limit")
            .rule(NEWER_FILL_CAP, "newer or permanent access fills the limit and does not give way to this request")
            .rule(HELD_OVER_CAP, "the held requests exceed the limit and this one gives way")
            .effect(Effect::Approve)
            .effect(Effect::Deny)
            .effect(Effect::Escalate)
            .effect(Effect::Lock)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let max = usize::try_from(settings.max_resources).unwrap_or(usize::MAX);
        if max == 0 {
            return Err(vec!["`max-resources` is 0: it must be at least 1, or nobody could hold anything".to_owned()]);
        }
        Ok(Self { settings, max })
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let (_, asked) = usage::numbered(&[usage::items(&self.settings, request)]);
        let (max, unit) = (self.max, self.settings.unit.plural());
        if asked > max {
            let reason = format!("Request contains {asked} {unit}, exceeds limit of {max}");
            return deny(REQUEST_OVER_CAP, reason);
        }
        self.warn_of_promoted(case);

        // What enforcement would lock if the request were approved must not be the request itself.
        let losers = self.give_way(case, |other| other.id == request.id || counts(case, other));
        if losers.iter().any(|loser| loser.id == request.id) {
            let reason = format!(
                "Newer or permanent access already fills the limit of {max} {unit}: this request would be locked at once"
            );
            return escalate(NEWER_FILL_CAP, reason);
        }
        match self.settings.when_compliant {
            WhenCompliant::Approve => approve(WITHIN_CAP, "Auto-approved: complies with access policies"),
            WhenCompliant::Abstain => abstain(),
        }
    }

    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        let reason = format!("Exceeded maximum approved {} limit ({})", self.settings.unit.plural(), self.max);
        let losers = self.give_way(case, |request| counts(case, request));
        losers.into_iter().map(|loser| lock(&loser.id, HELD_OVER_CAP, &reason)).collect()
    }
}

impl Cap {
    /// Of these requests those that give way, oldest first.
    fn give_way<'a>(&self, case: &'a Case, among: impl Fn(&AccessRequest) -> bool) -> Vec<&'a AccessRequest> {
        let mut requests: Vec<_> = case.requests.iter().filter(|request| among(request)).collect();
        requests.sort_unstable_by(|a, b| a.age().cmp(&b.age()));
        let mut taken: Vec<_> = requests.iter().map(|request| usage::items(&self.settings, request)).collect();
        if self.settings.promoted == Promoted::Count {
            taken.push(promoted(case).flat_map(|request| usage::items(&self.settings, request)).collect());
        }
        let (mut things, count) = usage::numbered(&taken);
        let mut kept = Tally::new(count);
        for permanent in things.drain(requests.len()..) {
            kept.add(&permanent);
        }
        let holdings: Vec<_> =
            requests.into_iter().zip(things).map(|(request, things)| Holding { request, things }).collect();
        match self.settings.order {
            Order::OldestFirst => overflow::oldest_first(self.max, kept, &holdings),
            Order::SkipFit => overflow::skip_fit(self.max, kept, &holdings),
        }
    }

    fn warn_of_promoted(&self, case: &Case) {
        let count = promoted(case).count();
        if self.settings.promoted == Promoted::Ignore && count > 0 {
            log::warn(format!(
                "{count} promoted requests are not counted: their access is permanent (setting `promoted`)"
            ));
        }
    }
}

/// What is held and not exempt by the operator.
fn counts(case: &Case, request: &AccessRequest) -> bool {
    request.is_held(case.now) && !request.is_exempt()
}

fn promoted(case: &Case) -> impl Iterator<Item = &AccessRequest> {
    let is_promoted = |request: &&AccessRequest| request.state == RequestState::Promoted;
    case.requests.iter().filter(is_promoted).filter(|request| !request.has_expired(case.now))
}
