//! Where the files of a soak are: the ledger, the log, the identity. It throws nothing away that somebody may want to see.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where the files are.
#[derive(Debug)]
pub(crate) enum Place {
    Kept(PathBuf),
    Passing(TempDir),
}

// === impl Place ===

impl Place {
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self, String> {
        let Some(keep) = keep else {
            let dir = tempfile::Builder::new().prefix("soak-").tempdir();
            return dir.map(Self::Passing).map_err(|error| format!("no temporary directory can be made: {error}"));
        };
        std::fs::create_dir_all(keep).map_err(|error| format!("`{}` cannot be made: {error}", keep.display()))?;
        let whole = keep.canonicalize().map_err(|error| format!("`{}`: {error}", keep.display()))?;
        if whole.join("ledger").exists() {
            return Err(format!("`{}` holds a ledger already: name an empty directory", keep.display()));
        }
        Ok(Self::Kept(whole))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }

    /// The files stay, whatever becomes of this.
    pub(crate) fn keep(&mut self) -> PathBuf {
        let path = self.path().to_owned();
        if let Self::Passing(dir) = std::mem::replace(self, Self::Kept(path.clone())) {
            drop(dir.keep());
        }
        path
    }
}
