//! From a project to a plugin: its language's own tools make WebAssembly, which is wrapped, told what it is, and looked at by
//! the engine as the daemon would. It never runs anything of the plugin outside of the engine.

mod metadata;
mod shell;
mod toolchains;
mod tools;
mod wrap;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use tribunal_engine::{Digest, Introduced, Limits, LoadProblem, PluginSpec, Workshop};

use super::Language;
use shell::Shell;

/// Where a project's results go.
const BUILD_DIR: &str = "build";

/// Why there is no plugin.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing tells the language.
    #[error(
        "`{}` is no project of a policy: none of {} is there; `tribunal plugin new` makes one",
        .0.display(),
        Language::ALL.map(|language| format!("`{}`", language.mark())).join(", ")
    )]
    NoProject(PathBuf),
    /// A tool is not there.
    #[error("{tool} is not there: {install}")]
    NoTool {
        /// Which.
        tool: &'static str,
        /// How it is installed.
        install: String,
    },
    /// A tool failed.
    #[error("`{command}` failed:\n{output}")]
    Failed {
        /// Which, with its arguments.
        command: String,
        /// The end of what it said.
        output: String,
    },
    /// A file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tool did what it should, and not what we expect of it.
    #[error("{0}")]
    Unexpected(String),
    /// What came out is no policy, or the daemon would not load it.
    #[error("the plugin was built, but would not be loaded: {0}")]
    Refused(#[from] LoadProblem),
}

/// A plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where it is.
    pub file: PathBuf,
    /// What it is written in.
    pub language: Language,
    /// What the policy calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of the file.
    pub digest: Digest,
    /// Bytes of the file.
    pub bytes: usize,
    /// What was said about it in it: key and value.
    pub metadata: Vec<(&'static str, String)>,
    /// How long it took.
    pub took: Duration,
}

/// Builds the project in this directory, and tells each step as it begins.
///
/// # Errors
/// What is missing or wrong, and what to do.
pub fn build(dir: &Path, workshop: &Workshop, tell: &mut dyn FnMut(&str)) -> Result<Built, BuildError> {
    let began = Instant::now();
    let language = Language::of(dir).ok_or_else(|| BuildError::NoProject(dir.to_owned()))?;
    let dir = dir.canonicalize().map_err(|source| BuildError::File { path: dir.to_owned(), source })?;
    let out = dir.join(BUILD_DIR);
    fs::create_dir_all(&out).map_err(|source| BuildError::File { path: out.clone(), source })?;

    let mut shell = Shell { dir: &dir, out: &out, tell };
    let made = toolchains::run(language, &mut shell)?;
    let bytes = fs::read(&made).map_err(|source| BuildError::File { path: made.clone(), source })?;
    let component = wrap::component(bytes).map_err(BuildError::Unexpected)?;

    shell.say("asking the policy what it is");
    let limits = Limits::default();
    let spec = PluginSpec::new("plugin", component.clone());
    let introduced = Introduced::new(workshop, spec, limits)?;
    let description = introduced.description();
    let (name, version) = (description.name.clone(), description.version.clone());

    let metadata = metadata::of_project(language, &mut shell, &name, &version, &description.summary);
    let told = metadata::add(&component, &metadata, language).map_err(BuildError::Unexpected)?;
    let file = out.join(format!("{name}.wasm"));
    // Whole or not at all: a daemon may be following this very file.
    let unfinished = out.join(format!(".{name}.wasm.new"));
    fs::write(&unfinished, &told).map_err(|source| BuildError::File { path: unfinished.clone(), source })?;
    fs::rename(&unfinished, &file).map_err(|source| BuildError::File { path: file.clone(), source })?;
    let (digest, bytes) = (Digest::of(&told), told.len());
    Ok(Built { file, language, name, version, digest, bytes, metadata, took: began.elapsed() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_directory_without_a_project_is_told_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let error = build(dir.path(), &Workshop::here(), &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("`Cargo.toml`, `package.json`, `tsconfig.json`"), "{error}");
        assert!(error.ends_with("`tribunal plugin new` makes one"), "{error}");
    }
}
