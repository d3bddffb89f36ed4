//! Which roles of a cluster the classes of a panel mean, and what of that may surprise whoever wrote the patterns. It must
//! never match a name by itself: that is for the code that the policy `separation` decides with.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value as Json};
use tribunal_classes::{Class as Compiled, Classes};

/// Words that turn the next one into its opposite.
const NEGATIONS: [&str; 7] = ["non", "no", "not", "never", "pre", "anti", "without"];
/// Words that say that a role is about access rather than access itself.
const ABOUT: [&str; 8] =
    ["requester", "requesters", "requestor", "requestors", "reviewer", "reviewers", "approver", "approvers"];
/// Stands for a word in a name whose other words are looked at.
const ANY_WORD: &str = "x";

/// What the classes of one policy mean on a cluster.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Examined {
    /// The plugin's name.
    pub(super) plugin: String,
    pub(super) classes: Vec<Class>,
    /// Roles that belong to no class.
    pub(super) unclassified: Vec<String>,
    pub(super) warnings: Vec<Warning>,
}

/// One class, with the roles that belong to it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) roles: Vec<String>,
}

/// Something that the operator may not have meant.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Warning {
    pub(super) what: Surprise,
    /// None: the class as a whole.
    pub(super) role: Option<String>,
    /// In their order.
    pub(super) classes: Vec<String>,
    pub(super) text: String,
}

/// What kind of surprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Surprise {
    WithinAWord,
    Negated,
    AboutAccess,
    TwoClasses,
    NoRole,
    Protected,
}

/// What these settings of `separation` mean on a cluster with these roles.
///
/// # Errors
/// That the setting `classes` is not understood.
pub(super) fn examine(
    plugin: &str,
    settings: &Map<String, Json>,
    protected: &BTreeSet<String>,
    roles: &[String],
) -> Result<Examined, String> {
    let setting = settings.get("classes").cloned().unwrap_or(Json::Null);
    let setting = serde_json::from_value(setting).map_err(|error| format!("`classes`: {error}"))?;
    let classes = Classes::new(&setting).map_err(|faults| faults.join("; "))?;
    let of_class = |class: &Compiled| Class {
        name: class.name().to_owned(),
        roles: roles.iter().filter(|role| class.has_role(role)).cloned().collect(),
    };
    let mut warnings = Vec::new();
    for class in classes.iter() {
        if class.is_by_role() && !roles.iter().any(|role| class.has_role(role)) {
            let text = format!("class `{}` matches no role of the cluster", class.name());
            warnings.push(Warning { what: Surprise::NoRole, role: None, classes: vec![class.name().to_owned()], text });
        }
    }
    for role in roles {
        warnings.extend(surprises(&classes, role, protected.contains(role)));
    }
    Ok(Examined {
        plugin: plugin.to_owned(),
        classes: classes.iter().map(of_class).collect(),
        unclassified: roles.iter().filter(|role| classes.of_role(role).is_empty()).cloned().collect(),
        warnings,
    })
}

fn surprises(classes: &Classes, role: &str, protected: bool) -> Vec<Warning> {
    let set = classes.of_role(role);
    let names: Vec<String> = classes.members(set).map(|class| class.name().to_owned()).collect();
    let mut found = Vec::new();
    let mut warn = |what, classes: &[String], said: &str| {
        let noun = if classes.len() == 1 { "class" } else { "classes" };
        let text = format!("role `{role}` is in {noun} `{}`{said}", classes.join("` and `"));
        found.push(Warning { what, role: Some(role.to_owned()), classes: classes.to_vec(), text });
    };
    for class in classes.members(set) {
        let name = [class.name().to_owned()];
        if !class.has_role_by_words(role) {
            warn(Surprise::WithinAWord, &name, ": what matches is only a part of a word");
        } else if is_negated(class, role) {
            warn(Surprise::Negated, &name, ", and its name says that it is not");
        }
        if is_about(class, role) {
            warn(Surprise::AboutAccess, &name, ", and its name says that it is about access, not access itself");
        }
    }
    if set.is_mixed() {
        warn(Surprise::TwoClasses, &names, ": whoever asks for it conflicts with themselves");
    }
    if protected && !set.is_empty() {
        warn(Surprise::Protected, &names, ", and protected: whoever asks for it is left to people");
    }
    found
}

