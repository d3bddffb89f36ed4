//! Vouches for what is durable: signs checkpoints and the state on a thread of its own, so that no decision waits for it,
//! and keeps the leaves' hashes. It never signs what is not durable.

mod leaves;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use tracing::{error, warn};

pub(crate) use self::leaves::{Leaves, count, read_leaves};
use crate::digest::Digest;
use crate::directory::{Directory, Segment};
use crate::key::replace;
use crate::note::SecretKey;
use crate::standing::Standing;

/// The newest checkpoint's file in a ledger's directory.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The file that spares a start from reading everything.
pub(crate) const STATE: &str = "state";

/// What is to be vouched for.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) standing: Standing,
    /// Leaves since the notice before, by segment.
    pub(crate) leaves: Vec<(u32, Digest)>,
    /// The segment at the end is complete.
    pub(crate) sealed: bool,
}

/// Signs in the directory that it was given.
pub(crate) struct Notary {
    /// A handle of its own: the writer's may be renewed meanwhile.
    directory: PathBuf,
    key: SecretKey,
    leaves: Leaves,
}

/// A notary at work.
#[derive(Debug)]
pub(crate) struct Office {
    notices: Option<SyncSender<Box<Notice>>>,
    thread: Option<JoinHandle<()>>,
}

// === impl Notary ===

impl Notary {
    pub(crate) fn new(directory: &Path, key: SecretKey, leaves: Leaves) -> Self {
        Self { directory: directory.to_owned(), key, leaves }
    }

    /// Vouches for it, durably.
    pub(crate) fn publish(&mut self, notice: Notice) -> io::Result<()> {
        let Notice { standing, leaves, sealed } = notice;
        self.leaves.push(leaves);
        self.leaves.write()?;
        let directory = Directory::unlocked(&self.directory)?;
        let note = standing.checkpoint(self.key.public().name()).sign(&self.key);
        if sealed {
            let segment = Segment::new(&self.directory, standing.end.segment);
            replace(&directory, &segment.checkpoint_path(), note.as_bytes(), true)?;
        }
        replace(&directory, &self.directory.join(CHECKPOINT), note.as_bytes(), true)?;
        // What a crash leaves of it does not bear its signature, and is not believed.
        standing
            .sign(&self.key)
            .map_or(Ok(()), |state| replace(&directory, &self.directory.join(STATE), state.as_bytes(), false))
    }

    pub(crate) fn start(mut self) -> io::Result<Office> {
        let (notices, waiting) = mpsc::sync_channel::<Box<Notice>>(1);
        let thread = thread::Builder::new().name("ledger-notary".to_owned()).spawn(move || {
            for notice in waiting {
                if let Err(error) = self.publish(*notice) {
                    error!(%error, "The ledger's checkpoint cannot be written; what was recorded since is not vouched for");
                }
            }
        })?;
        Ok(Office { notices: Some(notices), thread: Some(thread) })
    }
}

// === impl Office ===

impl Office {
    /// Hands in a notice, unless others are waiting; gives it back then.
    pub(crate) fn hand_in(&self, notice: Box<Notice>) -> Result<(), Box<Notice>> {
        match self.notices.as_ref().map(|notices| notices.try_send(notice)) {
            Some(Err(TrySendError::Full(notice) | TrySendError::Disconnected(notice))) => Err(notice),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Hands in a notice, and waits until it is its turn.
    pub(crate) fn insist(&self, notice: Box<Notice>) {
        if let Some(Err(_)) = self.notices.as_ref().map(|notices| notices.send(notice)) {
            warn!("The ledger's notary has stopped; restart the daemon");
        }
    }
}

impl Drop for Office {
    /// Waits until all is signed.
    fn drop(&mut self) {
        drop(self.notices.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("Ledger notary panicked");
        }
    }
}
