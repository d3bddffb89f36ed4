//! Builds policies of this workspace to Wasm components with a nested cargo.
//! It must never share a target directory with the cargo that runs it: both would wait for the same lock.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a policy in Rust is compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The stack of a policy in its memory, in bytes; deeper recursion traps. The linker's own default, 1 MiB, would be looked
/// through for pages that were written to after each evaluation.
const STACK_BYTES: usize = 256 * 1024;

/// Environment of the outer cargo that the nested one keeps: where crates come from, and how many jobs may run.
const KEPT_CARGO_PREFIXES: [&str; 6] =
    ["CARGO_HOME", "CARGO_HTTP", "CARGO_MAKEFLAGS", "CARGO_NET", "CARGO_REGISTR", "CARGO_SOURCE"];

/// Environment that would bring the outer build's compiler flags and wrappers (clippy, rustdoc, coverage) into the
/// nested one.
const DROPPED_PREFIXES: [&str; 6] = ["CARGO", "CLIPPY_", "RUSTC_", "RUSTDOC", "RUSTFLAGS", "__CARGO"];

/// A nested build.
#[derive(Debug)]
pub(crate) struct Build<'a> {
    /// The root of the workspace.
    pub(crate) workspace: &'a Path,
    /// The profile of the workspace that they are built with.
    pub(crate) profile: &'a str,
    /// The packages to build, each a `cdylib`.
    pub(crate) packages: &'a [&'a str],
    /// Where the nested target directory goes.
    pub(crate) target_dir: &'a Path,
}

/// Runs programs; injected, so that tests need neither a compiler nor rustup.
pub(crate) trait Run {
    /// Standard output of a program that succeeded.
    ///
    /// # Errors
    /// Why it could not be started, or its standard error.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String>;
}

/// Runs programs for real.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shell;

// === impl Build ===

impl Build<'_> {
    /// Builds the packages; the answer has a component for each, in their order.
    ///
    /// # Errors
    /// What cargo said.
    pub(crate) fn components(&self) -> Result<Vec<PathBuf>, String> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        for (name, _) in env::vars_os().filter(|(name, _)| is_dropped(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
            .current_dir(self.workspace)
            // Set, even if to little, this outranks flags in anybody's cargo configuration, which are meant for the host.
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags())
            .args(["build", "--locked", "--lib", "--profile", self.profile, "--target", TARGET, "--target-dir"])
            .arg(self.target_dir);
        for package in self.packages {
            command.args(["--package", package]);
        }
        let output = command.output().map_err(|error| format!("cannot run cargo for the policies: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "cannot build the policies for {TARGET}:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let directory = self.target_dir.join(TARGET).join(self.profile);
        Ok(self.packages.iter().map(|name| directory.join(format!("{}.wasm", name.replace('-', "_")))).collect())
    }

    /// The stack, and what keeps the paths of this machine out of the components, so that equal sources give equal digests.
    fn flags(&self) -> OsString {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
        let places = [(Some(self.workspace.to_owned()), "/tribunal"), (home, "/cargo")];
        let mut flags = OsString::from(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
        for (place, alias) in places {
            let Some(place) = place else { continue };
            flags.push("\u{1f}--remap-path-prefix=");
            flags.push(place);
            flags.push("=");
            flags.push(alias);
        }
        flags
    }
}

fn is_dropped(name: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    starts(&DROPPED_PREFIXES) && !starts(&KEPT_CARGO_PREFIXES)
}

/// What cargo tells a build script.
///
/// # Errors
/// That it does not.
pub(crate) fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("`{name}` is not set by cargo: {error}"))
}

/// Puts a component where it is included from; one that is as it was stays, so that nothing is built anew for it.
///
/// # Errors
/// Which file cannot be read or written.
pub(crate) fn copy_if_changed(from: &Path, to: &Path) -> Result<(), String> {
    let new = fs::read(from).map_err(|error| format!("cargo built no `{}`: {error}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    fs::write(to, new).map_err(|error| format!("cannot write `{}`: {error}", to.display()))
}

/// [`ensure_target`] for a build script. Of several at a time one asks rustup, and the others wait:
/// two that add the same target get into each other's way.
///
/// # Errors
/// Those of [`ensure_target`], and that the file on which they wait cannot be made, beside their own directories.
pub(crate) fn ensure_target_once(out_dir: &Path) -> Result<Option<String>, String> {
    let path = out_dir.ancestors().nth(2).unwrap_or(out_dir).join("tribunal-target.lock");
    let failed = |error| format!("`{}` cannot be locked: {error}", path.display());
    let lock = File::create(&path).map_err(failed)?;
    lock.lock().map_err(failed)?;
    ensure_target(&Shell, &variable("RUSTC")?, env::var("RUSTUP_TOOLCHAIN").ok().as_deref())
}

/// Makes sure that the compiler can build for [`TARGET`]; where it cannot, rustup is asked to add the target.
/// The answer is a line to tell if that happened.
///
/// # Errors
/// That the target is missing, why it could not be added, and the command that adds it.
pub(crate) fn ensure_target(run: &impl Run, rustc: &str, toolchain: Option<&str>) -> Result<Option<String>, String> {
    if has_target(run, rustc)? {
        return Ok(None);
    }
    let mut arguments = vec!["target", "add", TARGET];
    if let Some(toolchain) = toolchain {
        arguments.extend(["--toolchain", toolchain]);
    }
    let remedy = format!("rustup {}", arguments.join(" "));
    let missing = |why: &str| {
        format!(
            "the compiler cannot build policies: its target {TARGET} is missing and {why}; run `{remedy}`, then build again"
        )
    };
    run.run("rustup", &arguments).map_err(|error| missing(&format!("could not be added: {}", error.trim())))?;
    if has_target(run, rustc)? {
        Ok(Some(format!("the target {TARGET} was missing: added it with `{remedy}`")))
    } else {
        Err(missing("rustup added it to another toolchain than the one in use"))
    }
}

fn has_target(run: &impl Run, rustc: &str) -> Result<bool, String> {
    let directory = run
        .run(rustc, &["--print", "target-libdir", "--target", TARGET])
        .map_err(|error| format!("cannot ask the compiler `{rustc}` for its targets: {}", error.trim()))?;
    Ok(Path::new(directory.trim()).is_dir())
}

// === impl Shell ===

impl Run for Shell {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
