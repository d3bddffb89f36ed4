//! Puts the guests' texts into the library: one file, one guest; and compiles those in Rust, as the policies that ship are. It
//! must never write outside of its own output directory.

#![expect(clippy::print_stderr, reason = "cargo shows the standard error of a failed build script")]

#[path = "../../plugins/build/guests.rs"]
mod guests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use guests::{Build, copy_if_changed, ensure_target_once, variable};

/// The guests in Rust, and where they are.
const COMPILED: [(&str, &str); 2] = [("tribunal-hostile-rust", "rust"), ("tribunal-hostile-reader", "rust/reader")];

/// What else they are made of, below the root of the workspace.
const SOURCES: [&str; 6] =
    ["Cargo.lock", "Cargo.toml", "guest-sdk/rust/Cargo.toml", "guest-sdk/rust/src", "plugins/build", "wit"];

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
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    texts(&here.join("guests"), &out)?;
    compile(&here, &out)
}

fn texts(guests: &Path, out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", guests.display());
    let unread = |error| format!("`{}` cannot be read: {error}", guests.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(guests).map_err(unread)? {
        files.push(entry.map_err(unread)?.path());
    }
    files.sort();
    let rows: String = files.iter().filter_map(|file| row(file)).collect();
    let text =
        format!("/// The text of each guest, by name.\npub(crate) const TEXTS: &[(&str, &str)] = &[\n{rows}];\n");
    let out = out.join("texts.rs");
    fs::write(&out, text).map_err(|error| format!("cannot write `{}`: {error}", out.display()))
}

fn row(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?.strip_suffix(".wat")?;
    Some(format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()))
}

fn compile(here: &Path, out: &Path) -> Result<(), String> {
    let workspace = here.join("../..");
    let workspace = workspace.canonicalize().map_err(|error| format!("no workspace around this package: {error}"))?;
    let own = COMPILED.iter().flat_map(|(_, dir)| ["Cargo.toml", "src"].map(|part| here.join(dir).join(part)));
    for source in SOURCES.iter().map(|source| workspace.join(source)).chain(own) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    if let Some(line) = ensure_target_once(out)? {
        println!("cargo::warning={line}");
    }
    let packages = COMPILED.map(|(package, _)| package);
    let target_dir = out.join("compiled");
    let build = Build { workspace: &workspace, profile: "guest", packages: &packages, target_dir: &target_dir };
    for (component, package) in build.components()?.iter().zip(packages) {
        copy_if_changed(component, &out.join(format!("{package}.wasm")))?;
    }
    Ok(())
}
