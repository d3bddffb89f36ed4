//! Constructors for answers.
//! It must never let text out that the contract forbids: reasons are one line, without control characters, and bounded.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::{Ground, LockOrder, Opinion};

/// Longest reason of one ground, in bytes: what Teleport stores of a whole decision. Longer ones are cut.
pub const REASON_BYTES_MAX: usize = 4096;

/// What a reason that was cut ends with.
const CUT_MARK: &str = "…";

/// Nothing to say; somebody else has to approve.
#[must_use]
pub fn abstain() -> Opinion {
    Opinion::Abstain
}

/// Yes, as far as this policy is concerned.
#[must_use]
pub fn approve(rule: impl Into<String>, reason: impl Into<String>) -> Opinion {
    Opinion::Approve(ground(rule, reason))
}

/// No.
#[must_use]
pub fn deny(rule: impl Into<String>, reason: impl Into<String>) -> Opinion {
    Opinion::Deny(vec![ground(rule, reason)])
}

/// No, on all of these grounds; none where there are none, since a denial without ground is a fault.
#[must_use]
pub fn deny_all(grounds: Vec<Ground>) -> Option<Opinion> {
    if grounds.is_empty() { None } else { Some(Opinion::Deny(grounds)) }
}

/// People have to decide.
#[must_use]
pub fn escalate(rule: impl Into<String>, reason: impl Into<String>) -> Opinion {
    Opinion::Escalate(ground(rule, reason))
}

/// This held request must be locked for as long as its access lasts.
#[must_use]
pub fn lock(request: impl Into<String>, rule: impl Into<String>, reason: impl Into<String>) -> LockOrder {
    LockOrder { request: request.into(), ground: ground(rule, reason), until: None }
}

/// A rule of the policy's description, and a sentence for people. Control characters become spaces, and what goes
/// beyond [`REASON_BYTES_MAX`] is cut: names that a requester chose cannot turn an answer into a fault.
#[must_use]
pub fn ground(rule: impl Into<String>, reason: impl Into<String>) -> Ground {
    Ground { rule: rule.into(), reason: one_line(reason.into()) }
}

fn one_line(text: String) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.len() <= REASON_BYTES_MAX && !text.contains(breaks) {
        return text;
    }
    let mut line = String::new();
    for c in text.chars() {
        let c = if breaks(c) { ' ' } else { c };
        if line.len() + c.len_utf8() > REASON_BYTES_MAX - CUT_MARK.len() {
            // Only a text that does not fit as a whole is cut.
            if text.len() > REASON_BYTES_MAX {
                line.push_str(CUT_MARK);
                break;
            }
        }
        line.push(c);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(ground("rule", "a\nb\u{1b}[31mc\u{2028}d").reason, "a b [31mc d");
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let reason = ground("rule", "é".repeat(REASON_BYTES_MAX)).reason;
        assert!(reason.len() <= REASON_BYTES_MAX && reason.len() > REASON_BYTES_MAX - 8, "{}", reason.len());
        assert!(reason.ends_with("é…"));
    }

    #[test]
    fn a_reason_of_just_the_limit_is_whole() {
        let mut reason = "a".repeat(REASON_BYTES_MAX);
        assert_eq!(ground("rule", reason.clone()).reason, reason);
        reason.replace_range(0..1, "\n");
        assert_eq!(ground("rule", reason).reason, format!(" {}", "a".repeat(REASON_BYTES_MAX - 1)));
    }

    #[test]
    fn a_denial_needs_a_ground() {
        assert_eq!(deny_all(vec![]), None);
        assert_eq!(deny_all(vec![ground("rule", "why")]), Some(deny("rule", "why")));
    }
}
