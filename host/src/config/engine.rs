//! `[engine]`: where the native code of plugins is kept. It never makes a directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::document::Section;
use super::path;
use super::problem::Findings;

/// The word for no cache at all.
const OFF: &str = "off";
/// The directory of ours in one that others use as well.
const OURS: &str = "tribunal/compiled";

/// Where the native code of plugins is kept, so that each is compiled once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CompiledCache {
    /// Where this user's caches are: [`default_cache_dir`].
    #[default]
    Default,
    /// In this directory.
    Dir(PathBuf),
    /// Nowhere: everything is compiled at each start.
    Off,
}

pub(super) fn read(mut section: Section<'_>, base: &Path, findings: &mut Findings<'_>) -> CompiledCache {
    let cache = section.string("cache", OFF, findings).and_then(|(text, span)| {
        if text == OFF {
            return Some(CompiledCache::Off);
        }
        match path::resolve(&text, base) {
            Ok(dir) => Some(CompiledCache::Dir(dir)),
            Err((what, _)) => {
                findings.at(&span, format!("`cache`: {what}"), "name a directory, or write `cache = \"off\"`");
                None
            }
        }
    });
    section.finish(findings);
    cache.unwrap_or_default()
}

/// `$CACHE_DIRECTORY/compiled` under systemd, else `$XDG_CACHE_HOME/tribunal/compiled`, else `~/.cache/tribunal/compiled`; none:
/// the environment names none of them.
#[must_use]
pub fn default_cache_dir() -> Option<PathBuf> {
    from_environment(|name| std::env::var_os(name))
}

fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // Relative ones are to be ignored: https://specifications.freedesktop.org/basedir/latest/
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // systemd joins several with colons (systemd.exec(5)).
    let systemd = variable("CACHE_DIRECTORY")
        .and_then(|all| std::env::split_paths(&all).next())
        .filter(|path| path.is_absolute())
        .map(|path| path.join("compiled"));
    systemd
        .or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join(OURS)))
        .or_else(|| absolute("HOME").map(|path| path.join(".cache").join(OURS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_comes_first_then_xdg_then_home() {
        let with = |variables: &[(&str, &str)]| {
            from_environment(|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            })
        };
        let (home, xdg) = (("HOME", "/home/me"), ("XDG_CACHE_HOME", "/caches"));
        let systemd = ("CACHE_DIRECTORY", "/var/cache/tribunal:/var/cache/other");
        assert_eq!(with(&[home, xdg, systemd]), Some(PathBuf::from("/var/cache/tribunal/compiled")));
        assert_eq!(with(&[home, xdg]), Some(PathBuf::from("/caches/tribunal/compiled")));
        assert_eq!(with(&[home]), Some(PathBuf::from("/home/me/.cache/tribunal/compiled")));
        assert_eq!(with(&[("XDG_CACHE_HOME", "caches")]), None);
    }
}
