//! What happens to the daemon beside its decisions, put into the ledger for whoever reviews its privilege: which identity and
//! which configuration it has, policies in quarantine, panels that were refused, what an operator did to the ledger's files. It
//! decides nothing, and keeps nothing from happening.

mod known;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};
use tribunal_core::record::Record;
use tribunal_ledger::{Archived, Note};
use tribunal_ports::{Clock, Ledger};
use tribunal_teleport::Held;

use self::known::{Known, Who};
use crate::config::Retention;
use crate::signs::PanelSeen;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So many looks come between two at the age of segments: an hour.
const LOOKS_BETWEEN_RETENTIONS: u32 = 3_600;
/// So many come before the first, so that the start is over.
const LOOKS_BEFORE_RETENTION: u32 = 60;
/// The most records that wait for a ledger that cannot be written; older ones give way.
const WAITING_MAX: usize = 1_000;

/// Where a chronicle looks, and where it writes.
pub struct Chronicle<L, C> {
    /// The record.
    pub ledger: Arc<L>,
    /// The time.
    pub clock: Arc<C>,
    /// The ledger's directory, where operators leave notes.
    pub directory: PathBuf,
    /// The configuration's file, if there is one.
    pub configuration: Option<PathBuf>,
    /// How long records are kept; none: for ever.
    pub retention: Option<Retention>,
    /// Who the daemon is.
    pub identity: watch::Receiver<Held>,
}

// === impl Chronicle ===

impl<L: Ledger, C: Clock> Chronicle<L, C> {
    /// Follows all of it, for ever; `panel` says how the panel stands.
    pub async fn follow(self, panel: impl Fn() -> PanelSeen + Send) {
        let mut known = Known::default();
        let (mut waiting, mut until_retention) = (VecDeque::new(), LOOKS_BEFORE_RETENTION);
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let digest = self.configuration_digest().await;
            let identity = Who::from(self.identity.borrow().identity.as_ref());
            let changes = known.changes(digest.as_deref(), &identity, &panel());
            let at = self.clock.now();
            waiting.extend(changes.into_iter().map(|(what, detail)| Record::Lifecycle { at, what, detail }));
            while waiting.len() > WAITING_MAX {
                waiting.pop_front();
            }
            while let Some(record) = waiting.front()
                && self.ledger.append(record.clone()).await.is_ok()
            {
                waiting.pop_front();
            }
            if self.retention.is_some() && until_retention == 0 {
                self.let_go().await;
            }
            until_retention = until_retention.checked_sub(1).unwrap_or(LOOKS_BETWEEN_RETENTIONS);
            self.record_notes().await;
        }
    }

    /// Has segments go that are older than what is kept.
    async fn let_go(&self) {
        let Some(Retention { keep, archive_to }) = self.retention.clone() else { return };
        let (directory, before) = (self.directory.clone(), self.clock.now().before(keep));
        let gone = tokio::task::spawn_blocking(move || {
            let key = tribunal_ledger::public_key(&directory).map_err(|error| error.to_string())?;
            tribunal_ledger::archive(&directory, &key, before.into(), archive_to.as_deref())
                .map_err(|error| error.to_string())
        });
        match gone.await {
            Ok(Ok(Archived { stays: Some(why), .. })) => warn!(why, "An old segment of the ledger stays"),
            Ok(Ok(_)) => {}
            Ok(Err(why)) => warn!(why, "Old segments of the ledger stay"),
            Err(bug) => error!(%bug, "A bug; please report it"),
        }
    }

    async fn configuration_digest(&self) -> Option<String> {
        let bytes = tokio::fs::read(self.configuration.as_ref()?).await.ok()?;
        Some(tribunal_ledger::Digest::of(&bytes).to_string())
    }

    /// Does what notes say, and records it.
    async fn record_notes(&self) {
        let directory = self.directory.clone();
        let found = tokio::task::spawn_blocking(move || {
            let notes = tribunal_ledger::notes(&directory)?;
            notes.iter().try_for_each(Note::carry_out)?;
            Ok::<_, std::io::Error>(notes)
        });
        let notes = match found.await {
            Ok(Ok(notes)) => notes,
            Ok(Err(error)) => return warn!(%error, "A note in the ledger's directory cannot be carried out"),
            Err(bug) => return error!(%bug, "A bug; please report it"),
        };
        for note in notes {
            let record = note.record(self.clock.now());
            if self.ledger.append(record.clone()).await.is_err() {
                return; // it stays, and is tried anew
            }
            info!(what = note.detail(), "An operator changed the ledger's files");
            if let Err(error) = note.take_away() {
                warn!(%error, "A note in the ledger's directory cannot be taken away; it is recorded once more");
            }
        }
    }
}

#[cfg(test)]
mod tests;
