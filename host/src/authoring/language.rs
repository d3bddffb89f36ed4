//! The languages that a project may be in, and how one is known by its files. It reads no file's content.

use std::fmt;
use std::path::Path;

/// What a policy is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// JavaScript
    Js,
    /// TypeScript
    Ts,
    /// Python
    Python,
    /// Go
    Go,
    /// C
    C,
}

// === impl Language ===

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rust, Self::Js, Self::Ts, Self::Python, Self::Go, Self::C];

    /// The language of the project in this directory; none: nothing in it tells.
    #[must_use]
    pub fn of(dir: &Path) -> Option<Self> {
        // TypeScript has both files of JavaScript and its own.
        let known = [Self::Rust, Self::Ts, Self::Js, Self::Python, Self::Go, Self::C];
        known.into_iter().find(|language| dir.join(language.mark()).is_file())
    }

    /// The file that projects of this language have.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Js => "package.json",
            Self::Ts => "tsconfig.json",
            Self::Python => "pyproject.toml",
            Self::Go => "go.mod",
            Self::C => "policy.c",
        }
    }

    /// The file with the policy itself.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::Js => "policy.js",
            Self::Ts => "policy.ts",
            Self::Python => "policy.py",
            Self::Go => "policy.go",
            Self::C => "policy.c",
        }
    }

    /// The command that runs a project's own tests.
    #[must_use]
    pub const fn test(self) -> &'static str {
        match self {
            Self::Rust => "cargo test",
            Self::Js | Self::Ts => "npm test",
            Self::Python => "python3 -m unittest",
            Self::Go => "go test ./...",
            Self::C => "make test",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_project_is_known_by_its_files() {
        for language in Language::ALL {
            let dir = tempfile::tempdir().unwrap();
            assert_eq!(Language::of(dir.path()), None);
            if language == Language::Ts {
                std::fs::write(dir.path().join("package.json"), "{}").unwrap();
            }
            std::fs::write(dir.path().join(language.mark()), "").unwrap();
            assert_eq!(Language::of(dir.path()), Some(language));
        }
    }
}
