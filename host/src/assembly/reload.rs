//! Replaces the panel of a running daemon when its files or its settings change: loads and tries the new one first, and where
//! anything is wrong with that, the last good one stays. It changes nothing but the panel.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};
use tribunal_core::Timestamp;
use tribunal_engine::{Health, LivePanel, LoadError, Panel, PolicyHealth, Workshop};
use tribunal_ledger::Ledger;

use super::{plugins, recorded};
use crate::config::{Config, Overrides, Plugin, Source};
use crate::signs::PanelSeen;

/// The time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Replaces a panel.
#[derive(Debug)]
pub struct Reloader {
    live: LivePanel,
    workshop: Arc<Workshop>,
    /// Where the panel is kept, so that decisions can refer to it.
    ledger: Option<Arc<Ledger>>,
    /// What the panel that is in force was made from.
    config: Mutex<Config>,
    /// The files of its plugins, right before they were read.
    looked: Vec<Look>,
    failure: Mutex<Option<(Timestamp, String)>>,
}

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// Nothing that concerns the panel has changed.
    Same,
    /// Another panel is in force.
    Replaced,
    /// The last good one stays, for these reasons.
    Kept(Vec<String>),
}

/// A file as it was when it was looked at; none: it could not be.
pub(super) type Look = Option<(u64, u64, u64, SystemTime)>;

// === impl Reloader ===

impl Reloader {
    /// For a panel that was made from this configuration, after its files were `looked` at.
    pub(super) fn new(live: LivePanel, workshop: Arc<Workshop>, config: Config, looked: Vec<Look>) -> Self {
        Self { live, workshop, ledger: None, config: Mutex::new(config), looked, failure: Mutex::default() }
    }

    /// Keeps each panel in this ledger before it is in force.
    pub(super) fn recording(self, ledger: Arc<Ledger>) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// How the panel stands.
    #[must_use]
    pub fn seen(&self) -> PanelSeen {
        PanelSeen { policies: self.live.newest().health(), stale: self.failure().clone() }
    }

