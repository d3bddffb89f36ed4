//! Requests and locks as they are shown to people and programs. It must never show what is neither on the cluster nor in
//! the ledger.

use serde::Serialize;
use tribunal_proto::types::{AccessRequestV3, LockTarget, LockV2};
use tribunal_sim::Moment;
use tribunal_sim::cluster::in_force;
use tribunal_teleport::convert::RULES_ANNOTATION;

use super::evidence::Evidence;
use super::wire::{id_of, resources_of, state_of, takes_away};

/// What stands between a lock's rule and its decision in the message of a lock of ours:
/// `reason (policy/rule, tribunal decision …)`.
const DECISION_WORDS: &str = ", tribunal decision ";

/// A request, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownRequest {
    /// Its id.
    pub id: String,
    /// Who asked.
    pub user: String,
    /// For which roles; a resource request names those that the server found for it.
    pub roles: Vec<String>,
    /// For which resources, as `/cluster/kind/name[/sub]`.
    pub resources: Vec<String>,
    /// Teleport's name for its state.
    pub state: &'static str,
    /// The reason given with the decision.
    pub resolve_reason: String,
    /// Whether a lock in force takes its access away.
    pub locked: bool,
    /// That lock's message, or nothing.
    pub lock_reason: String,
    /// The rules of the decision about it and of the lock on it, as `policy/rule` (`guard/…` for what the host itself
    /// leaves to people). Without the ledger at hand: what the annotation `tribunal/rules` and the lock's message name.
    pub rules: Vec<String>,
    /// For people: the reason given with the decision, or else the one in the ledger.
    #[serde(skip)]
    pub why: String,
}

/// How a cluster stands in the end, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalState {
    /// In order of creation.
    pub requests: Vec<ShownRequest>,
    /// Decisions in the ledger.
    pub decisions: usize,
    /// Milliseconds from the start to the end of the scenario.
    pub elapsed_ms: u64,
}

/// A lock, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownLock {
    /// Its name.
    pub name: String,
    /// The request that it is on, or nothing.
    pub request: String,
    /// The user that it is on, or nothing.
    pub user: String,
    /// The role that it is on, or nothing.
    pub role: String,
    /// Shown to whom it hits.
    pub message: String,
    /// Who made it.
    pub created_by: String,
    /// When it ends, in RFC 3339; none: when somebody deletes it.
    pub expires: Option<String>,
    /// Whether it is enforced now.
    pub in_force: bool,
}

/// These requests in order of creation, with the locks on them at `now`.
pub(super) fn requests<'a>(
    requests: impl IntoIterator<Item = &'a AccessRequestV3>,
    locks: &[&LockV2],
    evidence: Option<&Evidence>,
    now: Moment,
) -> Vec<ShownRequest> {
    let mut requests: Vec<&AccessRequestV3> = requests.into_iter().collect();
    requests.sort_by_key(|request| (created(request), id_of(request).to_owned()));
    requests.into_iter().map(|request| shown(request, locks, evidence, now)).collect()
}

fn created(request: &AccessRequestV3) -> Option<Moment> {
    Moment::from_proto(request.spec.as_ref()?.created.as_ref())
}

fn shown(request: &AccessRequestV3, locks: &[&LockV2], evidence: Option<&Evidence>, now: Moment) -> ShownRequest {
    let spec = request.spec.clone().unwrap_or_default();
    let lock = locks.iter().find(|lock| takes_away(lock, request, now));
    let lock_reason = lock.and_then(|lock| lock.spec.as_ref()).map(|spec| spec.message.clone()).unwrap_or_default();
    let id = id_of(request).to_owned();
    let rules = evidence.map(|evidence| evidence.rules(&id)).filter(|rules| !rules.is_empty());
    let judged = evidence.and_then(|evidence| evidence.judged(&id));
    let recorded = judged.map(|judged| judged.reason.clone()).unwrap_or_default();
    ShownRequest {
        why: if spec.resolve_reason.is_empty() { recorded } else { spec.resolve_reason.clone() },
        rules: rules.unwrap_or_else(|| visible_rules(request, &lock_reason)),
        user: spec.user.clone(),
        roles: spec.roles.clone(),
        resources: resources_of(&spec),
        state: state_of(request).as_str_name(),
        resolve_reason: spec.resolve_reason,
        locked: lock.is_some(),
        lock_reason,
        id,
    }
}

/// The rules that the cluster itself can tell.
fn visible_rules(request: &AccessRequestV3, lock_reason: &str) -> Vec<String> {
    let annotations = request.spec.as_ref().and_then(|spec| spec.resolve_annotations.as_ref());
    let annotation = annotations.and_then(|annotations| annotations.values.get(RULES_ANNOTATION));
    let mut rules = annotation.map(|rules| rules.values.clone()).unwrap_or_default();
    rules.extend(split_lock_message(lock_reason).1.map(str::to_owned));
    rules
}

/// The reason in a lock's message, and the rule, if it is one of ours.
pub(super) fn split_lock_message(message: &str) -> (&str, Option<&str>) {
    let ours = || {
        let (before, _decision) = message.rsplit_once(DECISION_WORDS)?;
        let (reason, rule) = before.rsplit_once(" (")?;
        rule.contains('/').then_some((reason, rule))
    };
    ours().map_or((message, None), |(reason, rule)| (reason, Some(rule)))
}

/// These locks by name, as they are at `now`.
pub(super) fn locks(locks: Vec<LockV2>, now: Moment) -> Vec<ShownLock> {
    let mut shown: Vec<ShownLock> = locks
        .into_iter()
        .map(|lock| {
            let in_force = in_force(&lock, now);
            let spec = lock.spec.unwrap_or_default();
            let LockTarget { access_request, user, role, .. } = spec.target.unwrap_or_default();
            ShownLock {
                name: lock.metadata.unwrap_or_default().name,
                request: access_request,
                user,
                role,
                message: spec.message,
                created_by: spec.created_by,
                expires: Moment::from_proto(spec.expires.as_ref()).map(rfc3339),
                in_force,
            }
        })
        .collect();
    shown.sort_by(|a, b| a.name.cmp(&b.name));
    shown
}

fn rfc3339(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment.unix_ms())
        .map_or_else(|_out_of_range| format!("{} ms", moment.unix_ms()), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_ours_tells_its_rule_and_another_does_not() {
        let ours = "Too much (of it) (cap/held-over-cap, tribunal decision d-1; if you still need it, ask again)";
        assert_eq!(split_lock_message(ours), ("Too much (of it)", Some("cap/held-over-cap")));
        for other in ["", "gone fishing", "see (this, tribunal decision d-1)", ", tribunal decision "] {
            assert_eq!(split_lock_message(other), (other, None));
        }
    }
}
