//! The configured classes: compiled from the settings, and asked what a role, a resource or a request belongs to.
//! It must never put one name into two classes of the named form: overlapping patterns are faults of the settings.

use tribunal_guest::{AccessRequest, RequestedResource};

use crate::pattern::{Glob, Search};
use crate::settings::{self, Members};

/// At most this many classes: a set of them is a 64-bit word.
pub const CLASSES_COUNT_MAX: usize = 64;
/// At most this many patterns in all classes together; each two of them are compared.
pub const PATTERNS_COUNT_MAX: usize = 256;
/// At most this many names of a class are listed in a reason.
const NAMES_COUNT_MAX: usize = 20;

/// The compiled classes, in configured order; named ones by name.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    classes: Vec<Class>,
    /// Some class is recognised by labels.
    by_label: bool,
}

#[derive(Clone, Debug)]
struct Class {
    name: String,
    roles: Vec<Role>,
    labels: Vec<Label>,
}

#[derive(Clone, Debug)]
struct Role {
    /// As written in the settings.
    text: String,
    pattern: RolePattern,
}

#[derive(Clone, Debug)]
enum RolePattern {
    Search(Search),
    Glob(Glob),
}

#[derive(Clone, Debug)]
struct Label {
    /// As written in the settings.
    text: String,
    key: String,
    value: Glob,
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Set(u64);

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content {
    pub(crate) set: Set,
    /// Classes are recognised by labels, and the labels of some resource could not be read.
    pub(crate) unread: bool,
}

// === impl Set ===

impl Set {
    /// The access belongs to two classes at once.
    pub(crate) fn is_mixed(self) -> bool {
        self.0.count_ones() > 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Held together, the two give access to two classes of which neither alone is the cause.
    pub(crate) fn conflicts(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.with(other).is_mixed()
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }
}

// === impl Classes ===

impl Classes {
    /// # Errors
    /// All faults of the setting `classes`, each a sentence.
    pub(crate) fn new(settings: &settings::Classes) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let (classes, patterns): (Vec<Class>, usize) = match settings {
            settings::Classes::Patterns(patterns) => (compile_patterns(patterns, &mut faults), patterns.len()),
            settings::Classes::Named(named) => {
                let patterns = named.values().map(|members| members.roles.len() + members.labels.len()).sum();
                (named.iter().map(|(name, members)| compile_named(name, members, &mut faults)).collect(), patterns)
            }
        };
        let count = classes.len();
        if count < 2 {
            faults.push(format!("`classes` needs at least two classes, not {count}: one alone conflicts with nothing"));
        }
        if count > CLASSES_COUNT_MAX {
            faults.push(format!("`classes` has {count} classes, more than the limit of {CLASSES_COUNT_MAX}"));
        }
        if patterns > PATTERNS_COUNT_MAX {
            faults.push(format!("`classes` has {patterns} patterns, more than the limit of {PATTERNS_COUNT_MAX}"));
        } else {
            find_overlaps(&classes, matches!(settings, settings::Classes::Named(_)), &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let by_label = classes.iter().any(|class| !class.labels.is_empty());
        Ok(Self { classes, by_label })
    }

    /// The classes of a role.
    pub(crate) fn of_role(&self, role: &str) -> Set {
        self.collect(|class| class.has_role(role))
    }

    /// The classes of a request by its roles and by the labels of its resources.
    pub(crate) fn of_request(&self, request: &AccessRequest) -> Content {
        let mut set = self.collect(|class| request.roles.iter().any(|role| class.has_role(role)));
        if self.by_label {
            set = set.with(self.collect(|class| request.resources.iter().any(|resource| class.has_resource(resource))));
        }
        let unread = self.by_label && request.resources.iter().any(|resource| resource.labels.is_none());
        Content { set, unread }
    }

    /// The names of these classes, as in `prod vs research`.
    pub(crate) fn versus(&self, set: Set) -> String {
        let names: Vec<_> = self.members(set).map(|class| class.name.as_str()).collect();
        names.join(" vs ")
    }

    /// What of the request belongs to which class, as in `prod: [prod-admin prod-db], research: [/root/node/lab]`.
    pub(crate) fn details(&self, request: &AccessRequest) -> String {
        let set = self.of_request(request).set;
        let details: Vec<_> = self.members(set).map(|class| class.details(request)).collect();
        details.join(", ")
    }

    fn members(&self, set: Set) -> impl Iterator<Item = &Class> {
        self.classes.iter().enumerate().filter(move |(index, _)| set.has(*index)).map(|(_, class)| class)
    }

    fn collect(&self, belongs: impl Fn(&Class) -> bool) -> Set {
        let bits = self.classes.iter().enumerate().filter(|(_, class)| belongs(class)).map(|(index, _)| 1_u64 << index);
        Set(bits.fold(0, |set, bit| set | bit))
    }
}

// === impl Class ===

impl Class {
    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|pattern| pattern.matches(role))
    }

    fn has_resource(&self, resource: &RequestedResource) -> bool {
        let is_on = |label: &Label| {
            resource.label(&label.key).is_some_and(|values| values.iter().any(|value| label.value.matches(value)))
        };
        self.labels.iter().any(is_on)
    }

