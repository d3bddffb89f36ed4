//! An identity file over time: which identity counts now, and why the file as it is now does not.
//!
//! Must never let go of an identity for one that cannot be used, nor take one that is still being written.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use tokio::sync::{Mutex, watch};

use super::{Identity, IdentityError, InvalidIdentity, read};

/// How often it is asked whether the file is another one, in seconds.
pub const LOOK_SECS: u64 = 5;
/// How often the file is read even though it looks the same, in seconds.
pub const RECHECK_SECS: u64 = 60;
/// How long a change must last until it is taken, in milliseconds: Teleport's tools write in place.
pub const SETTLE_MILLIS: u64 = 1_000;

/// What counts now.
#[derive(Clone, Debug)]
pub struct Held {
    /// The newest identity that was whole, and valid when it was taken.
    pub identity: Arc<Identity>,
    /// How many came after the first.
    pub renewals: u64,
    /// Why the file as it is now is not taken; none: it is.
    pub problem: Option<String>,
}

/// An identity file, and what it held last that can be used.
#[derive(Debug)]
pub struct IdentityFile {
    path: PathBuf,
    held: watch::Sender<Held>,
    memory: Mutex<Memory>,
}

/// What a look gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// What is held is what is there.
    Same,
    /// There is something else, which may not be all of it yet: look again after [`SETTLE_MILLIS`].
    Unsettled,
    /// There is a new identity, which is held from now on.
    Fresh,
    /// There is something that cannot be used.
    Unusable,
}

#[derive(Debug)]
struct Memory {
    stamp: Option<Stamp>,
    read_at: SystemTime,
    /// What the held identity was read from.
    held: Mark,
    /// What was seen instead, the last time.
    unsettled: Option<Mark>,
}

/// What tells a file from another at its place, and from itself after a change.
#[derive(Debug, PartialEq, Eq)]
struct Stamp([i64; 4], [u64; 3]);

/// What was read, without the key in it: its digest, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    Text(Vec<u8>),
    Nothing(String),
}

type Content = Result<String, InvalidIdentity>;

// === impl IdentityFile ===

impl IdentityFile {
    /// The file at `path`, with what it holds at `now`.
    ///
    /// # Errors
    /// If that cannot be used; see [`InvalidIdentity`].
    pub async fn open(path: &Path, now: SystemTime) -> Result<Self, IdentityError> {
        let stamp = Stamp::of(path).await;
        let content = read(path).await;
        let mark = Mark::of(&content);
        let identity = Arc::new(identity(path, content, now).await?);
        let memory = Memory { stamp, read_at: now, held: mark, unsettled: None };
        let held = Held { identity, renewals: 0, problem: None };
        Ok(Self { path: path.to_owned(), held: watch::Sender::new(held), memory: Mutex::new(memory) })
    }

    /// What counts now.
    #[must_use]
    pub fn held(&self) -> Held {
        self.held.borrow().clone()
    }

