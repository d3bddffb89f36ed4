//! Whether a decision can be made again from its record alone, as replays do. It never asks what the controller knew
//! beside that.

use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::decision::{Because, Decision};
use tribunal_core::hearing::{self, Answers};
use tribunal_core::opinion::{Fault, LockOrder, Member, Opinion};
use tribunal_core::record::Decided;
use tribunal_core::request::RequestId;

use super::invariants::Wrong;
use super::policies::Policy;

const POLICIES: [Policy; 4] = [Policy::Separation, Policy::Cap, Policy::Moody, Policy::Shadow];

/// The policies of a record, asked again; what they failed at, they fail at again.
struct Again<'a> {
    members: &'a [Member],
    decided: &'a Decided,
}

impl Again<'_> {
    fn policy(&self, place: usize) -> Policy {
        let name = &self.members[place].name;
        POLICIES.into_iter().find(|policy| policy.member().name == *name).expect("a policy of the simulation")
    }
}

impl Answers for Again<'_> {
    fn review(&mut self, place: usize, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault> {
        match &self.decided.evaluations[place].answer {
            Err(fault) => Err(fault.clone()),
            Ok(_) => Ok(self.policy(place).review(case, request)),
        }
    }

    fn enforce(&mut self, place: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        let name = &self.members[place].name;
        let told = self.decided.enforcements.iter().find(|told| told.member.name == *name);
        match told.map(|told| &told.answer) {
            Some(Err(fault)) => Err(fault.clone()),
            Some(Ok(_)) | None => Ok(self.policy(place).enforce(case)),
        }
    }
}

/// Holds a decision against one that is made again from what is recorded of it.
pub(crate) fn same_again(decided: &Decided) -> Result<(), Wrong> {
    let Some(case) = &decided.case else { return Ok(()) };
    let members: Vec<Member> = match &decided.request {
        Some(_) => decided.evaluations.iter().map(|said| said.member.clone()).collect(),
        None => decided.enforcements.iter().map(|said| said.member.clone()).collect(),
    };
    let mut again = Again { members: &members, decided };
    let heard = match &decided.request {
        Some(request) => hearing::judge(&members, case, &request.id, &mut again),
        None => hearing::put_in_order(&members, case, &mut again),
    };
    // Whether a lock can be had is a question of the moment, of which a record says how it was answered.
    let of_the_moment =
        |decision: &Option<Decision>| matches!(decision, Some(Decision { because: Because::LockImpossible(_), .. }));
    let momentary = of_the_moment(&decided.decision) || of_the_moment(&heard.decision);
    let same = heard.evaluations == decided.evaluations
        && heard.enforcements == decided.enforcements
        && (heard.decision == decided.decision || momentary);
    if same { Ok(()) } else { Err(format!("decision {} is not the same when it is made again: {heard:?}", decided.id)) }
}
