//! What is said about leases: of the daemons that ask for the same one, one at a time has it. Words alone; who leads is
//! the daemon's to find out.

use tribunal_core::Timestamp;

/// A lease that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseWish {
    /// Which: daemons that must not act at once ask for the same one.
    pub name: String,
    /// Who asks; no two daemons that can run at once have the same.
    pub holder: String,
    /// When it is to end, if it is not kept.
    pub until: Timestamp,
}

/// A lease that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which.
    pub name: String,
    /// The server's id of it.
    pub id: String,
    /// When it ends.
    pub until: Timestamp,
}

/// The answer to a [`LeaseWish`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is ours.
    Ours {
        /// The lease.
        lease: Lease,
        /// What stood in its place before.
        before: Before,
    },
    /// Somebody else has it.
    Theirs {
        /// Who, where that may be seen.
        holder: Option<String>,
        /// When theirs ends, where that may be seen.
        until: Option<Timestamp>,
    },
    /// There are no leases for us: the right to them is missing, or the server has none. Says what is missing.
    Unable(String),
}

/// What stood where a lease was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Leases that were over, or given back.
    Over,
    /// Nothing: no lease was ever there, or it ended long ago, or a person deleted it.
    Nothing,
    /// That may not be seen.
    Unseen,
}

/// The answer to keeping a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It ends at the new time.
    Held,
    /// It is not ours any more; says why.
    Gone(String),
}
