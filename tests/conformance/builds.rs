//! Finds what the tools of other languages built. It builds nothing.

use std::path::{Path, PathBuf};

/// Every language that `cap` is written in.
pub(crate) const LANGUAGES: [&str; 6] = ["rust", "js", "ts", "python", "go", "c"];

/// A component.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    pub(crate) language: String,
    pub(crate) bytes: Vec<u8>,
}

/// Where a language's build is expected.
pub(crate) fn path(dir: &Path, language: &str) -> PathBuf {
    dir.join(language).join("cap.wasm")
}

/// What is there, and which languages are missing.
pub(crate) fn find(dir: &Path) -> Result<(Vec<Build>, Vec<String>), String> {
    let (mut builds, mut missing) = (Vec::new(), Vec::new());
    for language in LANGUAGES.map(str::to_owned) {
        let path = path(dir, &language);
        if !path.is_file() {
            missing.push(language);
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
        builds.push(Build { language, bytes });
    }
    Ok((builds, missing))
}
