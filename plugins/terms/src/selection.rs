//! Which requests are meant: by who asks and by what is asked for.
//! It must never guess: what the host could not see is neither a match nor none.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_guest::{AccessRequest, Attribute, Case, RequestedResource};

use crate::Globs;

/// Which requests are meant. All keys that are given have to match; none given: all requests. Patterns are for whole
/// names, with their case: `*` stands for any characters, `?` for one. A request of whole roles names no resources, so
/// that `kinds`, `resources` and `labels` never match it: `roles` does.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Selection {
    /// User names, such as `dev-*`.
    pub users: Vec<String>,
    /// Traits of the user: of each key that is given, one value has to match one of the patterns.
    pub traits: BTreeMap<String, Vec<String>>,
    /// Roles that the user has without a request: one has to match.
    pub standing_roles: Vec<String>,
    /// Requested roles, such as `prod-*`.
    pub roles: Vec<String>,
    /// Kinds of requested resources, such as `node`, `db`, `app` or `kube_cluster`.
    pub kinds: Vec<String>,
    /// Requested resources as Teleport writes them, such as `/example.com/node/web-*`.
    pub resources: Vec<String>,
    /// Labels of requested resources: of each key that is given, a value has to match one of the patterns.
    pub labels: BTreeMap<String, Vec<String>>,
}

/// Whether a request is meant. The order is that of certainty: what has to hold together is as certain as the least
/// certain part of it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Match {
    /// It is not.
    No,
    /// The host could not see what would tell: traits or standing roles, or labels.
    Unknown,
    /// It is.
    Yes,
}

/// A compiled [`Selection`].
#[derive(Clone, Debug)]
pub struct Selector {
    users: Option<Globs>,
    traits: Vec<(String, Globs)>,
    standing_roles: Option<Globs>,
    roles: Option<Globs>,
    kinds: Option<Globs>,
    resources: Option<Globs>,
    labels: Vec<(String, Globs)>,
}

/// Several compiled selections, of which one is enough.
#[derive(Clone, Debug)]
pub struct Selectors(Vec<Selector>);

// === impl Selectors ===

impl Selectors {
    /// Compiles the list under `key`; what is wrong with it is added to `faults`.
    pub fn new(key: &str, selections: &[Selection], faults: &mut Vec<String>) -> Self {
        let compile = |(index, selection)| Selector::new(&format!("{key}.{index}"), selection, faults);
        Self(selections.iter().enumerate().map(compile).collect())
    }

    /// Whether something of what is asked for is meant by one of them; without any, everything is.
    #[must_use]
    pub fn any(&self, case: &Case, request: &AccessRequest) -> Match {
        if self.0.is_empty() {
            return Match::Yes;
        }
        self.0.iter().map(|selector| selector.any(case, request)).max().unwrap_or(Match::No)
    }
}

// === impl Selector ===

impl Selector {
    /// Compiles what stands under `key`; what is wrong with it is added to `faults`.
    pub fn new(key: &str, selection: &Selection, faults: &mut Vec<String>) -> Self {
        let Selection { users, traits, standing_roles, roles, kinds, resources, labels } = selection;
        let mut globs = |part: &str, patterns: &[String]| {
            (!patterns.is_empty()).then(|| Globs::new(&format!("{key}.{part}"), patterns, faults))
        };
        let (users, standing_roles) = (globs("users", users), globs("standing-roles", standing_roles));
        let (roles, kinds, resources) = (globs("roles", roles), globs("kinds", kinds), globs("resources", resources));
        let mut keyed = |part: &str, table: &BTreeMap<String, Vec<String>>| -> Vec<(String, Globs)> {
            let mut compiled = Vec::new();
            for (name, patterns) in table {
                let place = format!("{key}.{part}.{name}");
                if patterns.is_empty() {
                    faults.push(format!("`{place}` has no patterns: nothing would match it"));
                }
                compiled.push((name.clone(), Globs::new(&place, patterns, faults)));
            }
            compiled
        };
        let (traits, labels) = (keyed("traits", traits), keyed("labels", labels));
        Self { users, traits, standing_roles, roles, kinds, resources, labels }
    }

    /// Whether something of what is asked for is meant: the reading for rules that restrict.
    #[must_use]
    pub fn any(&self, case: &Case, request: &AccessRequest) -> Match {
        let role = self.roles.as_ref().map(|globs| Match::of(request.roles.iter().any(|role| globs.matches(role))));
        let resources = request.resources.iter().map(|resource| self.resource(resource));
        let resource = self.is_about_resources().then(|| resources.max().unwrap_or(Match::No));
        all([self.who(case), role.unwrap_or(Match::Yes), resource.unwrap_or(Match::Yes)])
    }