    fn details(&self, request: &AccessRequest) -> String {
        let mut roles: Vec<_> = request.roles.iter().filter(|role| self.has_role(role)).cloned().collect();
        let resources = request.resources.iter().filter(|resource| self.has_resource(resource));
        let mut resources: Vec<_> = resources.map(RequestedResource::path).collect();
        for names in [&mut roles, &mut resources] {
            names.sort_unstable();
            names.dedup();
        }
        roles.append(&mut resources);
        let more = roles.len().saturating_sub(NAMES_COUNT_MAX);
        if more > 0 {
            roles.truncate(NAMES_COUNT_MAX);
            roles.push(format!("and {more} more"));
        }
        format!("{}: [{}]", self.name, roles.join(" "))
    }
}

fn compile_patterns(patterns: &[String], faults: &mut Vec<String>) -> Vec<Class> {
    let compile = |pattern: &String| {
        let search = Search::new(pattern);
        let search = search.map_err(|why| faults.push(format!("`classes`: the pattern `{pattern}` {why}"))).ok();
        let role = |search| Role { text: pattern.clone(), pattern: RolePattern::Search(search) };
        Class { name: pattern.clone(), roles: search.map(role).into_iter().collect(), labels: Vec::new() }
    };
    patterns.iter().map(compile).collect()
}

fn compile_named(name: &str, members: &Members, faults: &mut Vec<String>) -> Class {
    if name.trim().is_empty() {
        faults.push("`classes` has a class without a name: reasons could not say which it is".to_owned());
    }
    if members.roles.is_empty() && members.labels.is_empty() {
        faults.push(format!("`classes.{name}` has neither `roles` nor `labels`: nothing would belong to it"));
    }
    let mut class = Class { name: name.to_owned(), roles: Vec::new(), labels: Vec::new() };
    for pattern in &members.roles {
        match Glob::new(pattern) {
            Ok(glob) => class.roles.push(Role { text: pattern.clone(), pattern: RolePattern::Glob(glob) }),
            Err(why) => faults.push(format!("`classes.{name}.roles`: the pattern `{pattern}` {why}")),
        }
    }
    for pattern in &members.labels {
        match Label::new(pattern) {
            Ok(label) => class.labels.push(label),
            Err(why) => faults.push(format!("`classes.{name}.labels`: the pattern `{pattern}` {why}")),
        }
    }
    class
}

/// Two classes that one name could belong to would conflict with themselves.
fn find_overlaps(classes: &[Class], named: bool, faults: &mut Vec<String>) {
    for (index, ours) in classes.iter().enumerate() {
        for theirs in classes.iter().skip(index + 1) {
            let mut fault = |what: &str, first: &str, second: &str| {
                let place = if named {
                    format!("`classes.{}.{what}` and `classes.{}.{what}`", ours.name, theirs.name)
                } else {
                    "`classes`".to_owned()
                };
                faults.push(format!(
                    "{place}: the patterns `{first}` and `{second}` overlap, so one name could be in both classes; \
                     make them narrower or drop one"
                ));
            };
            for (first, second) in pairs(&ours.roles, &theirs.roles).filter(|(a, b)| a.overlaps(b)) {
                fault("roles", &first.text, &second.text);
            }
            for (first, second) in pairs(&ours.labels, &theirs.labels).filter(|(a, b)| a.overlaps(b)) {
                fault("labels", &first.text, &second.text);
            }
        }
    }
}

fn pairs<'a, T>(ours: &'a [T], theirs: &'a [T]) -> impl Iterator<Item = (&'a T, &'a T)> {
    ours.iter().flat_map(|first| theirs.iter().map(move |second| (first, second)))
}

// === impl Role ===

impl Role {
    fn matches(&self, role: &str) -> bool {
        match &self.pattern {
            RolePattern::Search(search) => search.matches(role),
            RolePattern::Glob(glob) => glob.matches(role),
        }
    }

    /// For globs exact; regular expressions overlap if they are equal or one finds itself in the other's text.
    fn overlaps(&self, other: &Self) -> bool {
        match (&self.pattern, &other.pattern) {
            (RolePattern::Glob(ours), RolePattern::Glob(theirs)) => ours.overlaps(theirs),
            (RolePattern::Search(_) | RolePattern::Glob(_), RolePattern::Search(_))
            | (RolePattern::Search(_), RolePattern::Glob(_)) => {
                self.text.eq_ignore_ascii_case(&other.text) || self.matches(&other.text) || other.matches(&self.text)
            }
        }
    }
}

// === impl Label ===

impl Label {
    fn new(pattern: &str) -> Result<Self, String> {
        let Some((key, value)) = pattern.split_once('=') else {
            return Err("has no `=`: write it as `key=value`".to_owned());
        };
        if key.trim().is_empty() {
            return Err("has no key before `=`: write it as `key=value`".to_owned());
        }
        if key.contains(['*', '?']) {
            return Err("has a wildcard in its key: only the value may have them".to_owned());
        }
        Ok(Self { text: pattern.to_owned(), key: key.to_owned(), value: Glob::new(value)? })
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.key == other.key && self.value.overlaps(&other.value)
    }
}