    /// What counts now, and whatever will.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Held> {
        self.held.subscribe()
    }

    /// Looks whether there is something else, and takes it when it is whole, can be used, and was the same twice. Reads
    /// nothing that looks the same, but every [`RECHECK_SECS`].
    pub(crate) async fn look(&self, now: SystemTime) -> Look {
        let mut memory = self.memory.lock().await;
        let stamp = Stamp::of(&self.path).await;
        let is_recent =
            now.duration_since(memory.read_at).is_ok_and(|passed| passed < Duration::from_secs(RECHECK_SECS));
        let is_settled = memory.unsettled.is_none() && self.held.borrow().problem.is_none();
        if is_settled && is_recent && stamp.is_some() && stamp == memory.stamp {
            return Look::Same;
        }
        let content = read(&self.path).await;
        let mark = Mark::of(&content);
        (memory.stamp, memory.read_at) = (stamp, now);
        if mark == memory.held {
            memory.unsettled = None;
            self.note_problem(None);
            return Look::Same;
        }
        if memory.unsettled.as_ref() != Some(&mark) {
            memory.unsettled = Some(mark);
            return Look::Unsettled;
        }
        // What cannot be used stays unsettled: it is read each time, and taken as soon as it can be.
        match self.take_in(&mut memory, content, mark, now).await {
            Ok(_) => Look::Fresh,
            Err(_) => Look::Unusable,
        }
    }

    /// The identity that the file holds at `now`, which counts from then on: for whoever cannot wait.
    ///
    /// # Errors
    /// If it cannot be used; what counted before still does.
    pub(crate) async fn take(&self, now: SystemTime) -> Result<Arc<Identity>, IdentityError> {
        let mut memory = self.memory.lock().await;
        let stamp = Stamp::of(&self.path).await;
        let content = read(&self.path).await;
        let mark = Mark::of(&content);
        if mark != memory.held {
            let taken = self.take_in(&mut memory, content, mark, now).await;
            (memory.stamp, memory.read_at) = (stamp, now);
            return taken;
        }
        self.note_problem(None);
        let held = self.held.borrow().identity.clone();
        if held.is_valid(now) { Ok(held) } else { identity(&self.path, content, now).await.map(Arc::new) }
    }

    /// The identity to make a connection with at `now`: that of the file, or else the last one that could be used.
    ///
    /// # Errors
    /// If neither can be.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Arc<Identity>, IdentityError> {
        match self.take(now).await {
            Ok(identity) => Ok(identity),
            Err(error) => Some(self.held().identity).filter(|held| held.is_valid(now)).ok_or(error),
        }
    }

    async fn take_in(
        &self,
        memory: &mut Memory,
        content: Content,
        mark: Mark,
        now: SystemTime,
    ) -> Result<Arc<Identity>, IdentityError> {
        let taken = identity(&self.path, content, now).await.and_then(|identity| self.must_be_us(identity));
        match taken {
            Ok(identity) => {
                (memory.held, memory.unsettled) = (mark, None);
                self.held.send_modify(|held| {
                    held.identity = Arc::clone(&identity);
                    held.renewals = held.renewals.saturating_add(1);
                    held.problem = None;
                });
                Ok(identity)
            }
            Err(error) => {
                self.note_problem(Some(error.to_string()));
                Err(error)
            }
        }
    }

    /// INVARIANT: a client is one user for as long as it lives. Whoever asks it knows its own writes by that name.
    fn must_be_us(&self, identity: Identity) -> Result<Arc<Identity>, IdentityError> {
        let user = self.held.borrow().identity.user().to_owned();
        if identity.user() == user {
            return Ok(Arc::new(identity));
        }
        let problem = InvalidIdentity::OtherUser { user, now: identity.user().to_owned() };
        Err(IdentityError { path: self.path.clone(), problem })
    }

    fn note_problem(&self, problem: Option<String>) {
        self.held.send_if_modified(|held| {
            let changed = held.problem != problem;
            held.problem = problem;
            changed
        });
    }
}

/// The identity in what was read.
async fn identity(path: &Path, content: Content, now: SystemTime) -> Result<Identity, IdentityError> {
    let parsed = content.and_then(|text| Identity::parse(&text, now));
    let mut identity = parsed.map_err(|problem| IdentityError { path: path.to_owned(), problem })?;
    identity.ssh.complete(path).await;
    Ok(identity)
}

// === impl Stamp ===

impl Stamp {
    /// Of what a path leads to, past all symlinks; none, if that is nothing.
    async fn of(path: &Path) -> Option<Self> {
        let found = tokio::fs::metadata(path).await.ok()?;
        let times = [found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()];
        Some(Self(times, [found.dev(), found.ino(), found.len()]))
    }
}

// === impl Mark ===

impl Mark {
    fn of(content: &Content) -> Self {
        match content {
            Ok(text) => Self::Text(digest(&SHA256, text.as_bytes()).as_ref().to_vec()),
            Err(problem) => Self::Nothing(problem.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
