//! Schemas as the SDK and people write them, and settings that do not fit.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::json;

use super::*;

const CAP: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
    "required": ["name"],
    "properties": {
        "max-resources": {"type": "integer", "minimum": 1, "maximum": 100},
        "name": {"type": "string", "minLength": 2},
        "unit": {"$ref": "#/$defs/Unit"},
        "classes": {"anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": true},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/Class"}}
        ]}
    },
    "$defs": {
        "Unit": {"oneOf": [{"const": "resources", "type": "string"}, {"const": "roles", "type": "string"}]},
        "Class": {"type": "object", "properties": {"roles": {"type": "array", "items": {"type": "string"}}}}
    }
}"##;

fn faults(settings: Value) -> Vec<String> {
    let Value::Object(settings) = settings else { panic!("{settings}") };
    let found = Schema::parse(CAP).unwrap().faults(&settings);
    found.into_iter().map(|fault| format!("{}|{}|{}", fault.path.join("/"), fault.what, fault.help)).collect()
}

#[test]
fn settings_that_fit_have_no_faults() {
    for settings in [
        json!({"name": "ab"}),
        json!({"name": "ab", "max-resources": 3, "unit": "roles", "classes": ["a", "b"]}),
        json!({"name": "ab", "classes": {"prod": {"roles": ["p-*"]}}}),
    ] {
        assert_eq!(faults(settings.clone()), [""; 0], "{settings}");
    }
}

#[test]
fn each_fault_knows_its_place_and_what_would_be_right() {
    for (settings, expected) in [
        (json!({}), "|`name` is missing|write `name = …`"),
        (
            json!({"name": "ab", "max-resource": 1}),
            "max-resource|`max-resource` is no key of these settings|did you mean `max-resources`?",
        ),
        (json!({"name": "ab", "max-resources": 0}), "max-resources|`max-resources` is 0: it must be at least 1|"),
        (
            json!({"name": "ab", "max-resources": 1.5}),
            "max-resources|`max-resources` is a float: it must be an integer|",
        ),
        (json!({"name": "a"}), "name|`name` has 1 characters: it must have at least 2|"),
        (
            json!({"name": "ab", "unit": "role"}),
            "unit|`unit` is `role`: it must be `resources` or `roles`|did you mean `roles`?",
        ),
        (json!({"name": "ab", "classes": ["a", 1]}), "classes/1|`classes.1` is an integer: it must be a string|"),
        (
            json!({"name": "ab", "classes": {"p": {"roles": "x"}}}),
            "classes/p/roles|`classes.p.roles` is a string: it must be an array|",
        ),
    ] {
        assert_eq!(faults(settings.clone()), [expected], "{settings}");
    }
    assert_eq!(faults(json!({"unit": 1, "max-resources": "3", "x": 1})).len(), 4);
}

#[test]
fn who_takes_no_settings_is_given_none() {
    let Value::Object(settings) = json!({"a": 1}) else { panic!() };
    let found = Schema::parse("").unwrap().faults(&settings);
    assert!(found.iter().any(|fault| fault.what == "`a`: this plugin takes no settings"), "{found:?}");
}

#[test]
fn what_is_no_schema_says_where() {
    for (schema, at, why) in [
        ("[]", "", "`[]` is no schema"),
        (r#"{"type": "strng"}"#, "/type", "`strng` is no type: there are `object`"),
        (r#"{"properties": {"a": 3}}"#, "/properties/a", "`3` is no schema"),
        (r#"{"properties": []}"#, "/properties", "an object of schemas"),
        (r#"{"required": "a"}"#, "/required", "an array of keys"),
        (r##"{"items": {"$ref": "#/$defs/Gone"}}"##, "/items/$ref", "names nothing in this schema"),
        (r#"{"anyOf": []}"#, "/anyOf", "an array of schemas"),
        (r#"{"properties": {"a": {"minimum": "1"}}}"#, "/properties/a/minimum", "`1` is no number"),
    ] {
        let problem = Schema::parse(schema).unwrap_err();
        assert_eq!(problem.at, at, "{schema}");
        assert!(problem.why.contains(why), "{schema}: {problem}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let endless = Schema::parse(r##"{"$ref": "#"}"##).unwrap();
    assert_eq!(endless.faults(&Map::new()), []);
    let doubled = Schema::parse(r##"{"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "not": {"$ref": "#"}}"##).unwrap();
    assert!(doubled.faults(&Map::new()).len() < 100);
    let deep = (0..100).fold("{}".to_owned(), |inner, _| format!("{{\"not\":{inner}}}"));
    assert!(Schema::parse(&deep).unwrap_err().why.contains("nested more than"));
}
