//! What configurations need, as written in files beside them, and what each key of a configuration adds or takes away. They
//! ask nobody whether that is enough: the simulated cluster is asked in the scenarios.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use tribunal_core::opinion::{Effect, Member};

use super::*;
use crate::config::{Overrides, Plugin, Source};

/// How few cases would show that the folder was not found.
const CASES_MIN: usize = 4;

/// As the panel has them once it is loaded.
fn members(plugins: &[Plugin]) -> Vec<Member> {
    let declared = |plugin: &Plugin| match &plugin.source {
        Source::Builtin(builtin) if builtin.name == "cap" => [Effect::Approve, Effect::Deny, Effect::Lock].into(),
        Source::Builtin(_) | Source::File(_) => Effect::ALL.into_iter().collect::<BTreeSet<_>>(),
    };
    let member = |plugin: &Plugin| Member {
        name: plugin.name.clone(),
        effects: plugin.effects.clone().unwrap_or_else(|| declared(plugin)),
        mode: plugin.mode,
    };
    plugins.iter().map(member).collect()
}

fn read(text: &str) -> Config {
    let overrides = Overrides { dry_run: text.starts_with("# dry-run"), ..Overrides::default() };
    Config::from_toml_with(text, Path::new("tribunal.toml"), &overrides).unwrap()
}

fn needs(text: &str) -> Needs {
    let config = read(text);
    needed(&config, &members(&config.plugins))
}

/// With this and one plugin.
fn with(more: &str) -> Needs {
    needs(&format!(
        "[teleport]\naddress = \"a:1\"\nidentity-file = \"identity\"\n{more}\n[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n"
    ))
}

/// Each verb, as in `lock: read`.
fn verbs(needs: &Needs) -> BTreeSet<String> {
    let verbs = |need: &Need| {
        let resource = need.resource;
        need.verbs.iter().map(move |verb| format!("{resource}: {verb}")).collect::<Vec<_>>()
    };
    needs.rules.iter().flat_map(verbs).collect()
}

fn documents(yaml: &str) -> Vec<Json> {
    yaml.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

#[test]
fn every_configuration_gets_the_role_that_is_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/role");
    let mut cases: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    cases.sort();
    assert!(cases.len() >= CASES_MIN, "{cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let config = read(&fs::read_to_string(&case).unwrap());
        let needs = needed(&config, &members(&config.plugins));
        let Files { cluster, tbot } = files(&needs, &config, &RoleName::default(), Path::new("tribunal.toml"));
        let said = format!("{cluster}---\n{tbot}");
        let expected = case.with_extension("yaml");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "`BLESS=1` writes what is said now\n{}", wrong.join("\n"));
}

#[test]
fn what_is_printed_is_yaml_that_says_what_is_needed() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/role/review.toml")).unwrap();
    let config = read(&text);
    let needs = needed(&config, &members(&config.plugins));
    let Files { cluster, tbot } = files(&needs, &config, &"watcher".parse().unwrap(), Path::new("tribunal.toml"));
    let [role, preview, bot] = documents(&cluster).try_into().unwrap();
    assert_eq!([&role["kind"], &role["version"], &role["metadata"]["name"]], ["role", "v7", "watcher"]);
    let said: BTreeSet<String> = role["spec"]["allow"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| {
            let resource = rule["resources"][0].as_str().unwrap();
            rule["verbs"].as_array().unwrap().iter().map(move |verb| format!("{resource}: {}", verb.as_str().unwrap()))
        })
        .collect();
    assert_eq!(said, verbs(&needs));
    let reviews = serde_json::json!({ "roles": ["prod-*", "node-access"], "preview_as_roles": ["watcher-preview"] });
    assert_eq!(role["spec"]["allow"]["review_requests"], reviews);
    assert_eq!(role["spec"]["deny"]["review_requests"], serde_json::json!({ "roles": ["prod-root", "no"] }));
    assert_eq!(preview["metadata"]["name"], "watcher-preview");
    assert_eq!(preview["spec"]["allow"]["db_labels"], serde_json::json!({ "*": "*" }));
    assert_eq!([&bot["kind"], &bot["metadata"]["name"], &bot["spec"]["roles"][0]], ["bot", "watcher", "watcher"]);
    let [tbot] = documents(&tbot).try_into().unwrap();
    assert_eq!([&tbot["version"], &tbot["auth_server"]], ["v2", "auth.example.com:3025"]);
    assert_eq!(tbot["services"][0]["type"], "identity");
    assert_eq!(tbot["services"][0]["destination"]["path"], "/opt/machine-id");
    assert_eq!(tbot["services"][0]["ssh_config"], "off");
}

