//! What was known at the last look, and what is different at this one. Pure: it looks nowhere itself.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use tribunal_core::Timestamp;
use tribunal_core::record::Lifecycle;
use tribunal_engine::Health;
use tribunal_teleport::Identity;

use crate::signs::PanelSeen;

/// What was seen last.
#[derive(Debug, Default)]
pub(super) struct Known {
    configuration: Option<String>,
    serial: Option<String>,
    /// Policies that are in quarantine.
    quarantined: BTreeMap<String, usize>,
    refused: Option<(Timestamp, String)>,
}

/// Who the daemon is.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) serial: String,
    /// For people.
    pub(super) told: String,
}

// === impl Known ===

impl Known {
    /// What happened since the last look.
    pub(super) fn changes(
        &mut self,
        configuration: Option<&str>,
        identity: &Who,
        panel: &PanelSeen,
    ) -> Vec<(Lifecycle, String)> {
        let mut changes = Vec::new();
        // A file that is gone for a moment, while it is replaced, is no other one.
        if let Some(digest) = configuration.filter(|digest| self.configuration.as_deref() != Some(*digest)) {
            let waits = if self.configuration.is_some() {
                "; of it the plugins and their limits are taken now, the rest at the next start"
            } else {
                ""
            };
            changes.push((Lifecycle::ConfigurationRead, format!("sha256:{digest}{waits}")));
            self.configuration = Some(digest.to_owned());
        }
        if self.serial.as_deref() != Some(identity.serial.as_str()) {
            changes.push((Lifecycle::IdentityChanged, identity.told.clone()));
            self.serial = Some(identity.serial.clone());
        }
        self.follow_panel(panel, &mut changes);
        changes
    }

    fn follow_panel(&mut self, panel: &PanelSeen, changes: &mut Vec<(Lifecycle, String)>) {
        let mut now = BTreeMap::new();
        for policy in &panel.policies {
            if let Health::Quarantined { strikes, again_in: _ } = &policy.health {
                now.insert(policy.name.as_str().to_owned(), *strikes);
            }
        }
        for (policy, strikes) in now.iter().filter(|(policy, _)| !self.quarantined.contains_key(*policy)) {
            changes.push((Lifecycle::Quarantined, format!("policy `{policy}`: {strikes} faults in a row")));
        }
        for policy in self.quarantined.keys().filter(|policy| !now.contains_key(*policy)) {
            changes.push((Lifecycle::QuarantineEnded, format!("policy `{policy}`")));
        }
        self.quarantined = now;
        if let Some((_, why)) = panel.stale.as_ref().filter(|stale| self.refused.as_ref() != Some(stale)) {
            changes.push((Lifecycle::PanelRefused, why.clone()));
        }
        self.refused.clone_from(&panel.stale);
    }
}

// === impl Who ===

impl From<&Identity> for Who {
    fn from(identity: &Identity) -> Self {
        Self { serial: identity.serial().to_owned(), told: told(identity) }
    }
}

fn told(identity: &Identity) -> String {
    let time = |at: SystemTime| {
        let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        tribunal_ledger::schema::Time::from(Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    };
    format!(
        "{}; certificate {}; from {} to {}; roles {}",
        identity.user(),
        identity.serial(),
        time(identity.not_before()),
        time(identity.not_after()),
        identity.roles().join(", ")
    )
}
