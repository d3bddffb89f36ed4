//! Compiles the reference policies to components, which the library then carries.
//! It must never write outside of its own output directory.

#![expect(clippy::print_stderr, reason = "cargo shows the standard error of a failed build script")]

#[path = "build/guests.rs"]
mod guests;

use std::path::PathBuf;
use std::process::ExitCode;

use guests::{Build, copy_if_changed, ensure_target_once, variable};

/// The policies by the profile that they are built with: each has a folder of this name, and its package is `tribunal-` with it.
const POLICIES: [(&str, &[&str]); 2] = [
    ("guest-fast", &["cap", "separation"]),
    (
        "guest",
        &["allow-rules", "break-glass", "duration", "reason-quality", "throttle", "ticket", "two-person", "window"],
    ),
];

/// What else the components are made of, below the root of the workspace.
const SOURCES: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest-sdk/rust/Cargo.toml",
    "guest-sdk/rust/src",
    "plugins/build",
    "plugins/classes/Cargo.toml",
    "plugins/classes/src",
    "plugins/terms/Cargo.toml",
    "plugins/terms/src",
    "wit",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let workspace = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("..");
    let workspace = workspace.canonicalize().map_err(|error| format!("no workspace around this package: {error}"))?;
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let names = POLICIES.iter().flat_map(|(_, names)| *names);
    let own = names.flat_map(|name| ["Cargo.toml", "src"].map(|part| format!("plugins/{name}/{part}")));
    for source in SOURCES.map(str::to_owned).into_iter().chain(own) {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }

    if let Some(line) = ensure_target_once(&out_dir)? {
        println!("cargo::warning={line}");
    }
    for (profile, names) in POLICIES {
        let packages: Vec<String> = names.iter().map(|name| format!("tribunal-{name}")).collect();
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        let build = Build { workspace: &workspace, profile, packages: &packages, target_dir: &out_dir.join("guests") };
        for (component, name) in build.components()?.iter().zip(names) {
            copy_if_changed(component, &out_dir.join(format!("{name}.wasm")))?;
        }
    }
    Ok(())
}
