//! `tribunal check --connect` over a simulated cluster: what is said of its roles is a golden text; `BLESS=1` writes what
//! is said now.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;
use tribunal_sim::{Scenario, SimClock, SimServer};

/// Roles that words find where they should, and where they should not.
const ROLES: [&str; 9] = [
    "prod-admin",
    "prod-requester",
    "product-catalog",
    "non-prod",
    "prod-research",
    "research-ro",
    "staging",
    "editor",
    "Prod-DB",
];

/// A panel, and whether the bot may list roles.
async fn check(plugins: &str, may_list: bool, flags: &[&str]) -> (Option<i32>, String, String) {
    let roles: String = ROLES.iter().map(|role| format!("[[role]]\nname = \"{role}\"\n")).collect();
    let verbs = if may_list { "[\"list\", \"read\"]" } else { "[]" };
    let bot = format!("cluster = \"acme\"\n[bot]\nrules = [{{ resources = [\"role\"], verbs = {verbs} }}]\n");
    let scenario = Scenario::parse(&format!("{bot}{roles}")).unwrap();
    let dir = TempDir::new().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
    let teleport = format!("[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\n", server.addr());
    let config = dir.path().join("tribunal.toml");
    std::fs::write(&config, format!("{teleport}[guard]\nprotected-roles = [\"editor\", \"Prod-DB\"]\n{plugins}"))
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tribunal"))
        .args(["check", "--config"])
        .arg(&config)
        .args(flags)
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const WORDS: &str = "[[plugin]]\nname = \"apart\"\nsource = \"builtin:separation\"\n\
                     settings = { classes = [\"prod\", \"research\", \"finance\"], when-compliant = \"approve\" }\n";
const NAMES: &str = "[[plugin]]\nname = \"apart\"\nsource = \"builtin:separation\"\n[plugin.settings]\n\
                     when-compliant = \"approve\"\n[plugin.settings.classes]\n\
                     prod = { roles = [\"prod-admin\"] }\nresearch = { roles = [\"research-*\"] }\n";

/// What is said of the cluster: the rest has digests in it.
#[track_caller]
fn golden(name: &str, stdout: &str) {
    let at = stdout.find("\ncluster `").unwrap();
    let said = stdout.get(at..).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/connect/{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, said).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(said, expected, "`BLESS=1` writes what is said now");
}

#[tokio::test]
async fn h7c_each_role_that_a_word_finds_by_accident_is_warned_of() {
    let (code, stdout, stderr) = check(WORDS, true, &["--connect"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    golden("words", &stdout);
    let (code, stdout, _) = check(WORDS, true, &["--connect", "--strict"]).await;
    assert_eq!(code, Some(1));
    golden("words", &stdout);
}

#[tokio::test]
async fn classes_of_whole_names_are_not_warned_of() {
    let (code, stdout, stderr) = check(NAMES, true, &["--connect", "--strict"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    golden("names", &stdout);
}

#[tokio::test]
async fn programs_get_the_same() {
    let (code, stdout, _) = check(WORDS, true, &["--connect", "--json"]).await;
    assert_eq!(code, Some(0));
    let said: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(said.pointer("/cluster/name").unwrap(), "acme");
    assert_eq!(
        said.pointer("/cluster/separation/0/classes/1/roles").unwrap(),
        &serde_json::json!(["prod-research", "research-ro"])
    );
    let of = |role: &str| {
        let warnings = said.pointer("/cluster/separation/0/warnings").unwrap().as_array().unwrap().iter();
        let of_role = warnings.filter(|warning| warning.get("role").unwrap() == role);
        of_role.map(|warning| warning.get("what").unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("product-catalog"), ["within-a-word"]);
    assert_eq!(of("non-prod"), ["negated"]);
    assert_eq!(of("prod-research"), ["two-classes"]);
    assert_eq!(of("Prod-DB"), ["protected"]);
    assert_eq!(of("prod-admin"), [""; 0]);
}

#[tokio::test]
async fn without_the_right_to_list_roles_that_is_said() {
    let (code, stdout, _) = check(WORDS, false, &["--connect"]).await;
    assert_eq!(code, Some(0));
    golden("unseen", &stdout);
    let (code, ..) = check(WORDS, false, &["--connect", "--strict"]).await;
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn without_being_asked_to_nothing_connects() {
    let (code, stdout, _) = check(WORDS, true, &["--strict"]).await;
    assert_eq!(code, Some(0));
    assert!(!stdout.contains("cluster `"), "{stdout}");
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_an_error_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("tribunal.toml");
    std::fs::write(&config, format!("[teleport]\naddress = \"127.0.0.1:1\"\nidentity-file = \"missing\"\n{WORDS}"))
        .unwrap();
    let check = |flag: &'static str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.args(["check", "--connect", flag, "--config"]).arg(&config);
        async move { command.output().await.unwrap() }
    };
    let output = check("--strict").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("missing"));
    let output = check("--json").await;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said.get("ok").unwrap(), false);
}
