//! Pages for people name only what is there. It must never judge their words.

use super::tree::{file, files, none, root};

/// Names of files that users have, not we.
const OF_USERS: &[&str] = &[
    "tribunal.toml",
    "scenario.toml",
    "suite.toml",
    "NAME.suite.toml",
    "policy.wasm",
    "identity",
    "admin.identity",
    "tbot.yaml",
    "role.yaml",
    "requirements.txt",
];
/// What the name of a file ends with.
const ENDINGS: &[&str] = &[".rs", ".md", ".wit", ".proto", ".toml", ".service", ".yaml", ".txt"];

/// What a page names: code in backticks, and the targets of links.
fn named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        names.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        for link in line.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                names.push(target.to_owned());
            }
        }
    }
    names
}

/// Whether this is the name of one of our files or directories, rather than of something in Teleport or on a user's disk.
fn is_ours(name: &str) -> bool {
    if name.is_empty() || name.contains([' ', '*', '<', '{', '(', '$', '=', '…']) || name.starts_with(['/', '-', '~'])
    {
        return false;
    }
    let last = name.rsplit('/').next().unwrap_or_default();
    if OF_USERS.contains(&last) {
        return false;
    }
    let first = name.split('/').next().unwrap_or_default();
    let under_root = name.contains('/') && !first.is_empty() && root().join(first).is_dir();
    under_root || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[test]
fn pages_name_only_files_that_exist() {
    let root = root();
    let mut missing = Vec::new();
    for page in files(".md") {
        let beside = root.join(&page.path).parent().unwrap().to_owned();
        for name in named(&page.text).iter().filter(|name| is_ours(name)) {
            // `path::test` names a test in a file.
            let name = name.split("::").next().unwrap_or_default();
            let places = [root.join(name), beside.join(name), root.join("host").join(name)];
            if !places.iter().any(|place| place.exists()) {
                missing.push(format!("{}: `{name}`", page.path));
            }
        }
    }
    none(&missing, "pages name only what is there");
}

#[test]
fn the_pages_of_the_house_are_there() {
    for page in ["README.md", "CHANGELOG.md", "LICENSE", "host/ARCHITECTURE.md", "tests/CLAIMS.md"] {
        assert!(!file(page).trim().is_empty(), "`{page}` is empty");
    }
}

#[test]
fn the_map_fits_on_a_page() {
    assert!(file("host/ARCHITECTURE.md").lines().count() <= 150);
}

#[test]
fn the_map_names_every_room() {
    let map = file("host/ARCHITECTURE.md");
    let rooms =
        ["wit/", "proto/", "host/core/", "host/ports/", "host/engine/", "host/teleport/", "host/ledger/", "host/sim/"];
    let rooms = rooms.into_iter().chain(["guest-sdk/", "plugins/", "tests/", "host/src/daemon.rs"]);
    let missing: Vec<_> = rooms.filter(|room| !map.contains(&format!("`{room}"))).map(str::to_owned).collect();
    none(&missing, "the map names every room");
}

/// Watcher C11: as the sample watcher's unit, and hardened.
#[test]
fn the_unit_restarts_by_itself_as_an_own_user_without_new_privileges() {
    let unit = file("host/deploy/tribunal.service");
    for line in ["Restart=always", "RestartSec=5", "User=teleport", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(unit.lines().any(|there| there == line), "`{line}` is missing");
    }
    assert!(unit.contains("After=network"));
}

/// What the unit promises systemd, the daemon keeps.
#[test]
fn the_unit_is_watched_over_for_longer_than_the_daemon_may_be_silent() {
    let unit = file("host/deploy/tribunal.service");
    let secs = |key: &str| -> u64 {
        let values: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect();
        assert_eq!(values.len(), 1, "`{key}` stands there once");
        values[0].parse().unwrap_or_else(|_| panic!("`{key}` is no number of seconds"))
    };
    for line in ["Type=notify", "NotifyAccess=main"] {
        assert!(unit.lines().any(|there| there == line), "`{line}` is missing");
    }
    // A beat may come as late as half of it.
    assert!(secs("WatchdogSec") > tribunal::signs::LIVE_SECS_MAX);
    assert!(secs("TimeoutStopSec") > 5);
    assert!(secs("TimeoutStartSec") >= 120);
}

#[test]
fn what_looks_like_a_file_of_ours_is_told_from_what_does_not() {
    for ours in ["host/core/src/guard.rs", "SCHEMA.md", "wit/policy.wit", "tests/CLAIMS.md"] {
        assert!(is_ours(ours), "{ours}");
    }
    for other in
        ["tribunal.toml", "/cluster/node/name", "tribunal/decision", "cargo test --workspace", "*.md", "builtin:cap"]
    {
        assert!(!is_ours(other), "{other}");
    }
}

/// The fenced block of a page that begins with this language, without its indentation.
fn fenced(page: &str, language: &str) -> String {
    let opening = format!("```{language}");
    let mut lines = page.lines().skip_while(|line| line.trim_start() != opening);
    let indent = lines.next().map_or(0, |line| line.len() - line.trim_start().len());
    let block = lines.take_while(|line| line.trim_start() != "```");
    block.map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_policy_of_the_readme_is_the_one_that_is_built_and_tested() {
    let policy = fenced(&file("README.md"), "rust");
    assert!(policy.contains("impl Policy for Ticket"), "{policy}");
    assert!(file("guest-sdk/rust/examples/ticket.rs").contains(&policy), "README.md and the example differ:\n{policy}");
}

#[test]
fn the_configuration_of_the_readme_is_right() {
    let text = fenced(&file("README.md"), "toml");
    let config = tribunal::config::Config::from_toml(&text, std::path::Path::new("tribunal.toml"));
    let config = config.unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = config.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    assert_eq!(names, ["ticket", "separation", "cap"]);
}
