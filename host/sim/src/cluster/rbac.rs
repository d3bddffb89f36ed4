//! Role-based access control: what a caller's roles allow and deny. It reads roles and never objects.

use super::refusal::access_denied;
use super::{Caller, Cluster, Refusal};
use crate::scenario::{ConditionsDef, RoleDef};

impl Cluster {
    /// The defined roles among these names.
    pub(super) fn role_set<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a RoleDef> {
        names.iter().filter_map(|name| self.roles.get(name))
    }

    /// Whether the caller's roles give this verb on this kind.
    pub(super) fn can(&self, caller: &Caller, kind: &str, verb: &str) -> bool {
        let roles = self.caller_roles(caller);
        self.role_set(&roles).any(|role| grants(&role.allow, kind, verb)) && !self.denied(caller, kind, verb)
    }

    /// Whether a deny rule names this verb on this kind, which is worse than holding no rule for it.
    pub(super) fn denied(&self, caller: &Caller, kind: &str, verb: &str) -> bool {
        self.role_set(&self.caller_roles(caller)).any(|role| grants(&role.deny, kind, verb))
    }

    /// Refuses unless the caller has all these verbs.
    pub(super) fn require(&self, caller: &Caller, kind: &str, verbs: &[&str]) -> Result<(), Refusal> {
        match verbs.iter().find(|verb| !self.can(caller, kind, verb)) {
            None => Ok(()),
            Some(verb) => Err(no_verb(kind, verb)),
        }
    }

    /// Refuses people where administrative actions need a second factor, which cannot be given here.
    pub(super) fn require_admin_action(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.settings.admin_mfa && !caller.bot {
            return Err(access_denied("administrative actions need multi-factor authentication"));
        }
        Ok(())
    }

    /// The certificate's roles, and those of the requests that it assumed.
    pub(super) fn caller_roles(&self, caller: &Caller) -> Vec<String> {
        let mut roles = caller.roles.clone();
        for request in caller.active_requests.iter().filter_map(|id| self.requests.get(id)) {
            roles.extend(super::spec_of(request).roles.iter().cloned());
        }
        roles.dedup();
        roles
    }
}

/// The refusal of whoever lacks a verb, or is denied it.
pub(super) fn no_verb(kind: &str, verb: &str) -> Refusal {
    access_denied(format!("access denied to perform action `{verb}` on `{kind}`"))
}

fn grants(half: &ConditionsDef, kind: &str, verb: &str) -> bool {
    half.rules.iter().any(|rule| names(&rule.resources, kind) && names(&rule.verbs, verb))
}

/// A rule's list names a kind or verb, literally or by `*`.
pub(super) fn names(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == "*" || item == wanted)
}

/// Whether a role pattern, in which `*` stands for any text, covers all of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(first) = pieces.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_covers_the_whole_name() {
        for (pattern, text) in [
            ("*", "x"),
            ("*", ""),
            ("a", "a"),
            ("prod-*", "prod-"),
            ("*-admin", "x-admin"),
            ("a*b*c", "a1b2c"),
            ("a*b*c", "abbc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", "ab"), ("prod-*", "xprod-"), ("*-admin", "x-admins"), ("", "x"), ("a*a", "a"), ("a*b*c", "acb")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
