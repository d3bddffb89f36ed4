//! Finds the daemon's binary: given, or beside this program in the target directory, built first if it is not there. It
//! never searches elsewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The daemon's binary, as a copy in `dir`: whoever builds meanwhile does not change what is tested.
pub(crate) fn copy_to(dir: &Path, given: Option<&PathBuf>) -> Result<PathBuf, String> {
    let found = match given {
        Some(path) => path.clone(),
        None => beside()?,
    };
    let copy = dir.join("tribunal");
    std::fs::copy(&found, &copy).map_err(|error| {
        format!("`{}` cannot be copied: {error}; build it with `cargo build -p tribunal`", found.display())
    })?;
    Ok(copy)
}

fn beside() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program does not know where it is: {error}"))?;
    let dir = own.parent().ok_or("this program is in no directory")?;
    let path = dir.join(format!("tribunal{}", std::env::consts::EXE_SUFFIX));
    if !path.is_file() {
        build()?;
    }
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "`{}` is not there: build it with `cargo build -p tribunal`, or name it with `--tribunal`",
            path.display()
        ))
    }
}

fn build() -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "tribunal", "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo build -p tribunal` failed: {status}")) }
}
