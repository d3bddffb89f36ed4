//! Settings are held against the schema that a plugin gives of them, whatever the plugin itself says.

use std::path::Path;

use tribunal::config::Config;
use tribunal::workbench::settings::against_schemas;
use tribunal_engine::testing::Guest;

use super::guests::shop;
use crate::tidy::tree::file;

/// What a schema has against these settings, as people read it.
fn told(schema: &str, settings: &str) -> Vec<String> {
    let dir = shop(&Guest::new().schema(schema).build());
    let text = format!(
        "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\n\
         [[plugin]]\nname = \"p\"\nsource = \"{}\"\neffects = [\"approve\"]\nlimits = {{ granted-deadline-ms = 1000 }}\n{settings}\n",
        dir.path().join("policy.wasm").display()
    );
    let config = Config::from_toml(&text, Path::new("tribunal.toml")).unwrap_or_else(|errors| panic!("{errors}"));
    against_schemas(&config).iter().map(ToString::to_string).collect()
}

const SCHEMA: &str = r#"{"type": "object", "additionalProperties": false, "properties": {
    "hours": {"type": "object", "properties": {"from": {"type": "integer", "maximum": 23}}},
    "teams": {"type": "array", "items": {"type": "string"}}
}}"#;

#[test]
fn each_fault_stands_at_its_line() {
    assert_eq!(told(SCHEMA, "settings = { teams = [\"a\"], hours = { from = 8 } }"), [""; 0]);
    let said = told(SCHEMA, "[plugin.settings]\nhour = 1\nteams = [\n  \"a\",\n  2,\n]\nhours.from = 24");
    assert_eq!(said.len(), 3, "{said:?}");
    for (line, says) in [
        ("tribunal.toml:11:1", "plugin `p`: `hour` is no key of these settings"),
        ("tribunal.toml:14:3", "`teams.1` is an integer: it must be a string"),
        ("tribunal.toml:16:", "`hours.from` is 24: it must be at most 23"),
    ] {
        assert!(said.iter().any(|said| said.contains(line) && said.contains(says)), "{says}\n{said:#?}");
    }
    assert!(said.iter().any(|said| said.contains("help: did you mean `hours`?")), "{said:#?}");
}

#[test]
fn a_plugin_without_a_schema_takes_no_settings_and_one_with_a_wrong_one_is_told() {
    assert!(told("", "settings = { a = 1 }")[0].contains("this plugin takes no settings"));
    assert!(told(r#"{"type": 3}"#, "")[0].contains("its settings schema is no JSON Schema: at `/type`"));
}

#[test]
fn what_the_page_of_the_policies_configures_fits_their_schemas() {
    let page = file("plugins/README.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    let blocks: String = blocks.collect::<Vec<_>>().join("\n");
    let text = format!(
        "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\
         [limits]\nsetup-deadline-ms = 30000\n{blocks}"
    );
    let config = Config::from_toml(&text, Path::new("tribunal.toml")).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(config.plugins.len() >= 2);
    let said: Vec<String> = against_schemas(&config).iter().map(ToString::to_string).collect();
    assert_eq!(said, [""; 0]);
}
