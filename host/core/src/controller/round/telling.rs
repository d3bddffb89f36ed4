//! What the ledger is told of requests that stay pending and of held ones that cannot be put in order: once for each
//! different reason.

use std::sync::Arc;

use super::super::Controller;
use super::super::state::{ShadowSaid, Turn};
use super::Standing;
use crate::action::Action;
use crate::case::Case;
use crate::decision::{Because, Decision, Verdict};
use crate::opinion::{Evaluation, Mode, Panel};
use crate::record::{Decided, DecisionId, Enforcement, Record};
use crate::request::AccessRequest;

/// What policies said about a request that stays pending, and what they were shown.
pub(super) struct Said {
    pub(super) panel: Arc<Panel>,
    pub(super) evaluations: Vec<Evaluation>,
    pub(super) enforcements: Vec<Enforcement>,
    pub(super) case: Option<Arc<Case>>,
}

impl Controller {
    /// What is said where nobody was asked.
    pub(super) fn nothing_said(&self) -> Said {
        Said { panel: Arc::clone(&self.panel), evaluations: Vec::new(), enforcements: Vec::new(), case: None }
    }

    /// Tells the ledger of a request that stays pending, once for each different decision.
    pub(super) fn tell(&mut self, turn: &mut Turn<'_>, request: &AccessRequest, decision: Decision, said: Said) {
        let id = self.next_decision();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        if state.told.get(&request.id) == Some(&decision) {
            return;
        }
        state.told.insert(request.id.clone(), decision.clone());
        let reason = decision.because.reason();
        let Said { panel, evaluations, enforcements, case } = said;
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: Some(request.clone()),
            decision: Some(decision),
            evaluations,
            enforcements,
            locks: Vec::new(),
            releases: Vec::new(),
            reason,
            panel: panel.id.clone(),
            case,
            dry_run: self.settings.dry_run,
        };
        self.decided();
        turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Decided(Box::new(decided))) });
    }

    /// Tells the ledger why held requests cannot be put in order (a policy did not answer, a lock cannot be had), once
    /// for each different reason.
    pub(super) fn tell_standing(&mut self, turn: &mut Turn<'_>, because: Option<Because>, standing: &Standing) {
        let id = self.next_decision();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        if state.told_standing == because {
            return;
        }
        state.told_standing.clone_from(&because);
        let Some(because) = because else {
            return;
        };
        self.record_standing(turn, id, Some(Decision { verdict: Verdict::Leave, because }), standing);
    }

    /// Tells the ledger what policies in shadow mode would lock where nothing is done, so that no other record says it: once
    /// for each different answer.
    pub(super) fn tell_shadows(&mut self, turn: &mut Turn<'_>, standing: &Standing) {
        let id = self.next_decision();
        if self.shadows_are_told(turn, standing) {
            self.record_standing(turn, id, None, standing);
        }
    }

    /// Remembers what policies in shadow mode say of held requests; whether that is anything new to be told.
    pub(super) fn shadows_are_told(&mut self, turn: &Turn<'_>, standing: &Standing) -> bool {
        let said: Vec<ShadowSaid> = standing.enforcements.iter().filter_map(shadow_said).collect();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return false;
        };
        let is_news = !said.is_empty() && state.told_shadows != said;
        state.told_shadows = said;
        is_news
    }

    fn record_standing(
        &mut self,
        turn: &mut Turn<'_>,
        id: DecisionId,
        decision: Option<Decision>,
        standing: &Standing,
    ) {
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: None,
            reason: decision.as_ref().map(|decision| decision.because.reason()).unwrap_or_default(),
            decision,
            evaluations: Vec::new(),
            enforcements: standing.enforcements.clone(),
            locks: Vec::new(),
            releases: Vec::new(),
            panel: standing.panel.id.clone(),
            case: Some(Arc::clone(&standing.case)),
            dry_run: self.settings.dry_run,
        };
        self.decided();
        turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Decided(Box::new(decided))) });
    }
}

/// What a policy in shadow mode said, if that is anything.
fn shadow_said(said: &Enforcement) -> Option<ShadowSaid> {
    match said.member.mode {
        Mode::Enforce => return None,
        Mode::Shadow => {}
    }
    let answer = match &said.answer {
        Ok(orders) if orders.is_empty() => return None,
        Ok(orders) => Ok(orders.iter().map(|order| (order.request.clone(), order.ground.rule.clone())).collect()),
        Err(fault) => Err(fault.kind),
    };
    Some((said.member.name.clone(), answer))
}
