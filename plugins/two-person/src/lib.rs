//! The policy `two-person`: some access needs the approval of several people, of whom the requester is none.
//! It must never count a machine, the requester, or the same person twice.

mod reviewers;
mod settings;

use tribunal_guest::prelude::*;
use tribunal_terms::{Globs, Marker, Selectors, listed, said};

use crate::reviewers::Reviewers;
pub use crate::settings::{Settings, WhenMet};

/// Enough people have approved.
pub const ENOUGH_APPROVED: &str = "enough-approved";
/// More people have to approve.
pub const APPROVALS_MISSING: &str = "approvals-missing";
/// Somebody whose word counts has denied.
pub const SOMEBODY_DENIED: &str = "somebody-denied";
/// What is known of the reviewers cannot be relied on now.
pub const REVIEWERS_NOT_KNOWN: &str = "reviewers-not-known";

/// More approvals than this nobody waits for.
pub const APPROVALS_COUNT_MAX: usize = 16;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct TwoPerson {
    settings: Settings,
    reviewers: Option<Globs>,
    roles: Option<Globs>,
    only: Selectors,
    marker: Option<Marker>,
}

tribunal_guest::export!(TwoPerson);

// === impl TwoPerson ===

impl Policy for TwoPerson {
    type Settings = Settings;

    fn describe() -> Description {
        description("two-person", env!("CARGO_PKG_VERSION"), "some access needs the approval of several people")
            .rule(ENOUGH_APPROVED, "enough people other than the requester have approved")
            .rule(APPROVALS_MISSING, "more people other than the requester have to approve")
            .rule(SOMEBODY_DENIED, "somebody whose approval would count has denied")
            .rule(REVIEWERS_NOT_KNOWN, "the fact about the reviewers is missing, out of date or damaged")
            .effect(Effect::Approve)
            .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        if !(1..=APPROVALS_COUNT_MAX).contains(&settings.approvals) {
            let approvals = settings.approvals;
            faults.push(format!("`approvals` is {approvals}: it has to be 1 to {APPROVALS_COUNT_MAX}"));
        }
        let mut globs =
            |key: &str, patterns: &[String]| (!patterns.is_empty()).then(|| Globs::new(key, patterns, &mut faults));
        let reviewers = globs("reviewers", &settings.reviewers);
        let roles = globs("reviewer-roles", &settings.reviewer_roles);
        let only = Selectors::new("only", &settings.only, &mut faults);
        let marker = settings.unless_marked.as_ref().map(|word| Marker::new("unless-marked", word, &mut faults));
        if faults.is_empty() { Ok(Self { settings, reviewers, roles, only, marker }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let is_marked = self.marker.as_ref().is_some_and(|marker| marker.is_in(&request.reason));
        if is_marked || !self.only.any(case, request).may_be() {
            return abstain();
        }
        let said = match Reviewers::of(case, request, &self.criteria()) {
            Ok(said) => said,
            Err(why) => {
                let reason = format!("Whose approval counts cannot be told, so people decide: {why}");
                return escalate(REVIEWERS_NOT_KNOWN, reason);
            }
        };
        if !said.denied.is_empty() {
            let names = listed(said.denied.iter().copied());
            return escalate(SOMEBODY_DENIED, format!("{names} denied this: people decide whether that stands"));
        }
        if said.approved.len() < self.settings.approvals {
            return escalate(APPROVALS_MISSING, self.missing(&said));
        }
        match self.settings.when_met {
            WhenMet::Abstain => abstain(),
            WhenMet::Approve => {
                let names = listed(said.approved.iter().copied());
                approve(ENOUGH_APPROVED, format!("Approved by {names}, as needed"))
            }
        }
    }
}

impl TwoPerson {
    fn criteria(&self) -> reviewers::Criteria<'_> {
        let Settings { fact, other_team, .. } = &self.settings;
        reviewers::Criteria {
            names: self.reviewers.as_ref(),
            roles: self.roles.as_ref(),
            other_team: *other_team,
            fact,
        }
    }

    fn missing(&self, said_so_far: &Reviewers<'_>) -> String {
        let wanted = self.settings.approvals;
        let more = said(wanted.saturating_sub(said_so_far.approved.len()), "more approval");
        let so_far = match said_so_far.approved.as_slice() {
            [] => "nobody whose approval counts has approved yet".to_owned(),
            names => format!("{} approved", listed(names.iter().copied())),
        };
        let whose = match (&self.reviewers, &self.roles) {
            (None, None) => String::new(),
            (Some(_), _) | (None, Some(_)) => " of those who may give one".to_owned(),
        };
        format!(
            "This needs {}{whose} by people other than the requester; {so_far}: ask for {more}",
            said(wanted, "approval")
        )
    }
}
