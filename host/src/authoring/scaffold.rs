//! A project to begin with: files that are compiled in, with the author's name for the policy in them. It never writes over
//! anything.

mod templates;

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Language;

/// Bytes of a policy's name, as the contract has it.
const NAME_BYTES_MAX: usize = 64;

/// What a policy is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Pending requests
    Review,
    /// Held requests
    Enforce,
    /// Both
    #[default]
    Both,
}

/// A policy's name: lower case words joined by `-`, the first of which begins with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// A text that is no name of a policy.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no name for a policy: join lower case words by `-`, such as `office-hours`")]
pub struct InvalidName(String);

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// Something is there already.
    #[error("`{}` is not empty: choose another directory, or empty it", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the project, with `/`.
    pub path: &'static str,
    /// Its text.
    pub text: String,
}

/// The files of a project.
#[must_use]
pub fn files(language: Language, kind: Kind, name: &Name) -> Vec<File> {
    let mine = templates::mine(language);
    let mine = mine.iter().map(|(path, text)| File { path, text: name.put_into(&kind.choose(text)) });
    let given = templates::given(language);
    let given = given.iter().map(|(path, text)| File { path, text: (*text).to_owned() });
    mine.chain(given).collect()
}

/// Writes a project into a directory, which is made if it is not there.
///
/// # Errors
/// That something is there already, or that a file cannot be written.
pub fn write(dir: &Path, files: &[File]) -> Result<(), ScaffoldError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ScaffoldError::Write { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    if fs::read_dir(dir).map_err(failed(dir))?.next().is_some() {
        return Err(ScaffoldError::NotEmpty(dir.to_owned()));
    }
    for file in files {
        let path = dir.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        fs::write(&path, &file.text).map_err(failed(&path))?;
    }
    Ok(())
}

// === impl Kind ===

impl Kind {
    /// A template without what other kinds of policies have: what stands between a comment `@if review`, `@if enforce`,
    /// `@if both`, `@if only review` or `@if only enforce` and a comment `@end`.
    fn choose(self, template: &str) -> String {
        let mut text = String::with_capacity(template.len());
        let mut is_wanted = true;
        for line in template.lines() {
            let words = line.trim_start().trim_start_matches(['/', '#', '*', ' ']);
            match words.trim_end_matches(['*', '/', ' ']) {
                "@if review" => is_wanted = matches!(self, Self::Review | Self::Both),
                "@if enforce" => is_wanted = matches!(self, Self::Enforce | Self::Both),
                "@if both" => is_wanted = matches!(self, Self::Both),
                "@if only review" => is_wanted = matches!(self, Self::Review),
                "@if only enforce" => is_wanted = matches!(self, Self::Enforce),
                "@end" => is_wanted = true,
                _ if is_wanted => {
                    text.push_str(line);
                    text.push('\n');
                }
                _ => {}
            }
        }
        text
    }
}

// === impl Name ===

impl std::str::FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if begins && text.len() <= NAME_BYTES_MAX && text.split('-').all(is_word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(text.to_owned()))
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Name {
    /// A template with this name in the place of its own, however that is spelt there.
    fn put_into(&self, template: &str) -> String {
        let camel: String = self.0.split('-').flat_map(capitalized).collect();
        let snake = self.0.replace('-', "_");
        template.replace("my-policy", &self.0).replace("my_policy", &snake).replace("MyPolicy", &camel)
    }
}

fn capitalized(word: &str) -> impl Iterator<Item = char> {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_lower_case_words() {
        for good in ["cap", "office-hours", "a1-2"] {
            assert_eq!(name(good).to_string(), good);
        }
        for bad in ["", "Cap", "1a", "-a", "a-", "a--b", "a_b", "a b", "../a", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_kind_has_only_its_own_parts() {
        let template =
            "a\n  // @if review\n  r\n  // @end\n# @if enforce\ne\n# @end\n/* @if enforce */\ne2\n/* @end */\nz\n";
        assert_eq!(Kind::Review.choose(template), "a\n  r\nz\n");
        assert_eq!(Kind::Enforce.choose(template), "a\ne\ne2\nz\n");
        assert_eq!(Kind::Both.choose(template), "a\n  r\ne\ne2\nz\n");
        let template = "# @if both\nb\n# @end\n# @if only review\nr\n# @end\n# @if only enforce\ne\n# @end\n";
        let chosen = [Kind::Both, Kind::Review, Kind::Enforce].map(|kind| kind.choose(template));
        assert_eq!(chosen, ["b\n", "r\n", "e\n"]);
    }

    #[test]
    fn a_project_has_its_name_everywhere_and_nothing_of_the_template() {
        for language in Language::ALL {
            for kind in [Kind::Review, Kind::Enforce, Kind::Both] {
                let files = files(language, kind, &name("office-hours"));
                assert!(files.iter().any(|file| file.path == language.mark()), "{language}");
                assert!(files.iter().any(|file| file.path == "wit/policy.wit"), "{language}");
                let source = files.iter().find(|file| file.path == language.source()).unwrap();
                assert!(source.text.contains("office-hours"), "{language}");
                assert_eq!(source.text.contains("reason-too-short"), kind != Kind::Enforce, "{language}");
                assert_eq!(source.text.contains("too-many-held"), kind != Kind::Review, "{language}");
                for file in &files {
                    for mark in ["my-policy", "my_policy", "MyPolicy", "@if ", "@end"] {
                        assert!(!file.text.contains(mark), "{language}: `{}` holds `{mark}`", file.path);
                    }
                }
            }
        }
    }

    #[test]
    fn a_project_has_every_file_of_its_sdk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("guest-sdk");
        for language in Language::ALL {
            let given: Vec<_> = templates::given(language).iter().chain(templates::mine(language)).collect();
            for place in templates::places(language) {
                for file in walk(&root.join(place)) {
                    let text = fs::read_to_string(&file).unwrap();
                    assert!(given.iter().any(|(_, there)| *there == text), "{language}: `{}`", file.display());
                }
            }
        }
    }

    fn walk(dir: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let below = dirs.iter().filter(|dir| !dir.ends_with("__pycache__")).flat_map(|dir| walk(dir));
        files.into_iter().chain(below).collect()
    }

    #[test]
    fn nothing_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(Language::Js, Kind::Both, &name("cap"));
        write(&dir.path().join("new"), &files).unwrap();
        assert!(dir.path().join("new/tribunal/index.js").is_file());
        let again = write(&dir.path().join("new"), &files).unwrap_err().to_string();
        assert!(again.contains("is not empty: choose another directory"), "{again}");
    }
}
