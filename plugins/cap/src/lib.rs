//! The policy `cap`: at most so many resources for a user at one time; what is held longest gives way to what is new.
//! It must never count what gives no access, and never lock a request whose loss makes no room.

mod overflow;
mod settings;
mod usage;

use tribunal_guest::prelude::*;

use crate::overflow::Holding;
pub use crate::settings::{Order, Promoted, RoleOnlyRequests, Settings, Unit, WhenCompliant};

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
        let asked = self.holding(request);
        let (max, unit) = (self.max, self.settings.unit.plural());
        if asked.units() > max {
            let reason = format!("Request contains {} {unit}, exceeds limit of {max}", asked.units());
            return deny(REQUEST_OVER_CAP, reason);
        }
        self.warn_of_promoted(case);

        // What enforcement would lock if the request were approved must not be the request itself.
        let mut holdings = self.held(case);
        holdings.retain(|holding| holding.request.id != request.id);
        holdings.push(asked);
        if self.give_way(case, holdings).iter().any(|loser| loser.id == request.id) {
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
        let losers = self.give_way(case, self.held(case));
        losers.into_iter().map(|loser| lock(&loser.id, HELD_OVER_CAP, &reason)).collect()
    }
}

impl Cap {
    /// What counts: held requests that the operator does not exempt.
    fn held<'a>(&self, case: &'a Case) -> Vec<Holding<'a>> {
        case.held().filter(|request| !request.is_exempt()).map(|request| self.holding(request)).collect()
    }

    fn holding<'a>(&self, request: &'a AccessRequest) -> Holding<'a> {
        Holding { request, items: usage::items(&self.settings, request) }
    }

    fn give_way<'a>(&self, case: &'a Case, mut holdings: Vec<Holding<'a>>) -> Vec<&'a AccessRequest> {
        holdings.sort_unstable_by(|a, b| a.request.age().cmp(&b.request.age()));
        let permanent = match self.settings.promoted {
            Promoted::Ignore => Vec::new(),
            Promoted::Count => promoted(case).flat_map(|request| usage::items(&self.settings, request)).collect(),
        };
        match self.settings.order {
            Order::OldestFirst => overflow::oldest_first(self.max, &permanent, &holdings),
            Order::SkipFit => overflow::skip_fit(self.max, &permanent, &holdings),
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

fn promoted(case: &Case) -> impl Iterator<Item = &AccessRequest> {
    let is_promoted = |request: &&AccessRequest| request.state == RequestState::Promoted;
    case.requests.iter().filter(is_promoted).filter(|request| !request.has_expired(case.now))
}
