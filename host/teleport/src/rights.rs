//! What an identity may do, as its roles say.
//!
//! Must never promise a right that holds only sometimes.

use std::collections::BTreeSet;

use tribunal_core::scope::Pattern;

/// Stands for every kind, and for every verb.
const WILDCARD: &str = "*";

/// Verbs by kind of resource, as in `("lock", &["list", "read"])`.
pub type Needed<'a> = (&'a str, &'a [&'a str]);

/// What it takes to see all requests. With less a server lists a part, and does not say so.
pub const TO_SEE_REQUESTS: Needed<'static> = ("access_request", &["list", "read"]);
/// What it takes to see any locks.
pub const TO_SEE_LOCKS: Needed<'static> = ("lock", &["list", "read"]);
/// What a complete view needs.
pub const TO_SEE: &[Needed<'static>] = &[TO_SEE_REQUESTS, TO_SEE_LOCKS];
/// What it takes to approve and deny by setting the state of requests, beside seeing them. Reviews need no verb, but
/// [`Rights::may_review`].
pub const TO_RESOLVE: &[Needed<'static>] = &[("access_request", &["update"])];
/// What it takes to make and renew locks, beside seeing them.
pub const TO_LOCK: &[Needed<'static>] = &[("lock", &["create", "update"])];
/// What it takes to release them.
pub const TO_RELEASE: &[Needed<'static>] = &[("lock", &["delete"])];
/// What it takes to hold a lease, so that of several daemons one at a time acts.
pub const TO_HOLD: &[Needed<'static>] = &[("semaphore", &["create", "update"])];
/// What it takes to see who holds one, so that another takes over at once when it is given back.
pub const TO_SEE_HOLDERS: &[Needed<'static>] = &[("semaphore", &["list", "read"])];
/// What it takes to see the roles and traits that users have beside their requests, as of their last login.
pub const TO_SEE_LOGINS: &[Needed<'static>] = &[("user_login_state", &["read"])];
/// The same of users who never logged in, such as bots.
pub const TO_SEE_USERS: &[Needed<'static>] = &[("user", &["read"])];

/// Rules of roles: who is allowed something by one and denied it by none may do it.
///
/// What Teleport grants everybody without a role, such as listing nodes, is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    allowed: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
    reviewed: BTreeSet<String>,
    never_reviewed: BTreeSet<String>,
    previewed_as: BTreeSet<String>,
}

// === impl Rights ===

impl Rights {
    /// Adds verbs on kinds of resources; `*` stands for all. To allow what holds only under a condition would be a
    /// promise that cannot be kept: such rules are left out.
    pub fn allow(&mut self, resources: &[String], verbs: &[String]) {
        self.allowed.extend(pairs(resources, verbs));
    }

    /// Takes verbs on kinds of resources away, whatever allows them and in whatever order that was said. A denial
    /// under a condition counts as one.
    pub fn deny(&mut self, resources: &[String], verbs: &[String]) {
        self.denied.extend(pairs(resources, verbs));
    }

    /// Adds patterns of roles whose requests may be reviewed, always: `*` stands for any characters.
    pub fn allow_review(&mut self, roles: &[String]) {
        self.reviewed.extend(roles.iter().cloned());
    }

    /// Takes such patterns away, whatever allows them.
    pub fn deny_review(&mut self, roles: &[String]) {
        self.never_reviewed.extend(roles.iter().cloned());
    }

    /// Adds roles as which the resources that requests name may be looked at.
    pub fn allow_preview(&mut self, roles: &[String]) {
        self.previewed_as.extend(roles.iter().cloned());
    }

    /// Whether requests for whatever `pattern` matches may be reviewed. A denial that takes only a part of it away does
    /// not count: who may review the rest is not without the right.
    #[must_use]
    pub fn may_review(&self, pattern: &str) -> bool {
        // What matches a pattern's own text, stars and all, matches whatever it matches.
        let is_in = |patterns: &BTreeSet<String>| patterns.iter().any(|known| Pattern::new(known).matches(pattern));
        is_in(&self.reviewed) && !is_in(&self.never_reviewed)
    }

    /// The roles as which the resources that requests name may be looked at.
    #[must_use]
    pub fn previewed_as(&self) -> &BTreeSet<String> {
        &self.previewed_as
    }

    /// The patterns of roles whose requests may be reviewed.
    #[must_use]
    pub fn reviewed(&self) -> &BTreeSet<String> {
        &self.reviewed
    }

    /// Whether `verb` may be done to resources of this kind, always.
    #[must_use]
    pub fn may(&self, resource: &str, verb: &str) -> bool {
        covers(&self.allowed, resource, verb) && !covers(&self.denied, resource, verb)
    }

    /// What of `needed` is not there, a text for each kind, as in `access_request: list, read`.
    #[must_use]
    pub fn missing(&self, needed: &[Needed<'_>]) -> Vec<String> {
        let missing = |(resource, verbs): &Needed<'_>| {
            let verbs: Vec<&str> = verbs.iter().copied().filter(|verb| !self.may(resource, verb)).collect();
            (!verbs.is_empty()).then(|| format!("{resource}: {}", verbs.join(", ")))
        };
        needed.iter().filter_map(missing).collect()
    }

    /// What is there beyond `needed`, as roles say it: a text for each kind, `*` for all.
    #[must_use]
    pub fn beyond(&self, needed: &[Needed<'_>]) -> Vec<String> {
        let is_needed =
            |resource: &str, verb: &str| needed.iter().any(|(kind, verbs)| *kind == resource && verbs.contains(&verb));
        let mut beyond: Vec<(&str, Vec<&str>)> = Vec::new();
        for (resource, verb) in &self.allowed {
            if is_needed(resource, verb) || covers(&self.denied, resource, verb) {
                continue;
            }
            match beyond.last_mut() {
                Some((last, verbs)) if *last == resource => verbs.push(verb),
                Some(_) | None => beyond.push((resource, vec![verb])),
            }
        }
        beyond.into_iter().map(|(resource, verbs)| format!("{resource}: {}", verbs.join(", "))).collect()
    }
}

fn pairs<'a>(resources: &'a [String], verbs: &'a [String]) -> impl Iterator<Item = (String, String)> + 'a {
    resources.iter().flat_map(move |resource| verbs.iter().map(move |verb| (resource.clone(), verb.clone())))
}

fn covers(rules: &BTreeSet<(String, String)>, resource: &str, verb: &str) -> bool {
    rules
        .iter()
        .any(|(kind, allowed)| (kind == WILDCARD || kind == resource) && (allowed == WILDCARD || allowed == verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn rights(allow: &[(&[&str], &[&str])], deny: &[(&[&str], &[&str])]) -> Rights {
        let mut rights = Rights::default();
        for (resources, verbs) in deny {
            rights.deny(&strings(resources), &strings(verbs));
        }
        for (resources, verbs) in allow {
            rights.allow(&strings(resources), &strings(verbs));
        }
        rights
    }

    #[test]
    fn no_roles_give_no_rights() {
        let nothing = Rights::default();
        assert_eq!(nothing.missing(TO_RESOLVE), ["access_request: update"]);
        assert_eq!(nothing.missing(TO_SEE), ["access_request: list, read", "lock: list, read"]);
        assert_eq!(nothing.missing(&[]), [""; 0]);
    }

    #[test]
    fn what_may_be_reviewed_is_what_a_pattern_covers_and_none_denies() {
        let mut rights = Rights::default();
        assert!(!rights.may_review("prod-a"));
        rights.allow_review(&strings(&["prod-*", "lab"]));
        for (pattern, may) in [("prod-a", true), ("prod-*", true), ("lab", true), ("*", false), ("p*", false)] {
            assert_eq!(rights.may_review(pattern), may, "{pattern}");
        }
        rights.deny_review(&strings(&["prod-a"]));
        assert!(!rights.may_review("prod-a") && rights.may_review("prod-*") && rights.may_review("prod-b"));
        rights.deny_review(&strings(&["*"]));
        assert!(!rights.may_review("lab"));
        rights.allow_preview(&strings(&["looker"]));
        assert_eq!(rights.previewed_as().iter().collect::<Vec<_>>(), ["looker"]);
    }

    #[test]
    fn only_what_is_not_there_is_missing() {
        let some = rights(&[(&["access_request", "lock"], &["read"]), (&["lock"], &["list"])], &[]);
        assert_eq!(some.missing(TO_SEE), ["access_request: list"]);
        assert_eq!(some.missing(TO_LOCK), ["lock: create, update"]);
        assert_eq!(some.missing(TO_RELEASE), ["lock: delete"]);
    }

    #[test]
    fn a_wildcard_stands_for_every_kind_and_every_verb() {
        for (resources, verbs) in [(["*"], ["*"]), (["lock"], ["*"])] {
            assert_eq!(rights(&[(&resources, &verbs)], &[]).missing(TO_LOCK), [""; 0]);
        }
        assert!(rights(&[(&["*"], &["list"])], &[]).may("lock", "list"));
        assert!(!rights(&[(&["*"], &["list"])], &[]).may("lock", "read"));
        assert!(!rights(&[(&["node"], &["*"])], &[]).may("lock", "list"));
    }

    #[test]
    fn a_denial_beats_every_allowance() {
        let all: &[(&[&str], &[&str])] = &[(&["*"], &["*"]), (&["lock"], &["delete"])];
        assert_eq!(rights(all, &[(&["lock"], &["delete"])]).missing(TO_RELEASE), ["lock: delete"]);
        assert_eq!(rights(all, &[(&["lock"], &["*"])]).missing(TO_SEE), ["lock: list, read"]);
        assert_eq!(rights(all, &[(&["*"], &["list"])]).missing(TO_SEE), ["access_request: list", "lock: list"]);
    }

    #[test]
    fn what_nobody_needs_is_named() {
        let much = rights(
            &[(&["access_request", "lock"], &["list", "read", "update"]), (&["node", "*"], &["*"])],
            &[(&["node"], &["list", "*"])],
        );
        assert_eq!(much.beyond(TO_SEE), ["*: *", "access_request: update", "lock: update"]);
        assert_eq!(rights(&[(&["lock"], &["read"])], &[]).beyond(TO_SEE), [""; 0]);
    }
}
