//! Whom and what the daemon is for: requests outside of its scope are neither resolved nor locked, and exemptions keep
//! single ones from being locked until a set time. Pure; it says nothing about what policies make of that.

use crate::request::{AccessRequest, RequestId, UserName};
use crate::time::Timestamp;

/// Names with `*` for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// Which names are in: those that match one of `include`, if it has any, and none of `exclude`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// One of these must match; empty: anything does.
    pub include: Vec<Pattern>,
    /// None of these may match.
    pub exclude: Vec<Pattern>,
}

/// Which requests the daemon is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// By the name of the user.
    pub users: Selector,
    /// By role: each role of the request must be in.
    pub roles: Selector,
}

/// An operator's word that something is not to be locked for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// What.
    pub on: Exempt,
    /// Until when.
    pub until: Timestamp,
    /// Why, for the record.
    pub reason: String,
}

/// What an [`Exemption`] is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exempt {
    /// One request.
    Request(RequestId),
    /// All requests of a user.
    User(UserName),
}

// === impl Pattern ===

impl Pattern {
    /// The pattern `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it matches the whole of `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            // The first place is the best: it leaves the most for what follows.
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

// === impl Selector ===

impl Selector {
    fn takes(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

// === impl Scope ===

impl Scope {
    /// Whether a request is the daemon's business.
    #[must_use]
    pub fn takes(&self, request: &AccessRequest) -> bool {
        self.users.takes(request.user.as_str()) && request.roles.iter().all(|role| self.roles.takes(role))
    }
}

// === impl Exemption ===

impl Exemption {
    /// Whether it keeps a request from being locked at `now`.
    #[must_use]
    pub fn covers(&self, request: &AccessRequest, now: Timestamp) -> bool {
        self.until > now
            && match &self.on {
                Exempt::Request(id) => *id == request.id,
                Exempt::User(user) => *user == request.user,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run_of_characters() {
        for (pattern, name, matches) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("prod", "prod", true),
            ("prod", "prod-a", false),
            ("prod*", "prod-a", true),
            ("*prod", "non-prod", true),
            ("*prod", "prod-a", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("a**a", "aa", true),
            ("*ab*ab", "ab", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_excluded_is_out_whatever_includes_it() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(*text)).collect::<Vec<_>>();
        let all = Selector::default();
        assert!(all.takes("anybody"));
        let some = Selector { include: patterns(&["a*", "b"]), exclude: patterns(&["*-admin"]) };
        assert!(some.takes("anna") && some.takes("b"));
        assert!(!some.takes("a-admin") && !some.takes("c"));
    }
}
