//! What the README tells a newcomer to type is what the gate runs. It must never run anything itself.

use super::tree::{file, none};

/// The same command, however it is guarded against a changed lock file.
fn plain(command: &str) -> String {
    command.split_whitespace().filter(|word| *word != "--locked").collect::<Vec<_>>().join(" ")
}

/// The commands in the README's first two shell blocks that build or test the repository itself.
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
    assert!(told.len() >= 2, "the README tells how to run and how to test: {told:?}");
    let missing: Vec<String> = told.iter().take(2).filter(|command| !run.contains(command)).cloned().collect();
    none(&missing, "the README's two commands stand in `.ci/run`");
}

#[test]
fn the_gate_formats_lints_and_documents() {
    let gate = file(".ci/run");
    for step in ["cargo fmt --all --check", "-D warnings", "cargo doc", "cargo deny"] {
        assert!(gate.contains(step), "`.ci/run` misses `{step}`");
    }
}
