//! What an identity may do, as its roles say.
//!
//! Must never promise a right that holds only sometimes.

use std::collections::BTreeSet;

use tribunal_core::action::ResolveWith;

/// Stands for every kind, and for every verb.
const WILDCARD: &str = "*";

/// Verbs by kind of resource, as in `("lock", &["list", "read"])`.
pub type Needed<'a> = (&'a str, &'a [&'a str]);

/// What a complete view of requests and locks needs. Without it a server lists a part, and does not say so.
pub const TO_SEE: &[Needed<'static>] = &[("access_request", &["list", "read"]), ("lock", &["list", "read"])];
/// What it takes to approve and deny by setting the state of requests.
pub const TO_RESOLVE: &[Needed<'static>] = &[("access_request", &["list", "read", "update"])];
/// What it takes to approve and deny by review, beside `review_requests.roles` that match what is requested: reviews need
/// no verb, only sight.
pub const TO_REVIEW: &[Needed<'static>] = &[("access_request", &["list", "read"])];
/// What it takes to make, renew and release locks.
pub const TO_LOCK: &[Needed<'static>] = &[("lock", &["list", "read", "create", "update", "delete"])];
/// What it takes to hold a lease, so that of several daemons one at a time acts.
pub const TO_HOLD: &[Needed<'static>] = &[("semaphore", &["create", "update"])];
/// What it takes to see who holds one, so that another takes over at once when it is given back.
pub const TO_SEE_HOLDERS: &[Needed<'static>] = &[("semaphore", &["list", "read"])];

/// Rules of roles: who is allowed something by one and denied it by none may do it.
///
/// What Teleport grants everybody without a role, such as listing nodes, is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    allowed: BTreeSet<(String, String)>,
    denied: BTreeSet<(String, String)>,
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

/// What it takes to resolve requests by this way.
#[must_use]
pub const fn to_resolve(with: ResolveWith) -> &'static [Needed<'static>] {
    match with {
        ResolveWith::State => TO_RESOLVE,
        ResolveWith::Review => TO_REVIEW,
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
        assert_eq!(nothing.missing(TO_RESOLVE), ["access_request: list, read, update"]);
        assert_eq!(nothing.missing(TO_SEE), ["access_request: list, read", "lock: list, read"]);
        assert_eq!(nothing.missing(&[]), [""; 0]);
    }

    #[test]
    fn only_setting_the_state_needs_the_right_to_update() {
        let sight = rights(&[(&["access_request"], &["list", "read"])], &[]);
        assert_eq!(sight.missing(to_resolve(ResolveWith::State)), ["access_request: update"]);
        assert_eq!(sight.missing(to_resolve(ResolveWith::Review)), [""; 0]);
    }

    #[test]
    fn only_what_is_not_there_is_missing() {
        let some = rights(&[(&["access_request", "lock"], &["read"]), (&["lock"], &["list"])], &[]);
        assert_eq!(some.missing(TO_SEE), ["access_request: list"]);
        assert_eq!(some.missing(TO_LOCK), ["lock: create, update, delete"]);
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
        assert_eq!(rights(all, &[(&["lock"], &["delete"])]).missing(TO_LOCK), ["lock: delete"]);
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
