//! Whether files have changed since they were looked at: for running suites again. It reads no file's content, and waits for
//! nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

/// What tells a file from what it was; none: it is not there.
type Look = Option<(u64, SystemTime)>;

/// Files that are watched.
#[derive(Debug, Default)]
pub struct Watched {
    looks: BTreeMap<PathBuf, Look>,
}

// === impl Watched ===

impl Watched {
    /// These files as they are now.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { looks: files.into_iter().map(|path| (path.clone(), look(&path))).collect() }
    }

    /// Whether any of them is another than it was.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.looks.iter().any(|(path, before)| look(path) != *before)
    }
}

fn look(path: &PathBuf) -> Look {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_file_that_is_written_appears_or_goes_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("suite.toml");
        let missing = Watched::new([path.clone()]);
        assert!(!missing.changed());
        std::fs::write(&path, "a").unwrap();
        assert!(missing.changed());
        let there = Watched::new([path.clone()]);
        assert!(!there.changed());
        std::fs::write(&path, "ab").unwrap();
        assert!(there.changed());
        std::fs::remove_file(&path).unwrap();
        assert!(there.changed());
    }
}
