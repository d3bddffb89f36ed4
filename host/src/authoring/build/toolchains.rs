//! How each language makes WebAssembly: a component, or a core module that is wrapped later. It never installs anything
//! for the whole machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::shell::{Call, Shell};
use super::{BuildError, tools};
use crate::authoring::Language;

/// The target of Rust's components.
const RUST_TARGET: &str = "wasm32-wasip2";
/// What the tools write, in the directory of results.
const COMPONENT: &str = "component.wasm";
const CORE: &str = "core.wasm";
/// The stack of a policy in C, in bytes.
const C_STACK: &str = "-Wl,-z,stack-size=262144";

/// Runs the tools of a language, and gives the file that they made.
pub(super) fn run(language: Language, shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    match language {
        Language::Rust => rust(shell),
        Language::Js => javascript(shell, Path::new("tribunal/component.js")),
        Language::Ts => typescript(shell),
        Language::Python => python(shell),
        Language::Go => go(shell),
        Language::C => c(shell),
    }
}

fn rust(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let install = "install it as <https://rustup.rs> says";
    let libraries =
        Call::new("rustc", "Rust", install).arguments(["--print", "target-libdir", "--target", RUST_TARGET]);
    if !Path::new(shell.run(&libraries)?.trim()).is_dir() {
        let install = format!("add it with `rustup target add {RUST_TARGET}`");
        return Err(BuildError::NoTool { tool: "Rust's target for components", install });
    }
    shell.say("cargo build");
    let build = ["build", "--release", "--target", RUST_TARGET, "--message-format", "json-render-diagnostics"];
    let mut call = Call::new("cargo", "Rust", install).arguments(build);
    if std::env::var_os("RUSTFLAGS").is_none() {
        call = call.set("CARGO_ENCODED_RUSTFLAGS", without_paths(shell.dir));
    }
    let told = shell.run(&call)?;
    let manifest = shell.dir.join("Cargo.toml");
    let made = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let is_ours = message.get("manifest_path")?.as_str().is_some_and(|path| Path::new(path) == manifest);
        let mut files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
        files.find(|file| is_ours && file.ends_with(".wasm")).map(PathBuf::from)
    });
    made.ok_or_else(|| {
        BuildError::Unexpected(
            "cargo made no component: `Cargo.toml` needs `[lib] crate-type = [\"cdylib\", \"rlib\"]`".to_owned(),
        )
    })
}

/// Flags that keep the paths of this machine out of a component, so that equal sources give equal digests.
fn without_paths(dir: &Path) -> OsString {
    let cargo =
        std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(dir);
    flags.push("=/policy");
    if let Some(cargo) = cargo {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(cargo);
        flags.push("=/cargo");
    }
    flags
}

fn javascript(shell: &mut Shell<'_>, entry: &Path) -> Result<PathBuf, BuildError> {
    let bin = tools::of_npm(shell)?;
    shell.say("componentize-qjs");
    let component = shell.out.join(COMPONENT);
    let call = Call::new(bin.join("componentize-qjs"), "componentize-qjs", "add it to `package.json`")
        .arguments(["--wit", "wit", "--world", "policy", "--module-root", ".", "--sync", "--stub-wasi", "--js"])
        .arguments([entry.as_os_str(), "--output".as_ref(), component.as_os_str()]);
    shell.run(&call)?;
    Ok(component)
}

fn typescript(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let bin = tools::of_npm(shell)?;
    shell.say("tsc");
    shell.run(&Call::new(bin.join("tsc"), "the compiler of TypeScript", "add `typescript` to `package.json`"))?;
    javascript(shell, Path::new("build/js/tribunal/component.js"))
}

fn python(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let tools = tools::of_python(shell)?;
    shell.say("componentize-py");
    let component = shell.out.join(COMPONENT);
    let call = Call::new(tools.join("bin/componentize-py"), "componentize-py", "add it to `requirements.txt`")
        .arguments(["-q", "-d", "wit", "-w", "policy", "componentize", "--stub-wasi", "-p", "."])
        .arguments(["tribunal.component".as_ref(), "-o".as_ref(), component.as_os_str()])
        // Its libraries are the project's and its own, whatever this machine has.
        .set("VIRTUAL_ENV", &tools)
        .set("PYTHONDONTWRITEBYTECODE", "1")
        .unset("PYTHONPATH")
        .unset("PYTHONHOME");
    shell.run(&call)?;
    Ok(component)
}

fn go(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    shell.say("go build");
    let module = shell.out.join(CORE);
    let call = Call::new("go", "Go", "install version 1.24 or newer as <https://go.dev/doc/install> says")
        .arguments(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w -buildid=", "-buildvcs=false", "-o"])
        .arguments([module.as_os_str(), ".".as_ref()])
        .set("GOOS", "wasip1")
        .set("GOARCH", "wasm")
        .set("GOWORK", "off")
        .unset("GOFLAGS");
    shell.run(&call)?;
    Ok(module)
}

fn c(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let compiler = tools::of_c(shell)?;
    shell.say("compiling C");
    let module = shell.out.join(CORE);
    let call = compiler
        .arguments(["--target=wasm32-wasi", "-mexec-model=reactor", "-Os", "-s", "-std=c17", "-Wall", "-Wextra", "-I."])
        // Of the sixteen megabytes that it would get, an instance would be as slow to make.
        .arguments([C_STACK])
        .arguments(["policy.c", "tribunal/policy.c", "tribunal/tribunal.c", "tribunal/settings.c", "-o"])
        .arguments([&module]);
    shell.run(&call)?;
    Ok(module)
}
