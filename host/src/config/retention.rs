//! How long the ledger keeps whole records, and where older ones go. It never moves one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Section;
use super::problem::Findings;
use super::{duration, path};

/// The shortest time that records are kept, so that a slip of the pen does not remove what nobody has seen yet.
const KEEP_MIN: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest: a hundred years.
const KEEP_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// How long records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Segments all of whose records are older go.
    pub keep: Duration,
    /// Where they go; none: nowhere, they are removed.
    pub archive_to: Option<PathBuf>,
}

/// Reads `keep` and `archive-to` of `[ledger]`; none: everything stays.
pub(super) fn read(section: &mut Section<'_>, base: &Path, findings: &mut Findings<'_>) -> Option<Retention> {
    let keep = section.string("keep", "9600h", findings).and_then(|(text, span)| {
        let parsed = duration::age(&text, KEEP_MIN, KEEP_MAX);
        if let Err((what, help)) = &parsed {
            findings.at(&span, format!("`keep`: {what}"), *help);
        }
        parsed.ok().map(|keep| (keep, span))
    });
    let archive_to = section.string("archive-to", "/srv/archive/tribunal", findings).and_then(|(text, span)| {
        let resolved = path::resolve(&text, base);
        if let Err((what, help)) = &resolved {
            findings.at(&span, format!("`archive-to`: {what}"), *help);
        }
        resolved.ok().map(|path| (path, span))
    });
    match (keep, archive_to) {
        (Some((keep, _)), archive_to) => Some(Retention { keep, archive_to: archive_to.map(|(path, _)| path) }),
        (None, Some((_, span))) => {
            findings.at(
                &span,
                "`archive-to` says where records go, and nothing says when",
                "add `keep`, such as `keep = \"9600h\"`",
            );
            None
        }
        (None, None) => None,
    }
}
