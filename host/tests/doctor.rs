//! `tribunal doctor` as people and programs run it, over a simulated cluster. What it finds is tested with the scenarios.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Output;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::process::Command;
use tribunal_sim::{Running, SimClock, SimServer, default_scenario};

const CAP: &str = "[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n";

/// A cluster and a configuration for it.
struct Place {
    dir: TempDir,
    server: Running,
}

impl Place {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let scenario = default_scenario().unwrap();
        let server = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
        let ledger = "[ledger]\ndir = \"ledger\"\n";
        let text = format!("[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\n{ledger}{CAP}", server.addr());
        std::fs::write(dir.path().join("tribunal.toml"), text).unwrap();
        Self { dir, server }
    }

    async fn doctor(&self, flags: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.arg("doctor").args(["--config", "tribunal.toml"]).args(flags).current_dir(self.dir.path());
        command.output().await.unwrap()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn where_nothing_failed_it_ends_with_0_and_strictly_with_1_where_it_warned() {
    let place = Place::new().await;
    let output = place.doctor(&[]).await;
    let said = text(output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains('\u{1b}'), "no colour where there is no terminal: {said}");
    // The scenario's bot may do more than it needs.
    assert!(said.contains("\nwarning  excess-rights "), "{said}");
    assert!(said.trim_end().lines().last().unwrap().contains(" 0 failed"), "{said}");
    let output = place.doctor(&["--strict"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(place.server.handle().history().len(), 0, "nothing is left behind");
}

#[tokio::test]
async fn where_something_failed_it_ends_with_1_and_says_what_to_do() {
    let place = Place::new().await;
    let output = place.doctor(&["--identity", "missing"]).await;
    let said = text(output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let failed = said.lines().position(|line| line.starts_with("failed   identity ")).unwrap();
    assert!(said.lines().nth(failed + 1).unwrap().trim_start().starts_with("→ "), "{said}");
    assert!(said.contains("skipped  ping                     `identity` failed"), "{said}");
}

#[tokio::test]
async fn programs_get_one_object_with_an_object_for_each_check() {
    let place = Place::new().await;
    let output = place.doctor(&["--json", "--proxy", "127.0.0.1:1"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said.get("ok").unwrap(), false);
    let checks = said.get("checks").unwrap().as_array().unwrap();
    for check in checks {
        let mut keys: Vec<&str> = check.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["name", "outcome", "remedy", "what"]);
        let outcome = check.get("outcome").unwrap().as_str().unwrap();
        assert!(["ok", "warning", "failed", "skipped"].contains(&outcome));
    }
    let tcp = checks.iter().find(|check| check.get("name").unwrap() == "tcp").unwrap();
    assert_eq!(tcp.get("outcome").unwrap(), "failed");
    assert!(tcp.get("remedy").unwrap().as_str().unwrap().contains("check the address"));
}

#[tokio::test]
async fn what_takes_long_is_told_meanwhile() {
    let place = Place::new().await;
    // Whoever connects here hears nothing, for as long as a handshake may take.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let output = place.doctor(&["--proxy", &address]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = text(output.stderr);
    assert!(told.contains("`tls` takes a while, 20 s at most"), "{told}");
}
