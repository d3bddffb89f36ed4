//! The policy `separation`: two classes of access, such as production and research, are never held together.
//! It must never lock a request that conflicts with nothing, and never guess the class of what it cannot read.

#![cfg_attr(target_arch = "wasm32", no_std)]

mod classes;
mod holdings;
pub mod rules;
mod settings;

pub use tribunal_classes::{CLASSES_COUNT_MAX, PATTERN_BYTES_MAX, PATTERNS_COUNT_MAX};
use tribunal_guest::prelude::*;

use crate::classes::{Classes as Compiled, Content};
use crate::holdings::{Holding, Holdings};
pub use crate::settings::{Classes, Conflict, Members, Settings, StandingRoles, WhenCompliant};

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Separation {
    classes: Compiled,
    conflict: Conflict,
    standing_roles: StandingRoles,
    when_compliant: WhenCompliant,
}

tribunal_guest::export!(Separation);

// === impl Separation ===

impl Policy for Separation {
    type Settings = Settings;

    fn describe() -> Description {
        let summary = "two classes of access are never held together";
        rules::ALL
            .iter()
            .fold(description("separation", env!("CARGO_PKG_VERSION"), summary), |described, (id, summary)| {
                described.rule(*id, *summary)
            })
            .effect(Effect::Approve)
            .effect(Effect::Deny)
            .effect(Effect::Escalate)
            .effect(Effect::Lock)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let Settings { classes, conflict, standing_roles, when_compliant } = settings;
        Ok(Self { classes: Compiled::new(&classes)?, conflict, standing_roles, when_compliant })
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let asked = Holding { request, content: self.classes.of_request(request) };
        let holdings = Holdings::new(&self.classes, case, self.standing_roles);
        let mut answer = Answer::default();
        self.review_alone(asked, &mut answer);
        self.review_with_standing(asked, &holdings, &mut answer);
        self.review_with_held(asked, &holdings, &mut answer);
        self.review_labels(asked, &holdings, &mut answer);
        answer.opinion().unwrap_or_else(|| match self.when_compliant {
            WhenCompliant::Abstain => abstain(),
            WhenCompliant::Approve => approve(rules::CLASSES_SEPARATE, "Auto-approved: complies with access policies"),
        })
    }

    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        Holdings::new(&self.classes, case, self.standing_roles).orders(&self.classes, self.conflict)
    }
}

/// The rules that a request violates, each list in the order of the rules.
#[derive(Debug, Default)]
struct Answer {
    against: Vec<Ground>,
    unsure: Vec<Ground>,
}

// === impl Answer ===

impl Answer {
    /// A denial on all grounds for it; otherwise an escalation by the first rule, with the reasons of all of them.
    fn opinion(self) -> Option<Opinion> {
        if let Some(denial) = deny_all(self.against) {
            return Some(denial);
        }
        let reasons: Vec<_> = self.unsure.iter().map(|ground| ground.reason.as_str()).collect();
        self.unsure.first().map(|first| escalate(&first.rule, reasons.join("; ")))
    }
}

impl Separation {
    fn review_alone(&self, asked: Holding<'_>, answer: &mut Answer) {
        if asked.content.set.is_mixed() {
            let details = self.classes.details(asked.request);
            let reason = format!("Request contains conflicting environments - {details}");
            answer.against.push(ground(rules::REQUEST_MIXES_CLASSES, reason));
        }
    }

    fn review_with_standing(&self, asked: Holding<'_>, holdings: &Holdings<'_>, answer: &mut Answer) {
        let (own, standing) = (asked.content.set, &holdings.standing);
        if !standing.set.conflicts(own) {
            return;
        }
        let reason = format!(
            "Request conflicts with standing roles {} ({})",
            standing.names(own),
            self.classes.versus(own.with(standing.set))
        );
        let ground = ground(rules::CONFLICTS_WITH_STANDING, reason);
        match self.conflict {
            Conflict::NewestWins | Conflict::OldestWins => answer.against.push(ground),
            Conflict::Escalate => answer.unsure.push(ground),
        }
    }

    fn review_with_held(&self, asked: Holding<'_>, holdings: &Holdings<'_>, answer: &mut Answer) {
        let conflicts = |holding: &&Holding<'_>| holding.content.set.conflicts(asked.content.set);
        if let Some(other) = holdings.exempt.iter().find(conflicts) {
            let reason = self.held_reason(asked, *other, "which must not be locked");
            answer.unsure.push(ground(rules::CONFLICTS_WITH_EXEMPT, reason));
        }
        let walk = holdings.walk(self.conflict);
        // An approval must not be followed by the approved request's own lock.
        let stays = |holding: &&Holding<'_>| match self.conflict {
            Conflict::NewestWins => holding.request.age() > asked.request.age(),
            Conflict::OldestWins | Conflict::Escalate => true,
        };
        let Some(other) = walk.kept.iter().filter(stays).find(conflicts) else { return };
        let (grounds, why) = match self.conflict {
            Conflict::NewestWins => (&mut answer.unsure, "which is newer and does not give way"),
            Conflict::OldestWins => (&mut answer.against, "which does not give way"),
            Conflict::Escalate => (&mut answer.unsure, "of which people decide"),
        };
        grounds.push(ground(rules::CONFLICTS_WITH_HELD, self.held_reason(asked, *other, why)));
    }

    fn held_reason(&self, asked: Holding<'_>, other: Holding<'_>, why: &str) -> String {
        let versus = self.classes.versus(asked.content.set.with(other.content.set));
        let details = self.classes.details(other.request);
        format!("Request conflicts with held request {}, {why} ({versus}) - {details}", other.request.id)
    }

    /// A resource of unknown class may be in any: neither it nor what it is held with is known to be separate.
    fn review_labels(&self, asked: Holding<'_>, holdings: &Holdings<'_>, answer: &mut Answer) {
        let Content { set, unread } = asked.content;
        if unread {
            let reason = "The labels of a requested resource could not be read, so its class is not known";
            answer.unsure.push(ground(rules::LABELS_UNKNOWN, reason));
            return;
        }
        if set.is_empty() {
            return;
        }
        let walk = holdings.walk(self.conflict);
        let gives_way = |holding: &Holding<'_>| holding.content.set.conflicts(set);
        let stays = holdings.exempt.iter().chain(&walk.kept).filter(|holding| !gives_way(holding));
        if let Some(other) = stays.into_iter().find(|holding| holding.content.unread) {
            let reason = format!(
                "The labels of a resource of held request {} could not be read, so its class is not known",
                other.request.id
            );
            answer.unsure.push(ground(rules::LABELS_UNKNOWN, reason));
        }
    }
}
