//! The configured classes: compiled from the settings, and asked what a role or a resource belongs to.
//! It must never put one name into two classes of the named form: overlapping patterns are faults of the settings.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::pattern::{Glob, Search};
use crate::setting::{Members, Setting};

/// At most this many classes: a set of them is a 64-bit word.
pub const CLASSES_COUNT_MAX: usize = 64;
/// At most this many patterns in all classes together; each two of them are compared.
pub const PATTERNS_COUNT_MAX: usize = 256;

/// The compiled classes, in configured order; named ones by name.
#[derive(Clone, Debug)]
pub struct Classes {
    classes: Vec<Class>,
    /// Some class is recognised by labels.
    by_label: bool,
}

/// One class.
#[derive(Clone, Debug)]
pub struct Class {
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
pub struct Set(u64);

// === impl Set ===

impl Set {
    /// The access belongs to two classes at once.
    #[must_use]
    pub fn is_mixed(self) -> bool {
        self.0.count_ones() > 1
    }

    /// It belongs to no class.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Held together, the two give access to two classes of which neither alone is the cause.
    #[must_use]
    pub fn conflicts(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.with(other).is_mixed()
    }

    /// What is in either.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }
}

// === impl Classes ===

impl Classes {
    /// Compiles the setting.
    ///
    /// # Errors
    /// All faults of it, each a sentence.
    pub fn new(setting: &Setting) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let (classes, patterns): (Vec<Class>, usize) = match setting {
            Setting::Patterns(patterns) => (compile_patterns(patterns, &mut faults), patterns.len()),
            Setting::Named(named) => {
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
            find_overlaps(&classes, matches!(setting, Setting::Named(_)), &mut faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let by_label = classes.iter().any(|class| !class.labels.is_empty());
        Ok(Self { classes, by_label })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter()
    }

    /// The classes of a role.
    #[must_use]
    pub fn of_role(&self, role: &str) -> Set {
        self.collect(|class| class.has_role(role))
    }

    /// The classes of a resource; `labels` gives the values of a label by its key.
    pub fn of_labels<'a>(&self, labels: impl Fn(&str) -> Option<&'a [String]>) -> Set {
        self.collect(|class| class.has_labels(&labels))
    }

    /// Whether some class is recognised by labels.
    #[must_use]
    pub const fn are_by_label(&self) -> bool {
        self.by_label
    }

    /// The names of these classes, as in `prod vs research`.
    #[must_use]
    pub fn versus(&self, set: Set) -> String {
        let names: Vec<_> = self.members(set).map(|class| class.name.as_str()).collect();
        names.join(" vs ")
    }

    /// These classes.
    pub fn members(&self, set: Set) -> impl Iterator<Item = &Class> {
        self.classes.iter().enumerate().filter(move |(index, _)| set.has(*index)).map(|(_, class)| class)
    }

    fn collect(&self, belongs: impl Fn(&Class) -> bool) -> Set {
        let bits = self.classes.iter().enumerate().filter(|(_, class)| belongs(class)).map(|(index, _)| 1_u64 << index);
        Set(bits.fold(0, |set, bit| set | bit))
    }
}

// === impl Class ===

impl Class {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a role belongs to it.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|pattern| pattern.matches(role))
    }

    /// Whether a role belongs to it because of whole words: `prod` is one in `my-prod-db`, and none in `product-list`.
    #[must_use]
    pub fn has_role_by_words(&self, role: &str) -> bool {
        self.roles.iter().any(|pattern| pattern.matches(role) && pattern.matches_words(role))
    }

    /// Whether a resource belongs to it; `labels` gives the values of a label by its key.
    pub fn has_labels<'a>(&self, labels: impl Fn(&str) -> Option<&'a [String]>) -> bool {
        let is_on = |label: &Label| {
            labels(&label.key).is_some_and(|values| values.iter().any(|value| label.value.matches(value)))
        };
        self.labels.iter().any(is_on)
    }

    /// Whether any role can belong to it.
    #[must_use]
    pub fn is_by_role(&self) -> bool {
        !self.roles.is_empty()
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

    /// Whether it would match still if it had to begin and end where words do.
    fn matches_words(&self, role: &str) -> bool {
        let words = match &self.pattern {
            RolePattern::Search(_) => Search::of_words(&self.text),
            RolePattern::Glob(glob) => glob.of_words(),
        };
        // What cannot be told is no surprise.
        words.is_none_or(|words| words.matches(role))
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