    /// Whether all of what is asked for is meant: the reading for rules that allow.
    #[must_use]
    pub fn all(&self, case: &Case, request: &AccessRequest) -> Match {
        let roles = self.roles.as_ref().map(|globs| Match::of(request.roles.iter().all(|role| globs.matches(role))));
        let resources = request.resources.iter().map(|resource| self.resource(resource));
        let resource = self.is_about_resources().then(|| resources.min().unwrap_or(Match::No));
        all([self.who(case), roles.unwrap_or(Match::Yes), resource.unwrap_or(Match::Yes)])
    }

    /// Whether it restricts which roles are meant.
    #[must_use]
    pub fn is_about_roles(&self) -> bool {
        self.roles.is_some()
    }

    /// Whether it is somebody's who is meant.
    #[must_use]
    pub fn who(&self, case: &Case) -> Match {
        let subject = &case.subject;
        let user = self.users.as_ref().is_none_or(|globs| globs.matches(&subject.name));
        let seen = |found: Option<bool>| found.map_or(Match::Unknown, Match::of);
        let roles = self
            .standing_roles
            .as_ref()
            .map(|globs| seen(subject.roles.as_ref().map(|roles| roles.iter().any(|role| globs.matches(role)))));
        let traits =
            self.traits.iter().map(|(key, globs)| seen(subject.traits.as_ref().map(|traits| has(traits, key, globs))));
        all([Match::of(user), roles.unwrap_or(Match::Yes)].into_iter().chain(traits))
    }

    fn is_about_resources(&self) -> bool {
        self.kinds.is_some() || self.resources.is_some() || !self.labels.is_empty()
    }

    fn resource(&self, resource: &RequestedResource) -> Match {
        let kind = self.kinds.as_ref().is_none_or(|globs| globs.matches(&resource.kind));
        let path = self.resources.as_ref().is_none_or(|globs| globs.matches(&resource.path()));
        let labels = self.labels.iter().map(|(key, globs)| match &resource.labels {
            Some(labels) => Match::of(has(labels, key, globs)),
            None => Match::Unknown,
        });
        all([Match::of(kind), Match::of(path)].into_iter().chain(labels))
    }
}

fn has(attributes: &[Attribute], key: &str, globs: &Globs) -> bool {
    let values = attributes.iter().filter(|attribute| attribute.key == key).flat_map(|attribute| &attribute.values);
    values.into_iter().any(|value| globs.matches(value))
}

fn all(parts: impl IntoIterator<Item = Match>) -> Match {
    parts.into_iter().min().unwrap_or(Match::Yes)
}

// === impl Match ===

