//! The phases in which Teleport changes its authorities (`tctl auth rotate`, `api/types/rotation.go`), so that nobody is locked out who renews
//! in time. It says what follows what, and who signs when; it makes nothing.

use std::fmt;

/// A phase of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationPhase {
    /// There is no rotation, or it is over: one authority signs everything and alone is trusted.
    Standby,
    /// There is a new authority, which is trusted, and signs nothing yet.
    Init,
    /// Identities are signed by the new authority, servers show certificates of the old one; both are trusted.
    UpdateClients,
    /// Servers show certificates of the new authority, too; both are trusted.
    UpdateServers,
    /// Back to the old authority, which signs everything again; both are trusted.
    Rollback,
}

/// Which of the trusted authorities signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Newest,
    Oldest,
}

// === impl RotationPhase ===

impl RotationPhase {
    /// The phases that may follow this one.
    #[must_use]
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Standby => &[Self::Init],
            Self::Init => &[Self::UpdateClients, Self::Rollback],
            Self::UpdateClients => &[Self::UpdateServers, Self::Rollback],
            Self::UpdateServers => &[Self::Standby, Self::Rollback],
            Self::Rollback => &[Self::Standby],
        }
    }

    pub(crate) fn may_be_followed_by(self, next: Self) -> bool {
        self.next().contains(&next)
    }

    /// Who signs identities.
    pub(crate) const fn clients(self) -> Signer {
        match self {
            Self::Standby | Self::UpdateClients | Self::UpdateServers => Signer::Newest,
            Self::Init | Self::Rollback => Signer::Oldest,
        }
    }

    /// Who signs certificates of servers.
    pub(crate) const fn hosts(self) -> Signer {
        match self {
            Self::Standby | Self::UpdateServers => Signer::Newest,
            Self::Init | Self::UpdateClients | Self::Rollback => Signer::Oldest,
        }
    }

    pub(crate) fn words_for_next(self) -> String {
        let names: Vec<String> = self.next().iter().map(|next| format!("`{next}`")).collect();
        names.join(" or ")
    }
}

impl fmt::Display for RotationPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standby => "standby",
            Self::Init => "init",
            Self::UpdateClients => "update_clients",
            Self::UpdateServers => "update_servers",
            Self::Rollback => "rollback",
        })
    }
}
