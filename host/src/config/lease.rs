//! `[daemon]`: whether this daemon heeds others on the same cluster. It knows no other daemon.

use super::document::Section;
use super::problem::Findings;
use crate::daemon::lease::Mode;

/// The longest name of a group, in bytes.
const GROUP_BYTES_MAX: usize = 64;

/// Whether this daemon heeds others, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whether.
    pub mode: Mode,
    /// Of those of the same group one acts; none: of all those on the cluster.
    pub group: Option<String>,
}

// === impl Lease ===

impl Default for Lease {
    fn default() -> Self {
        Self { mode: Mode::Auto, group: None }
    }
}

impl Lease {
    pub(super) fn read(mut section: Section<'_>, findings: &mut Findings<'_>) -> Self {
        let modes = [("auto", Mode::Auto), ("required", Mode::Required), ("off", Mode::Off)];
        let mode = section.word("lease", &modes, findings);
        let group = section.string("group", "payments", findings).and_then(|(group, span)| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            let is_right = (1..=GROUP_BYTES_MAX).contains(&group.len()) && group.bytes().all(is_plain);
            if !is_right {
                findings.at(
                    &span,
                    format!("`group` cannot be `{group}`"),
                    format!("use up to {GROUP_BYTES_MAX} letters, digits, `-`, `_` and `.`"),
                );
            }
            is_right.then_some(group)
        });
        section.finish(findings);
        Self { mode: mode.unwrap_or(Mode::Auto), group }
    }

    /// The lease's name on this cluster.
    #[must_use]
    pub fn name(&self, cluster: &str) -> String {
        self.group.clone().unwrap_or_else(|| cluster.to_owned())
    }
}
