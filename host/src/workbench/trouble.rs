//! Why something could not be run at all, which is another thing than a test that failed. It says what to do, and does
//! nothing.

use std::path::PathBuf;

use tribunal_engine::LoadProblem;

/// Why it could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file cannot be read.
    #[error("`{}` cannot be read: {why}", path.display())]
    Unread {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file cannot be written.
    #[error("`{}` cannot be written: {why}", path.display())]
    Unwritten {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file is not what it should be.
    #[error("`{}`: {why}", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A plugin does not load.
    #[error("plugin `{plugin}`: {problem}; `tribunal plugin inspect {plugin}` says more")]
    Plugin {
        /// As it was named.
        plugin: String,
        /// Why.
        problem: Box<LoadProblem>,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

// === impl Trouble ===

impl Trouble {
    pub(crate) fn form(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::Form { path: path.into(), why: why.into() }
    }

    pub(crate) fn unread(path: impl Into<PathBuf>, why: &impl ToString) -> Self {
        Self::Unread { path: path.into(), why: why.to_string() }
    }

    pub(crate) fn unwritten(path: impl Into<PathBuf>, why: &impl ToString) -> Self {
        Self::Unwritten { path: path.into(), why: why.to_string() }
    }
}
