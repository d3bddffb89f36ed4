//! Puts the guests' texts into the library: one file, one guest. It must never write outside of its own output directory.

#![expect(clippy::print_stderr, reason = "cargo shows the standard error of a failed build script")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

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
    let variable = |name| env::var(name).map_err(|error| format!("`{name}` is not set by cargo: {error}"));
    let guests = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("guests");
    println!("cargo::rerun-if-changed={}", guests.display());
    let unread = |error| format!("`{}` cannot be read: {error}", guests.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&guests).map_err(unread)? {
        files.push(entry.map_err(unread)?.path());
    }
    files.sort();
    let rows: String = files.iter().filter_map(|file| row(file)).collect();
    let text =
        format!("/// The text of each guest, by name.\npub(crate) const TEXTS: &[(&str, &str)] = &[\n{rows}];\n");
    let out = PathBuf::from(variable("OUT_DIR")?).join("texts.rs");
    fs::write(&out, text).map_err(|error| format!("cannot write `{}`: {error}", out.display()))
}

fn row(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?.strip_suffix(".wat")?;
    Some(format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()))
}