#[test]
fn each_key_adds_what_it_is_for_and_nothing_else() {
    let least = "[daemon]\nlease = \"off\"\n[locks]\nrelease = \"never\"\n";
    let base = verbs(&with(least));
    let expected = [
        "access_request: list",
        "access_request: read",
        "access_request: update",
        "lock: create",
        "lock: list",
        "lock: read",
        "lock: update",
    ];
    assert_eq!(base, expected.map(str::to_owned).into());
    let more = |text: &str| -> Vec<String> { verbs(&with(text)).difference(&base).cloned().collect() };
    assert_eq!(more("[daemon]\nlease = \"off\"\n"), ["lock: delete"]);
    let semaphore = ["semaphore: create", "semaphore: list", "semaphore: read", "semaphore: update"];
    assert_eq!(more("[locks]\nrelease = \"never\"\n"), semaphore);
    assert_eq!(more("[locks]\nrelease = \"never\"\n[daemon]\nlease = \"required\"\n"), semaphore);
    let review = with(&format!("resolve-with = \"review\"\n{least}"));
    assert_eq!(base.difference(&verbs(&review)).collect::<Vec<_>>(), ["access_request: update"]);
    assert_eq!(review.review.unwrap().roles, ["*"]);
    let seen = ["access_request: list", "access_request: read", "lock: list", "lock: read"];
    let rehearsal =
        needs("# dry-run\n[teleport]\naddress = \"a:1\"\nidentity-file = \"i\"\nresolve-with = \"review\"\n");
    assert_eq!(verbs(&rehearsal), seen.map(str::to_owned).into());
    assert_eq!((rehearsal.review, rehearsal.labels), (None, None));
}

#[test]
fn only_those_that_enforce_give_the_daemon_the_right_to_act() {
    let plugins = |mode: &str, effects: &str| {
        let text = format!(
            "[[plugin]]\nname = \"a\"\nsource = \"builtin:cap\"\neffects = [\"approve\"]\n\
             [[plugin]]\nname = \"b\"\nsource = \"builtin:cap\"\nmode = \"{mode}\"\neffects = [{effects}]\n"
        );
        needs(&format!("[teleport]\naddress = \"a:1\"\nidentity-file = \"i\"\n{text}"))
    };
    let locks = |needs: &Needs| verbs(needs).contains("lock: create");
    assert!(locks(&plugins("enforce", "\"lock\"")));
    assert!(!locks(&plugins("shadow", "\"lock\"")));
    assert!(!locks(&plugins("enforce", "\"deny\"")));
}

#[test]
fn what_policies_look_at_is_shown_to_them_and_only_that() {
    let looks = |source: &str, more: &str| {
        let plugin = format!("[[plugin]]\nname = \"p\"\nsource = \"{source}\"\n{more}\n");
        let needs = needs(&format!("[teleport]\naddress = \"a:1\"\nidentity-file = \"i\"\n{plugin}"));
        (
            verbs(&needs).contains("user_login_state: read") && verbs(&needs).contains("user: read"),
            needs.labels.is_some(),
        )
    };
    let words = "classes = [\"prod\", \"research\"]";
    let labels = "classes = { a = { labels = [\"env=a\"] }, b = { roles = [\"b\"] } }";
    assert_eq!(looks("builtin:cap", ""), (false, false));
    assert_eq!(looks("builtin:separation", &format!("settings = {{ {words} }}")), (true, false));
    assert_eq!(
        looks("builtin:separation", &format!("settings = {{ {words}, standing-roles = \"ignore\" }}")),
        (false, false)
    );
    assert_eq!(
        looks("builtin:separation", &format!("settings = {{ {labels}, standing-roles = \"ignore\" }}")),
        (false, true)
    );
    assert_eq!(
        looks("builtin:separation", "settings = { classes = 3 }"),
        (true, true),
        "what is not understood looks at all"
    );
    let rules =
        |when: &str| format!("settings = {{ rules = [{{ name = \"a\", then = \"approve\", when = {{ {when} }} }}] }}");
    assert_eq!(looks("builtin:allow-rules", &rules("roles = [\"a\"]")), (false, false));
    assert_eq!(looks("builtin:allow-rules", &rules("traits = { team = [\"a\"] }")), (true, false));
    assert_eq!(looks("builtin:allow-rules", &rules("labels = { env = [\"a\"] }")), (false, true));
    assert_eq!(looks("builtin:ticket", "settings = { assignee-trait = \"email\" }"), (true, false));
    assert_eq!(looks("other.wasm", "effects = [\"approve\"]"), (true, true), "nobody knows what a file looks at");
}

#[test]
fn a_role_is_compared_with_what_is_needed() {
    let needs = with("[daemon]\nlease = \"auto\"\n");
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let mut rights = Rights::default();
    for (resource, verbs) in needs.verbs() {
        rights.allow(&own(&[resource]), &own(verbs));
    }
    assert_eq!(needs.compare(&rights), Difference::default());
    rights.allow(&own(&["node"]), &own(&["*"]));
    rights.allow_review(&own(&["*"]));
    rights.allow_preview(&own(&["access"]));
    rights.deny(&own(&["lock"]), &own(&["delete"]));
    rights.deny(&own(&["semaphore"]), &own(&["read"]));
    let Difference { missing, missed, excess } = needs.compare(&rights);
    assert_eq!(missing.len(), 1);
    assert!(missing[0].starts_with("lock: delete (releases locks"), "{missing:?}");
    assert_eq!(missed.len(), 1);
    assert!(missed[0].starts_with("semaphore: read: "), "{missed:?}");
    assert_eq!(excess, ["node: *", "review_requests.roles: *", "review_requests.preview_as_roles: access"]);
    let review = with("resolve-with = \"review\"\n");
    assert!(
        review.compare(&Rights::default()).missing.iter().any(|text| text.starts_with("review_requests.roles: * ("))
    );
}

#[test]
fn a_name_is_plain_or_refused() {
    for name in ["tribunal", "a", "t-2"] {
        assert_eq!(name.parse::<RoleName>().unwrap().to_string(), name);
    }
    for name in ["", "-a", "2", "A", "a b", "a\n", "a\"", &"a".repeat(65)] {
        assert!(name.parse::<RoleName>().is_err(), "{name:?}");
    }
}
