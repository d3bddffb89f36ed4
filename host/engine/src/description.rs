//! What a policy says about itself, checked; it is believed in nothing else.

use std::collections::BTreeSet;

use tribunal_core::opinion::Effect;

use crate::bindings::policy::tribunal::policy::types as wit;
use crate::convert::answer;
use crate::text;

/// Rules that a policy may declare.
pub(crate) const RULES_MAX: usize = 256;
/// Bytes of a summary.
pub(crate) const SUMMARY_BYTES_MAX: usize = 1_024;
/// Bytes of the schema of settings.
pub(crate) const SCHEMA_BYTES_MAX: usize = 256 * 1024;

/// What a policy says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Lower case words joined by `-`; its own name, whatever the operator calls the plugin.
    pub name: String,
    /// A semantic version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// Every rule that its grounds may name, each once.
    pub rules: Vec<Rule>,
    /// Every effect that its answers may have.
    pub effects: BTreeSet<Effect>,
    /// JSON Schema (2020-12) of its settings; empty: it takes none.
    pub settings_schema: String,
}

/// A rule that grounds may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Lower case words joined by `-`.
    pub id: String,
    /// One sentence.
    pub summary: String,
}

// === impl Description ===

impl Description {
    /// The description that a policy gave, or what is wrong with it.
    pub(crate) fn check(given: wit::Description) -> Result<Self, String> {
        let wit::Description { name, version, summary, rules, effects, settings_schema } = given;
        short("its name", &name)?;
        short("its version", &version)?;
        if !text::is_name(&name) {
            return Err(format!("its name `{}` is not {GRAMMAR}", text::clip(&name, text::NAME_BYTES_MAX)));
        }
        if !text::is_version(&version) {
            let version = text::clip(&version, text::NAME_BYTES_MAX);
            return Err(format!("its version `{version}` is no semantic version such as `1.0.0`"));
        }
        if rules.len() > RULES_MAX {
            return Err(format!("it declares {} rules, its limit is {RULES_MAX} (`rules_max`)", rules.len()));
        }
        let mut ids = BTreeSet::new();
        for wit::Rule { id, summary: _ } in &rules {
            short("the name of a rule", id)?;
            if !text::is_name(id) {
                return Err(format!("its rule `{}` is not {GRAMMAR}", text::clip(id, text::NAME_BYTES_MAX)));
            }
            if !ids.insert(id) {
                return Err(format!("it declares the rule `{id}` twice"));
            }
        }
        check_schema(&settings_schema)?;
        let summary = sentence(&summary)?;
        let rules = rules
            .into_iter()
            .map(|wit::Rule { id, summary }| Ok(Rule { id, summary: sentence(&summary)? }))
            .collect::<Result<_, String>>()?;
        let effects = effects.into_iter().map(answer::effect).collect();
        Ok(Self { name, version, summary, rules, effects, settings_schema })
    }
}

/// What names of policies and rules are.
const GRAMMAR: &str = "lower case words joined by `-`, at most 64 bytes";

/// Names and versions are short.
fn short(what: &str, name: &str) -> Result<(), String> {
    let (len, max) = (name.len(), text::NAME_BYTES_MAX);
    if len <= max { Ok(()) } else { Err(format!("{what} has {len} bytes, its limit is {max} (`name_bytes_max`)")) }
}

fn sentence(summary: &str) -> Result<String, String> {
    if summary.len() > SUMMARY_BYTES_MAX {
        let len = summary.len();
        return Err(format!("a summary has {len} bytes, its limit is {SUMMARY_BYTES_MAX} (`summary_bytes_max`)"));
    }
    Ok(text::clean(summary).into_owned())
}

fn check_schema(schema: &str) -> Result<(), String> {
    if schema.len() > SCHEMA_BYTES_MAX {
        let len = schema.len();
        return Err(format!(
            "its settings schema has {len} bytes, its limit is {SCHEMA_BYTES_MAX} (`schema_bytes_max`)"
        ));
    }
    if schema.is_empty() {
        return Ok(());
    }
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(schema) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("its settings schema is no JSON object: {error}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn given() -> wit::Description {
        wit::Description {
            name: "cap".into(),
            version: "1.0.0".into(),
            summary: "a\nb".into(),
            rules: vec![wit::Rule { id: "over-cap".into(), summary: String::new() }],
            effects: vec![wit::Effect::Deny, wit::Effect::Deny],
            settings_schema: "{}".into(),
        }
    }

    #[test]
    fn a_description_is_cleaned() {
        let description = Description::check(given()).unwrap();
        assert_eq!(description.summary, "a b");
        assert_eq!(description.effects, BTreeSet::from([Effect::Deny]));
    }

    #[test]
    fn a_description_outside_of_the_contract_is_refused() {
        let rule = |id: &str| wit::Rule { id: id.into(), summary: String::new() };
        let cases: [(wit::Description, &str); 7] = [
            (wit::Description { name: "Cap".into(), ..given() }, "its name `Cap`"),
            (wit::Description { version: "1".into(), ..given() }, "its version `1`"),
            (wit::Description { rules: vec![rule("A")], ..given() }, "its rule `A`"),
            (wit::Description { rules: vec![rule("a"), rule("a")], ..given() }, "the rule `a` twice"),
            (wit::Description { rules: vec![rule("a"); RULES_MAX + 1], ..given() }, "declares 257 rules"),
            (wit::Description { summary: "a".repeat(SUMMARY_BYTES_MAX + 1), ..given() }, "a summary has 1025 bytes"),
            (wit::Description { settings_schema: "[]".into(), ..given() }, "no JSON object"),
        ];
        for (bad, expected) in cases {
            let message = Description::check(bad).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
