//! Where the ledger is when nobody says so. It never makes a directory.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{ConfigErrors, Problem};

/// `$STATE_DIRECTORY/ledger` under systemd, else `$XDG_STATE_HOME/tribunal/ledger`, else
/// `~/.local/state/tribunal/ledger`.
///
/// # Errors
/// When the environment names none of them.
pub fn default_ledger_dir() -> Result<PathBuf, ConfigErrors> {
    from_environment(|name| std::env::var_os(name))
}

fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, ConfigErrors> {
    // Relative ones are to be ignored: https://specifications.freedesktop.org/basedir/latest/
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // systemd joins several with colons (systemd.exec(5)).
    let systemd = variable("STATE_DIRECTORY")
        .and_then(|all| std::env::split_paths(&all).next())
        .filter(|path| path.is_absolute())
        .map(|path| path.join("ledger"));
    systemd
        .or_else(|| absolute("XDG_STATE_HOME").map(|path| path.join("tribunal/ledger")))
        .or_else(|| absolute("HOME").map(|path| path.join(".local/state/tribunal/ledger")))
        .ok_or_else(|| {
            ConfigErrors::single(Problem::without_place(
                "there is no place for the ledger: neither `STATE_DIRECTORY`, `XDG_STATE_HOME` nor `HOME` is set",
                "name one with `--ledger-dir`, or with `dir` under `[ledger]`",
            ))
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<PathBuf, ConfigErrors> {
        from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn systemd_comes_first_then_xdg_then_home() {
        let (home, xdg) = (("HOME", "/home/me"), ("XDG_STATE_HOME", "/state"));
        let systemd = ("STATE_DIRECTORY", "/var/lib/tribunal:/var/lib/other");
        assert_eq!(with(&[home, xdg, systemd]).unwrap(), PathBuf::from("/var/lib/tribunal/ledger"));
        assert_eq!(with(&[home, xdg]).unwrap(), PathBuf::from("/state/tribunal/ledger"));
        assert_eq!(with(&[home]).unwrap(), PathBuf::from("/home/me/.local/state/tribunal/ledger"));
    }

    #[test]
    fn relative_and_missing_places_are_no_places() {
        assert_eq!(
            with(&[("HOME", "/home/me"), ("XDG_STATE_HOME", "state"), ("STATE_DIRECTORY", "")]).unwrap(),
            PathBuf::from("/home/me/.local/state/tribunal/ledger")
        );
        let error = with(&[]).unwrap_err().to_string();
        assert!(error.contains("`--ledger-dir`"), "{error}");
    }
}