impl Match {
    const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// Restrictions apply where they might.
    #[must_use]
    pub const fn may_be(self) -> bool {
        match self {
            Self::Yes | Self::Unknown => true,
            Self::No => false,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tribunal_guest::testing::{CaseBuilder, RequestBuilder, case, pending, resource};

    fn selector(json: &str) -> Selector {
        let mut faults = Vec::new();
        let selector = Selector::new("only", &serde_json::from_str(json).unwrap(), &mut faults);
        assert_eq!(faults, [""; 0], "{json}");
        selector
    }

    /// How it reads for rules that restrict, and for rules that allow.
    fn both(json: &str, case: CaseBuilder, request: RequestBuilder) -> (Match, Match) {
        let case = case.request(request).build();
        let (selector, request) = (selector(json), case.requests.first().unwrap());
        (selector.any(&case, request), selector.all(&case, request))
    }

    fn asks(request: RequestBuilder, json: &str) -> (Match, Match) {
        both(json, case("alice"), request)
    }

    const YES: (Match, Match) = (Match::Yes, Match::Yes);
    const NO: (Match, Match) = (Match::No, Match::No);

    #[test]
    fn an_empty_selection_means_everything() {
        assert_eq!(asks(pending("r").roles(["a"]), "{}"), YES);
        assert_eq!(asks(pending("r"), "{}"), YES);
    }

    #[test]
    fn restrictions_bite_on_some_and_permissions_need_all() {
        let mixed = || pending("r").roles(["prod-a", "dev-a"]);
        assert_eq!(asks(mixed(), r#"{"roles": ["prod-*"]}"#), (Match::Yes, Match::No));
        assert_eq!(asks(mixed(), r#"{"roles": ["prod-*", "dev-*"]}"#), YES);
        assert_eq!(asks(mixed(), r#"{"roles": ["lab-*"]}"#), NO);
        let two = || {
            pending("r").resources([resource("node", "a", [("env", "prod")]), resource("db", "b", [("env", "dev")])])
        };
        assert_eq!(asks(two(), r#"{"labels": {"env": ["prod"]}}"#), (Match::Yes, Match::No));
        assert_eq!(asks(two(), r#"{"labels": {"env": ["prod", "dev"]}, "kinds": ["node", "db"]}"#), YES);
        // One and the same resource has to be both.
        assert_eq!(asks(two(), r#"{"labels": {"env": ["prod"]}, "kinds": ["db"]}"#), NO);
        assert_eq!(asks(two(), r#"{"resources": ["/root/node/*"]}"#), (Match::Yes, Match::No));
    }

    #[test]
    fn whole_roles_name_no_resources() {
        let roles = || pending("r").roles(["admin"]);
        assert_eq!(asks(roles(), r#"{"labels": {"env": ["prod"]}}"#), NO);
        assert_eq!(asks(roles(), r#"{"kinds": ["*"], "roles": ["admin"]}"#), NO);
    }

    #[test]
    fn of_several_selections_one_is_enough_and_none_means_everything() {
        let chosen = |json: &str, request: RequestBuilder| {
            let mut faults = Vec::new();
            let selectors = Selectors::new("only", &serde_json::from_str::<Vec<_>>(json).unwrap(), &mut faults);
            let case = case("alice").request(request).build();
            selectors.any(&case, case.requests.first().unwrap())
        };
        let either = r#"[{"roles": ["prod-*"]}, {"labels": {"env": ["prod"]}}]"#;
        assert_eq!(chosen(either, pending("r").roles(["prod-a"])), Match::Yes);
        assert_eq!(chosen(either, pending("r").resources([resource("node", "a", [("env", "prod")])])), Match::Yes);
        assert_eq!(chosen(either, pending("r").roles(["dev"]).nodes(["a"])), Match::No);
        assert_eq!(chosen("[]", pending("r")), Match::Yes);
    }

    #[test]
    fn what_the_host_could_not_see_is_unknown() {
        let unread = || {
            let mut node = resource("node", "a", []);
            node.labels = None;
            pending("r").resources([node])
        };
        let unknown = (Match::Unknown, Match::Unknown);
        assert_eq!(asks(unread(), r#"{"labels": {"env": ["prod"]}}"#), unknown);
        assert_eq!(asks(unread(), r#"{"labels": {"env": ["prod"]}, "kinds": ["db"]}"#), NO);
        let unseen = || case("alice").unseen_subject();
        assert_eq!(both(r#"{"traits": {"team": ["db"]}}"#, unseen(), pending("r")), unknown);
        assert_eq!(both(r#"{"standing-roles": ["sre"]}"#, unseen(), pending("r")), unknown);
        assert_eq!(both(r#"{"standing-roles": ["sre"], "users": ["bob"]}"#, unseen(), pending("r")), NO);
        assert!(Match::Unknown.may_be() && Match::Yes.may_be() && !Match::No.may_be());
    }

    #[test]
    fn who_asks_is_told_by_name_traits_and_standing_roles() {
        let who = || case("alice").with_trait("team", ["db", "web"]).standing_roles(["dev"]);
        for (json, expected) in [
            (r#"{"users": ["al*"]}"#, YES),
            (r#"{"users": ["Alice"]}"#, NO),
            (r#"{"traits": {"team": ["we?"]}}"#, YES),
            (r#"{"traits": {"team": ["db"], "site": ["x"]}}"#, NO),
            (r#"{"standing-roles": ["ops", "dev"]}"#, YES),
            (r#"{"standing-roles": ["ops"]}"#, NO),
        ] {
            assert_eq!(both(json, who(), pending("r")), expected, "{json}");
        }
    }

    #[test]
    fn all_faults_name_their_keys() {
        let selection = r#"{"users": [""], "labels": {"env": []}, "traits": {"team": ["db", " "]}}"#;
        let mut faults = Vec::new();
        Selector::new("only", &serde_json::from_str(selection).unwrap(), &mut faults);
        assert_eq!(
            faults,
            [
                "`only.users`: the pattern `` is empty: it would match everything or nothing",
                "`only.traits.team`: the pattern ` ` is empty: it would match everything or nothing",
                "`only.labels.env` has no patterns: nothing would match it",
            ]
        );
    }
}
