//! How the daemon stands, for those outside: probes, Prometheus, systemd and people. It reads signs and the clock; it
//! never holds up the daemon, and shows neither secrets nor the words of requesters.

pub mod ask;
pub mod identity;
pub mod notify;
pub mod report;
pub mod serve;

use std::fmt;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::Fact;
use tribunal_core::request::UserName;
use tribunal_teleport::Skew;

use self::identity::Seen;
use self::report::Report;
use crate::signs::metrics::Now;
use crate::signs::{STALE_INTERVALS, Signs, Standing};

/// What the daemon's own signs do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Who we are to Teleport; none: that is not followed.
    pub identity: Option<Seen>,
    /// How far the Auth server's clock is from ours.
    pub skew: Skew,
    /// What policies are shown beside requests.
    pub facts: Arc<[Fact]>,
}

/// How the daemon stands, whenever somebody asks.
#[derive(Clone)]
pub struct Outlook {
    signs: Arc<Signs>,
    outside: Arc<dyn Fn() -> Outside + Send + Sync>,
}

/// Whose holdings a report shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Only what all have together.
    #[default]
    Together,
    /// Also what each user has.
    Everybody,
    /// Also the requests of this user.
    One(UserName),
}

// === impl Outlook ===

impl Outlook {
    /// An outlook on the daemon that gives these signs.
    pub fn new(signs: Arc<Signs>, outside: impl Fn() -> Outside + Send + Sync + 'static) -> Self {
        Self { signs, outside: Arc::new(outside) }
    }

    /// The signs.
    #[must_use]
    pub fn signs(&self) -> &Signs {
        &self.signs
    }

    /// Whether the loop turns.
    ///
    /// # Errors
    /// For how long it has not, in words.
    pub fn live(&self) -> Result<(), String> {
        if self.signs.is_live() {
            return Ok(());
        }
        Err(format!("the daemon's loop has not turned for {} s", self.signs.turned_ago().as_secs()))
    }

    /// Why it is not ready; nothing: it is.
    #[must_use]
    pub fn obstacles(&self) -> Vec<String> {
        let mut why = obstacles(&self.signs, &self.signs.standing(), &(self.outside)(), self.signs.now());
        why.extend(self.live().err());
        why.into_iter().map(|why| plain(&why)).collect()
    }

    /// All metrics, in Prometheus' text form.
    #[must_use]
    pub fn metrics(&self) -> String {
        let (standing, outside, now) = (self.signs.standing(), (self.outside)(), self.signs.now());
        let status = standing.status.as_ref();
        let secs = |ms: i64| std::time::Duration::from_millis(ms.unsigned_abs()).as_secs_f64().copysign(sign(ms));
        let since_epoch = |at: Timestamp| at.since(Timestamp::default()).as_secs_f64();
        let skew = outside.skew;
        self.signs.metrics().text(&Now {
            ready: self.obstacles().is_empty(),
            view_complete: status.is_some_and(|status| status.blind.is_none()),
            breaker_tripped: status.is_some_and(|status| status.tripped.is_some()),
            panel: self.signs.panel_seen(),
            holdings: self.signs.holdings().count(now),
            subjects: status.map_or([0; 3], |status| [status.in_flight, status.waiting, status.retrying]),
            last_full_list_secs: status.and_then(|status| status.last_full_list).map(since_epoch),
            identity_expiry_secs: outside.identity.as_ref().map(|identity| since_epoch(identity.expires)),
            identity_renewals: outside.identity.as_ref().map_or(0, |identity| identity.renewals),
            identity_usable: outside.identity.map(|identity| identity.problem.is_none()),
            facts: outside.facts,
            skew_secs: [skew.at_least_ms.map(secs), skew.at_most_ms.map(secs)],
        })
    }

    /// Everything about it.
    #[must_use]
    pub fn report(&self, whose: &Whose) -> Report {
        Report::of(&self.signs, &(self.outside)(), self.signs.now(), self.obstacles(), whose)
    }
}

impl fmt::Debug for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlook").field("signs", &self.signs).finish_non_exhaustive()
    }
}

const fn sign(ms: i64) -> f64 {
    if ms < 0 { -1.0 } else { 1.0 }
}

/// Why the daemon is not ready at `now`, the most telling first.
fn obstacles(signs: &Signs, standing: &Standing, outside: &Outside, now: Timestamp) -> Vec<String> {
    let Standing { status, blind_since, list_took, ledger_fault, last_alarm: _, standby, stopping } = standing;
    let mut why = Vec::new();
    if *stopping {
        why.push("it is stopping".to_owned());
    }
    let Some(status) = status else {
        why.push("it is starting".to_owned());
        return why;
    };
    if let Some(standby) = standby {
        // Such a daemon looks at nothing, as it should.
        why.push(format!("it stands by: {standby}"));
        return why;
    }
    let interval = signs.about().poll_interval;
    let stale = interval.saturating_mul(STALE_INTERVALS).saturating_add(*list_took);
    let age = status.last_full_list.map(|begun| now.since(begun));
    if let Some(blind) = &status.blind {
        let since = blind_since.map_or_else(String::new, |since| format!(" since {}", report::utc(since)));
        why.push(format!("it does not see the cluster{since}: {blind}"));
    } else if let Some(age) = age.filter(|age| *age > stale) {
        why.push(format!(
            "the last full list is {} s old, and one is made every {} s",
            age.as_secs(),
            interval.as_secs()
        ));
    }
    if let Some(tripped) = &status.tripped {
        why.push(format!("the breaker tripped, and nothing is enforced until an operator releases it: {tripped}"));
    }
    if let Some((since, fault)) = ledger_fault {
        why.push(format!("the ledger cannot be written since {}: {fault}", report::utc(*since)));
    }
    if let Some(identity) = outside.identity.as_ref().filter(|identity| identity.expires <= now) {
        let expired = report::utc(identity.expires);
        why.push(format!("the identity expired at {expired}; check that tbot runs and renews it"));
    }
    why
}

/// What others said, on one line, and not longer than a line should be.
#[must_use]
pub fn plain(text: &str) -> String {
    const CHARS_MAX: usize = 500;
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = shown.take(CHARS_MAX).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
