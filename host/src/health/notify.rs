//! Notes to systemd (`Type=notify`): that we are there, how we stand, that the loop turns, that we stop. It never says
//! that the loop turns when it does not.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Outlook, plain};

/// How often the status is looked at where systemd wants no watchdog, in seconds: some of it changes by time alone.
const LOOK_SECS: u64 = 30;
/// The shortest time between two notes, whatever systemd asks for.
const BEAT_MIN: Duration = Duration::from_millis(10);

/// Where notes go.
pub trait Tell: Send {
    /// Sends these, in one datagram.
    ///
    /// # Errors
    /// If they cannot be sent.
    fn tell(&mut self, states: &[NotifyState<'_>]) -> io::Result<()>;
}

/// systemd, as `NOTIFY_SOCKET` says; nobody, if it says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Systemd;

impl Tell for Systemd {
    fn tell(&mut self, states: &[NotifyState<'_>]) -> io::Result<()> {
        sd_notify::notify(states)
    }
}

/// How often systemd wants to hear of us, as `WATCHDOG_USEC` says.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// Sends notes until `stop` is cancelled, which is noted too. We are ready for systemd when the loop has begun to follow
/// the cluster: whether it sees all of it is a matter of the status, since a restart would mend nothing of that.
pub async fn run(outlook: Outlook, mut to: impl Tell, watchdog: Option<Duration>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tell(&outlook, &mut to, watchdog) => {}
    }
    send(&mut to, &[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Tells that the daemon has begun, and from then on how it stands; ends when the daemon is gone.
async fn tell(outlook: &Outlook, to: &mut impl Tell, watchdog: Option<Duration>) {
    let mut changes = outlook.signs().subscribe();
    if changes.wait_for(Option::is_some).await.is_err() {
        return;
    }
    let mut said = status(outlook);
    send(to, &[NotifyState::Ready, NotifyState::Status(&said)]);
    // Twice as often as is needed.
    let beat = watchdog.map_or(Duration::from_secs(LOOK_SECS), |within| within / 2).max(BEAT_MIN);
    let mut beats = tokio::time::interval(beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            _at = beats.tick() => {
                if watchdog.is_some() && outlook.signs().is_live() {
                    send(to, &[NotifyState::Watchdog]);
                }
            }
        }
        let now = status(outlook);
        if now != said {
            send(to, &[NotifyState::Status(&now)]);
            said = now;
        }
    }
}

/// One line, whatever a server or a file system said: a second line would be a note of its own.
fn status(outlook: &Outlook) -> String {
    let obstacles = outlook.obstacles();
    if obstacles.is_empty() {
        return plain(&format!("ready: sees cluster {}", outlook.signs().about().cluster));
    }
    plain(&format!("not ready: {}", obstacles.join("; ")))
}

fn send(to: &mut impl Tell, states: &[NotifyState<'_>]) {
    if let Err(error) = to.tell(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests;
