//! Texts that leave the core: reasons for requesters, messages of locks. Pure; it decides nothing.

use crate::REASON_BYTES_MAX;
use crate::lock::{SEAL_BYTES, sealed};
use crate::opinion::{Ground, Mode, Panel, PolicyName};
use crate::record::DecisionId;
use crate::request::{DECISION_WORDS, RequestId};
use crate::time::Timestamp;

/// A reason as Teleport takes it: cut at its limit, with a pointer to the decision that has all of it.
pub(crate) fn reason(full: &str, decision: &DecisionId) -> String {
    cut(full, &format!("… (all of it: decision {decision})"), REASON_BYTES_MAX)
}

/// The words of a review: the reason, cut at Teleport's limit, and always the decision, by which the review is known.
pub(crate) fn review(full: &str, decision: &DecisionId) -> String {
    let tail = format!(" {DECISION_WORDS}{decision})");
    let mut text = cut(full, "…", REASON_BYTES_MAX.saturating_sub(tail.len()));
    text.push_str(&tail);
    text
}

/// The message of a lock: the reason, the rule, the decision, and what the user can do; sealed.
pub(crate) fn lock_message(
    policy: &PolicyName,
    ground: &Ground,
    decision: &DecisionId,
    request: &RequestId,
    expires: Option<Timestamp>,
) -> String {
    let tail = format!(
        " ({policy}/{}, tribunal decision {decision}; if you still need this access, request it again)",
        ground.rule
    );
    let room = REASON_BYTES_MAX.saturating_sub(tail.len()).saturating_sub(SEAL_BYTES);
    let mut text = cut(&ground.reason, "…", room);
    text.push_str(&tail);
    sealed(&text, request, expires)
}

/// A panel, for people: its members in their order, and what names it in the ledger.
pub(crate) fn panel(panel: &Panel) -> String {
    let members = panel.members.iter().map(|member| match member.mode {
        Mode::Enforce => member.name.as_str().to_owned(),
        Mode::Shadow => format!("{} (shadow)", member.name),
    });
    let members = members.collect::<Vec<_>>().join(", ");
    match &panel.id {
        Some(id) => format!("{members}; panel {id}"),
        None => members,
    }
}

/// `text`, or as much of it as fits into `bytes_max` with `tail` behind it.
fn cut(text: &str, tail: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(tail.len()));
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push_str(tail);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_teleports_limit_and_points_to_the_decision() {
        let id = DecisionId::new("d-1");
        for length in [4_000, 4_095, 4_096, 4_097, 10_000] {
            let text = "ä".repeat(length / 2);
            let reason = reason(&text, &id);
            assert!(reason.len() <= REASON_BYTES_MAX, "{length}: {}", reason.len());
            assert_eq!(reason == text, text.len() <= REASON_BYTES_MAX);
            assert_eq!(reason.ends_with("decision d-1)"), text.len() > REASON_BYTES_MAX);
        }
    }

    #[test]
    fn a_review_names_its_decision_whatever_the_length_of_the_reason() {
        let id = DecisionId::new("d-1");
        for length in [0, 10, 4_000, 4_070, 4_096, 10_000] {
            let reason = review(&"ä".repeat(length / 2), &id);
            assert!(reason.len() <= REASON_BYTES_MAX, "{length}: {}", reason.len());
            let author = crate::request::UserName::new("bot-tribunal");
            let state = crate::request::RequestState::Approved;
            let review = crate::request::Review { author, state, reason, created: Timestamp::default() };
            assert_eq!(review.decision(), Some("d-1"));
        }
    }

    #[test]
    fn a_lock_message_names_rule_and_decision_whatever_the_length_of_the_reason() {
        let ground = Ground { rule: "held-over-cap".to_owned(), reason: "x".repeat(5_000) };
        let message =
            lock_message(&PolicyName::new("cap"), &ground, &DecisionId::new("d-7"), &RequestId::new("r1"), None);
        assert!(message.len() <= REASON_BYTES_MAX);
        assert!(message.contains("cap/held-over-cap, tribunal decision d-7"));
    }
}
