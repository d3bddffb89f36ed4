//! The directory of a simulated cluster: its address and an identity file for each of its users. It must never name a
//! file outside of that directory.

use std::path::{Path, PathBuf};

use tribunal_teleport::Address;

use super::DevError;

/// The address file of a served cluster.
const ADDRESS: &str = "address";
/// The watcher's identity file.
const WATCHER_IDENTITY: &str = "identity";
/// The ledger of a daemon that runs beside the cluster.
const LEDGER: &str = "ledger";
/// What the other identity files end with.
const IDENTITY_SUFFIX: &str = ".identity";

/// The user who may do everything; see [`super::scenario`].
pub(super) const ADMIN: &str = "admin";

/// The directory of a simulated cluster.
#[derive(Clone, Debug)]
pub(super) struct Dir(PathBuf);

// === impl Dir ===

impl Dir {
    /// The directory at `path`, which need not exist.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The identity file that the daemon is given.
    pub(super) fn watcher_identity(&self) -> PathBuf {
        self.0.join(WATCHER_IDENTITY)
    }

    /// The ledger of the daemon beside the cluster.
    pub(super) fn ledger(&self) -> PathBuf {
        self.0.join(LEDGER)
    }

    /// The identity file of a user.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn identity(&self, user: &str) -> Result<PathBuf, DevError> {
        let path = self.0.join(format!("{user}{IDENTITY_SUFFIX}"));
        // A name with a separator would lead elsewhere.
        let inside = path.parent() == Some(self.path()) && !user.is_empty();
        if inside && path.is_file() {
            return Ok(path);
        }
        Err(DevError::NoSuchUser { user: user.to_owned(), users: self.users() })
    }

    /// Says where the cluster listens.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write_address(&self, address: &str) -> Result<(), DevError> {
        let path = self.0.join(ADDRESS);
        std::fs::write(&path, format!("{address}\n")).map_err(|source| DevError::File {
            verb: "write",
            path,
            source,
            remedy: "choose a directory that you may write to",
        })
    }

    /// Where the cluster listens.
    ///
    /// # Errors
    /// When nobody said so, or not in words that are understood.
    pub(super) fn address(&self) -> Result<Address, DevError> {
        let path = self.0.join(ADDRESS);
        let text =
            std::fs::read_to_string(&path).map_err(|source| DevError::NotServed { dir: self.0.clone(), source })?;
        let text = text.trim();
        text.parse().map_err(|_invalid| DevError::Address { path, text: text.to_owned() })
    }

    fn users(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return Vec::new() };
        let mut users: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(IDENTITY_SUFFIX).map(str::to_owned))
            .filter(|user| !user.is_empty())
            .collect();
        users.sort();
        users
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_is_found_by_those_who_come_later() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::new(temp.path());
        assert!(matches!(dir.address(), Err(DevError::NotServed { .. })));
        dir.write_address("127.0.0.1:3025").unwrap();
        assert_eq!(dir.address().unwrap().to_string(), "127.0.0.1:3025");
        dir.write_address("nowhere at all").unwrap();
        assert!(matches!(dir.address(), Err(DevError::Address { .. })));
    }

    #[test]
    fn a_user_is_found_in_the_directory_and_nowhere_else() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join("outside.identity"), "").unwrap();
        let dir = Dir::new(temp.path().join("inside"));
        std::fs::create_dir(dir.path()).unwrap();
        std::fs::write(dir.path().join("alice.identity"), "").unwrap();
        assert!(dir.identity("alice").is_ok());
        for user in ["bob", "", "../outside", "../inside/alice", "/etc/passwd"] {
            let error = dir.identity(user).unwrap_err().to_string();
            assert_eq!(error, format!("there is no user `{user}`; choose one of `alice`"));
        }
    }
}
