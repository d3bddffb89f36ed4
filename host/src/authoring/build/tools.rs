//! The tools that a project pins: installed once, for this user, and found again. It never takes another version than the
//! project names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tribunal_engine::Digest;

use super::BuildError;
use super::shell::{Call, Shell};

/// Where tools go, if not beside this user's other caches.
const DIR_VARIABLE: &str = "TRIBUNAL_TOOLS_DIR";
/// What a project in Python or C pins.
const REQUIREMENTS: &str = "requirements.txt";
/// Characters of a digest that tell one set of tools from another.
const KEY_CHARS: usize = 16;

const PYTHON: (&str, &str) = ("Python", "install version 3.11 or newer as <https://www.python.org/downloads/> says");

/// Where the programs are that `package-lock.json` pins.
pub(super) fn of_npm(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let (modules, lock) = (shell.dir.join("node_modules"), shell.dir.join("package-lock.json"));
    let written = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let installed = written(&modules.join(".package-lock.json"));
    if installed.is_none() || installed < written(&lock) {
        shell.say("npm install");
        let call = Call::new("npm", "Node.js", "install version 20 or newer as <https://nodejs.org/en/download> says");
        shell.run(&call.arguments([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--loglevel=error",
        ]))?;
    }
    Ok(modules.join(".bin"))
}

/// An environment with what `requirements.txt` pins.
pub(super) fn of_python(shell: &mut Shell<'_>) -> Result<PathBuf, BuildError> {
    let requirements = shell.dir.join(REQUIREMENTS);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BuildError::File { path, source }
    };
    let wanted = fs::read(&requirements).map_err(failed(&requirements))?;
    let key: String = Digest::of(&wanted).to_string().chars().rev().take(KEY_CHARS).collect();
    let tools = dir().ok_or_else(|| {
        BuildError::Unexpected(format!("there is no place for tools: name a directory in `{DIR_VARIABLE}`"))
    })?;
    let environment = tools.join(format!("python-{key}"));
    let ready = environment.join("ready");
    if ready.is_file() {
        return Ok(environment);
    }
    fs::create_dir_all(&tools).map_err(failed(&tools))?;
    // Of two builds at a time one installs.
    let lock = File::create(tools.join("lock")).map_err(failed(&tools))?;
    lock.lock().map_err(failed(&tools))?;
    if ready.is_file() {
        return Ok(environment);
    }
    let pins = String::from_utf8_lossy(&wanted).split_whitespace().collect::<Vec<_>>().join(" ");
    shell.say(&format!("installing {pins} into `{}`", environment.display()));
    let venv = Call::new("python3", PYTHON.0, PYTHON.1)
        .arguments(["-m", "venv", "--clear", "--without-pip"])
        .arguments([&environment]);
    shell.run(&venv)?;
    // Apart from the environment, which keeps to itself why its pip is missing.
    let python = || Call::new(environment.join("bin/python3"), PYTHON.0, PYTHON.1).unset("PYTHONPATH");
    shell.run(&python().arguments(["-m", "ensurepip", "--default-pip"]))?;
    let pip = python()
        .arguments(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arguments([&requirements]);
    shell.run(&pip)?;
    fs::write(&ready, "").map_err(failed(&ready))?;
    Ok(environment)
}

/// A compiler of C that knows WebAssembly and brings a library: the one of `WASI_SDK_PATH`, or Zig's, which Python's
/// registry has.
pub(super) fn of_c(shell: &mut Shell<'_>) -> Result<Call, BuildError> {
    if let Some(sdk) = std::env::var_os("WASI_SDK_PATH") {
        let compiler = Path::new(&sdk).join("bin/clang");
        return Ok(Call::new(compiler, "the compiler of `WASI_SDK_PATH`", "install wasi-sdk there, or unset it"));
    }
    let tools = of_python(shell)?;
    let zig = Call::new(tools.join("bin/python3"), "Zig", "add `ziglang` to `requirements.txt`");
    // What it compiled once of its library, it keeps beside itself.
    let zig =
        zig.set("ZIG_GLOBAL_CACHE_DIR", tools.join("zig-cache")).set("ZIG_LOCAL_CACHE_DIR", tools.join("zig-cache"));
    Ok(zig.arguments(["-m", "ziglang", "cc"]))
}

/// Where this user's tools are.
fn dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(DIR_VARIABLE)
        .or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join("tribunal/tools")))
        .or_else(|| absolute("HOME").map(|path| path.join(".cache/tribunal/tools")))
}