    /// Follows the configuration file and the files of its plugins, for ever; each note of `hangup` is a wish to look at once.
    /// A file has to look the same twice before it is taken: who copies is not interrupted.
    pub async fn follow(
        &self,
        file: Option<(PathBuf, Overrides)>,
        hangup: Arc<Notify>,
        now: impl Fn() -> Timestamp + Send,
    ) {
        let file = file.as_ref();
        // What changed while the daemon started is to be seen as well.
        let mut known = self.looked_at_start(file).await;
        let mut changing = None;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = hangup.notified() => info!("Asked to load the panel anew"),
                _at = ticks.tick() => {
                    let looks = looks(self.files(file)).await;
                    if looks == known {
                        changing = None;
                        continue;
                    }
                    if changing.as_ref() != Some(&looks) {
                        changing = Some(looks);
                        continue;
                    }
                    info!("The files of the panel have changed");
                }
            }
            changing = None;
            // As they were before they were read: what changes meanwhile is seen later.
            let before = looks(self.files(file)).await;
            let config = match file {
                Some((path, overrides)) => Config::load(path, overrides).map_err(|errors| errors.to_string()),
                None => Ok(self.config().clone()),
            };
            match config {
                Ok(config) => match self.reload(config, now()).await {
                    Reloaded::Same => info!("The panel is as it was"),
                    Reloaded::Replaced | Reloaded::Kept(_) => {}
                },
                Err(why) => self.keep(&[why], now()),
            }
            // There may be others now.
            let others = self.files(file).len() != before.len();
            known = if others { looks(self.files(file)).await } else { before };
        }
    }

    /// Loads the panel of this configuration, tries it, and puts it in force.
    pub async fn reload(&self, config: Config, now: Timestamp) -> Reloaded {
        let newest = self.live.newest();
        let loaded = plugins::assemble(&config, Arc::clone(&self.workshop), Some(Arc::clone(&newest))).await;
        let (panel, errors) = match loaded {
            Ok(loaded) => loaded,
            Err(why) => return self.kept(vec![why], now),
        };
        let mut wrong = plugins::told(&config, &new_failures(&newest, errors));
        if wrong.is_empty() && !config.dry_run && !plugins::may_approve(&panel) {
            wrong.push("no plugin that is loaded may approve".to_owned());
        }
        if !wrong.is_empty() {
            return self.kept(wrong, now);
        }
        if panel.is_same(&newest) {
            self.take(&config);
            return Reloaded::Same;
        }
        match self.live.rehearse(&panel).await {
            Ok(rehearsal) => {
                for PolicyHealth { name, digest, health: _ } in panel.health() {
                    let digest = digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
                    info!(policy.id = %name, digest, "Policy of the new panel");
                }
                info!(asked = rehearsal.asked, changed = rehearsal.changed, "The new panel answered the last cases");
                match self.record(config.clone(), panel).await {
                    Ok(panel) => self.live.replace(panel),
                    Err(why) => return self.kept(vec![why], now),
                }
                self.take(&config);
                Reloaded::Replaced
            }
            Err(why) => self.kept(vec![why], now),
        }
    }

    /// Keeps a panel in the ledger, so that decisions can refer to it.
    async fn record(&self, config: Config, panel: Panel) -> Result<Panel, String> {
        let Some(ledger) = self.ledger.clone() else { return Ok(panel) };
        let storing = tokio::task::spawn_blocking(move || {
            let kept = ledger.store(recorded::parts(&config, &panel)?)?;
            Ok(panel.kept_as(kept))
        });
        storing.await.map_err(|bug| format!("a bug; please report it: {bug}"))?
    }

    fn kept(&self, why: Vec<String>, now: Timestamp) -> Reloaded {
        self.keep(&why, now);
        Reloaded::Kept(why)
    }

    /// The last good panel stays.
    fn keep(&self, why: &[String], now: Timestamp) {
        for why in why {
            error!(why, "The panel cannot be replaced; the last good one stays");
        }
        *self.failure() = Some((now, why.join("; ")));
    }

    /// What the panel in force was made from.
    fn take(&self, config: &Config) {
        *self.failure() = None;
        let mut before = self.config();
        let panel_alone = |from: &Config| Config {
            plugins: config.plugins.clone(),
            limits: crate::config::Limits { engine: config.limits.engine.clone(), ..from.limits.clone() },
            ..from.clone()
        };
        let merged = panel_alone(&before);
        if merged != *config {
            warn!(
                "The configuration has changed beyond `[[plugin]]` and the limits of plugins; that waits for a restart"
            );
        }
        *before = merged;
    }

    /// How all files looked when they were read for the panel in force: nothing is known of a configuration that says something
    /// else by now.
    async fn looked_at_start(&self, file: Option<&(PathBuf, Overrides)>) -> Vec<Look> {
        let mut looked = Vec::new();
        if let Some((path, overrides)) = file {
            let look = looks(vec![path.clone()]).await;
            let same = Config::load(path, overrides).is_ok_and(|config| config == *self.config());
            looked.extend(if same { look } else { vec![None] });
        }
        looked.extend(self.looked.iter().copied());
        looked
    }

    fn files(&self, file: Option<&(PathBuf, Overrides)>) -> Vec<PathBuf> {
        let sources = sources(&self.config());
        file.map(|(path, _)| path.clone()).into_iter().chain(sources).collect()
    }

    fn config(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failure(&self) -> MutexGuard<'_, Option<(Timestamp, String)>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The plugins that did not load, but for those that were not there before either: such a one keeps no other from being
/// replaced.
fn new_failures(before: &Panel, errors: Vec<LoadError>) -> Vec<LoadError> {
    let was_vacant = |error: &LoadError| {
        before.health().iter().any(|seat| match &seat.health {
            Health::Vacant(_) => Some(&seat.name) == error.plugin.as_ref(),
            Health::Asked { .. } | Health::Quarantined { .. } => false,
        })
    };
    errors.into_iter().filter(|error| !was_vacant(error)).collect()
}

/// The files of a configuration's plugins.
pub(super) fn sources(config: &Config) -> Vec<PathBuf> {
    let file = |plugin: &Plugin| match &plugin.source {
        Source::File(path) => Some(path.clone()),
        Source::Builtin(_) => None,
    };
    config.plugins.iter().filter_map(file).collect()
}

/// How these files look now.
pub(super) async fn looks(files: Vec<PathBuf>) -> Vec<Look> {
    let look = |path: &Path| -> Look {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.modified().ok()?))
    };
    let looked = tokio::task::spawn_blocking(move || files.iter().map(|path| look(path)).collect());
    looked.await.unwrap_or_default()
}

#[cfg(test)]
mod tests;