/// Whether the class means the word behind a negation, rather than the two together.
fn is_negated(class: &Compiled, role: &str) -> bool {
    let parts = parts(role);
    let words: Vec<usize> = (0..parts.len()).filter(|at| parts.get(*at).is_some_and(|part| is_word(part))).collect();
    words.windows(2).any(|pair| {
        let [negation, negated] = pair else { return false };
        parts.get(*negation).is_some_and(|word| is_one_of(&NEGATIONS, word))
            && class.has_role(&without(&parts, &[*negation]))
            && !class.has_role(&without(&parts, &[*negation, *negated]))
    })
}

/// Whether the class means all kinds of such roles, and not those about access in particular.
fn is_about(class: &Compiled, role: &str) -> bool {
    let parts = parts(role);
    let mut about = (0..parts.len()).filter(|at| parts.get(*at).is_some_and(|word| is_one_of(&ABOUT, word)));
    about.any(|at| class.has_role(&without(&parts, &[at])))
}

/// Words, and what is between them.
fn parts(role: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for c in role.chars() {
        match parts.last_mut() {
            Some(last) if is_word(last) == c.is_alphanumeric() => last.push(c),
            Some(_) | None => parts.push(c.to_string()),
        }
    }
    parts
}

fn is_word(part: &str) -> bool {
    part.starts_with(char::is_alphanumeric)
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The name with any other word in these places.
fn without(parts: &[String], places: &[usize]) -> String {
    let part = |(at, part): (usize, &String)| if places.contains(&at) { ANY_WORD.to_owned() } else { part.clone() };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    /// What is warned of: kinds and roles.
    fn warned(classes: Json, roles: &[&str]) -> Vec<(Surprise, String)> {
        let settings = Map::from_iter([("classes".to_owned(), classes)]);
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let protected = BTreeSet::from(["prod-root".to_owned()]);
        let examined = examine("separation", &settings, &protected, &roles).unwrap();
        examined.warnings.into_iter().map(|warning| (warning.what, warning.role.unwrap_or_default())).collect()
    }

    fn warns(what: Surprise, role: &str) -> Vec<(Surprise, String)> {
        vec![(what, role.to_owned())]
    }

    #[test]
    fn words_found_within_names_are_surprises() {
        let words = json!(["prod", "research"]);
        for (role, expected) in [
            ("prod-admin", vec![]),
            ("PROD_admin", vec![]),
            ("eu.prod.admin", vec![]),
            ("other", vec![]),
            ("product-catalog", warns(Surprise::WithinAWord, "product-catalog")),
            ("nonprod", warns(Surprise::WithinAWord, "nonprod")),
            ("non-prod", warns(Surprise::Negated, "non-prod")),
            ("pre_prod_db", warns(Surprise::Negated, "pre_prod_db")),
            // What is not so here is something else.
            ("non-human-prod", vec![]),
            ("prod-requester", warns(Surprise::AboutAccess, "prod-requester")),
            ("prod-root", warns(Surprise::Protected, "prod-root")),
            ("prod-research", warns(Surprise::TwoClasses, "prod-research")),
        ] {
            assert_eq!(warned(words.clone(), &["prod", "research", role]), expected, "{role}");
        }
    }

    #[test]
    fn patterns_of_whole_names_surprise_only_where_they_are_wide() {
        let narrow = json!({ "prod": { "roles": ["prod-*"] }, "rest": { "roles": ["non-prod-*", "x-requester"] } });
        let roles = ["prod-a", "product-catalog", "non-prod-a", "nonprod", "x-requester"];
        assert_eq!(warned(narrow.clone(), &roles), []);
        assert_eq!(warned(narrow, &["prod-requester", "x-requester"]), warns(Surprise::AboutAccess, "prod-requester"));
        let wide = json!({ "prod": { "roles": ["*prod*"] }, "lab": { "labels": ["env=lab"] } });
        assert_eq!(warned(wide.clone(), &["product-catalog"]), warns(Surprise::WithinAWord, "product-catalog"));
        assert_eq!(warned(wide.clone(), &["non-prod-db"]), warns(Surprise::Negated, "non-prod-db"));
        assert_eq!(warned(wide, &["lab"]), warns(Surprise::NoRole, ""));
    }

    #[test]
    fn settings_that_are_not_understood_are_no_panic() {
        for classes in [json!(null), json!(3), json!(["a"]), json!({ "a": 1 })] {
            let settings = Map::from_iter([("classes".to_owned(), classes)]);
            assert!(examine("separation", &settings, &BTreeSet::new(), &[]).is_err());
        }
    }
}
