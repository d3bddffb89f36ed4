//! What the README tells a newcomer to type is what the gate runs. It must never run anything itself.

use super::tree::{file, none};

/// The same command, however it is guarded against a changed lock file.
fn plain(command: &str) -> String {
    command.split_whitespace().filter(|word| *word != "--locked").collect::<Vec<_>>().join(" ")
}

/// The commands of the README that run or test the repository itself, in order.
fn readme_commands() -> Vec<String> {
    let readme = file("README.md");
    let mut commands = Vec::new();
    let mut fenced = false;
    for line in readme.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let line = line.trim_start().trim_start_matches("$ ");
            let command = line.split('#').next().unwrap_or_default();
            if command.starts_with("cargo run") || command.starts_with("cargo test") {
                commands.push(plain(command));
            }
        }
    }
    commands
}

#[test]
fn the_gate_runs_the_readmes_two_commands() {
    let gate = file(".ci/run");
    let run: Vec<String> = gate.lines().filter_map(|line| line.trim().strip_prefix("step ")).map(plain).collect();
    let told = readme_commands();
    let first = |beginning: &str| {
        let found = told.iter().find(|command| command.starts_with(beginning));
        found.unwrap_or_else(|| panic!("the README does not tell how to `{beginning}`")).clone()
    };
    let told = [first("cargo run"), first("cargo test")];
    let missing: Vec<String> = told.into_iter().filter(|command| !run.contains(command)).collect();
    none(&missing, "the README's two commands stand in `.ci/run`");
}

#[test]
fn the_gate_formats_lints_and_documents() {
    let gate = file(".ci/run");
    for step in ["cargo fmt --all --check", "-D warnings", "cargo doc", "cargo deny"] {
        assert!(gate.contains(step), "`.ci/run` misses `{step}`");
    }
}
