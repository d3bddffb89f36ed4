//! Facts: files in which other systems say what policies are to know, such as tickets or on-call schedules. It never changes
//! one, and never shows a text that is not JSON.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::IgnoredAny;
use tokio::sync::watch;
use tracing::{error, info, warn};
use tribunal_core::Timestamp;
use tribunal_core::case::Fact;
use tribunal_ports::Clock;

use crate::config;

/// The longest fact, in bytes. Every evaluation is shown all of them.
pub const FACT_BYTES_MAX: u64 = 256 * 1024;
/// The time between two looks at the files.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A file of so much later than now says nothing of its age: it is not fresh.
const AHEAD_MAX: Duration = Duration::from_secs(60);
/// What is shown of a fact that could never be read.
const NOTHING: &str = "null";

/// The operator's facts, and the files that they come from.
#[derive(Debug)]
pub struct Facts {
    files: Vec<FactFile>,
}

/// One fact over time.
#[derive(Debug)]
struct FactFile {
    fact: config::Fact,
    /// How the file looked when it was last read.
    read: Option<Look>,
    /// The last text that was JSON, and when it was written.
    known: Option<(String, Timestamp)>,
    trouble: Option<Trouble>,
    was_fresh: bool,
}

/// Why a file cannot be used as it is.
#[derive(Debug)]
struct Trouble {
    why: String,
    said: bool,
}

/// A file as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    dev: u64,
    ino: u64,
    len: u64,
    modified: SystemTime,
}

// === impl Facts ===

impl Facts {
    /// Of these files; none has been read.
    #[must_use]
    pub fn new(facts: &[config::Fact]) -> Self {
        let file = |fact: &config::Fact| FactFile {
            fact: fact.clone(),
            read: None,
            known: None,
            trouble: None,
            was_fresh: true,
        };
        Self { files: facts.iter().map(file).collect() }
    }

    /// What the files say at `now`, by name. A file that cannot be used leaves what it said before, which ages; one that
    /// never could is shown as `null`, and not fresh. It waits for the disk.
    pub fn look(&mut self, now: Timestamp) -> Arc<[Fact]> {
        self.files.iter_mut().map(|file| file.look(now)).collect()
    }

    /// Why each file cannot be used as it is, where one cannot; in the order of [`Facts::look`].
    pub fn troubles(&self) -> impl Iterator<Item = Option<&str>> {
        self.files.iter().map(|file| file.trouble.as_ref().map(|trouble| trouble.why.as_str()))
    }

    /// Looks every [`LOOK_EVERY`], for ever, and tells what changed.
    pub async fn follow(mut self, clock: &impl Clock, tell: &watch::Sender<Arc<[Fact]>>) {
        while !self.files.is_empty() {
            clock.sleep_until(clock.now().after(LOOK_EVERY)).await;
            let now = clock.now();
            let looking = tokio::task::spawn_blocking(move || {
                let facts = self.look(now);
                (self, facts)
            });
            let facts = match looking.await {
                Ok((looked, facts)) => {
                    self = looked;
                    facts
                }
                Err(bug) => {
                    error!(%bug, "Facts are read no more, and none is fresh from now on; please report this bug");
                    tell.send_modify(|known| *known = known.iter().cloned().map(stale).collect());
                    return;
                }
            };
            tell.send_if_modified(|known| {
                let changed = *known != facts;
                *known = facts;
                changed
            });
        }
    }
}

// === impl FactFile ===

impl FactFile {
    fn look(&mut self, now: Timestamp) -> Fact {
        match read(&self.fact.file, self.read) {
            Ok(None) => self.say_again(),
            Ok(Some((look, text))) => {
                self.read = Some(look);
                match checked(&text) {
                    Ok(json) => {
                        if self.trouble.take().is_some_and(|trouble| trouble.said) {
                            info!(fact = self.fact.name, "The fact can be read again");
                        }
                        self.known = Some((json, timestamp(look.modified)));
                    }
                    Err(why) => self.trouble(why),
                }
            }
            Err(why) => {
                self.read = None;
                self.trouble(why);
            }
        }
        self.shown(now)
    }

    /// A file may be looked at while it is written: a person is told of what is still so at the next look, or at the first.
    fn trouble(&mut self, why: String) {
        let before = self.trouble.take().filter(|before| before.why == why);
        let said = before.as_ref().is_some_and(|before| before.said);
        self.trouble = Some(Trouble { why, said });
        if before.is_some() || self.known.is_none() {
            self.say_again();
        }
    }

    fn say_again(&mut self) {
        if let Some(trouble) = &mut self.trouble
            && !trouble.said
        {
            trouble.said = true;
            let (file, why) = (self.fact.file.display(), &trouble.why);
            warn!(fact = self.fact.name, %file, why, "The fact cannot be read; what it said last is shown, for as long as it is fresh");
        }
    }

    fn shown(&mut self, now: Timestamp) -> Fact {
        let (json, fetched) = match &self.known {
            Some((json, written)) => (json.clone(), *written),
            None => (NOTHING.to_owned(), Timestamp::default()),
        };
        let fresh = self.known.is_some() && is_fresh(fetched, self.fact.max_age, now);
        if self.was_fresh && !fresh && self.known.is_some() {
            let age_secs = now.since(fetched).as_secs();
            warn!(fact = self.fact.name, age_secs, "The fact is not fresh any more; policies are told so");
        }
        if fresh && !self.was_fresh {
            info!(fact = self.fact.name, "The fact is fresh again");
        }
        self.was_fresh = fresh;
        Fact { name: self.fact.name.clone(), json, fetched, fresh }
    }
}

fn stale(fact: Fact) -> Fact {
    Fact { fresh: false, ..fact }
}

/// Whether what was written then is young enough now.
fn is_fresh(written: Timestamp, max_age: Duration, now: Timestamp) -> bool {
    now.since(written) <= max_age && written.since(now) <= AHEAD_MAX
}

/// The file's text, and how it looked before it was read; nothing, if it looks as it did when it was `known`.
fn read(path: &Path, known: Option<Look>) -> Result<Option<(Look, String)>, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    // A pipe would be waited for without end.
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let look = Look::of(&metadata).map_err(|error| error.to_string())?;
    if known == Some(look) {
        return Ok(None);
    }
    Ok(Some((look, text(path)?)))
}

fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FACT_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FACT_BYTES_MAX {
        return Err(format!("it is longer than {FACT_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// The text, if it is JSON.
fn checked(text: &str) -> Result<String, String> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("it is not JSON: {error}")),
    }
}

fn timestamp(at: SystemTime) -> Timestamp {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

// === impl Look ===

impl Look {
    fn of(metadata: &Metadata) -> std::io::Result<Self> {
        let modified = metadata.modified()?;
        Ok(Self { dev: metadata.dev(), ino: metadata.ino(), len: metadata.len(), modified })
    }
}

#[cfg(test)]
mod tests;
