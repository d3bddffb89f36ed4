//! The end of a soak: when everything is settled, and what must be true then. It never ends one that is not settled.

use std::time::{Duration, Instant};

use crate::run::Soak;

/// How often the last questions are asked.
const TICK: Duration = Duration::from_millis(50);
/// How many more starts may be needed until nothing is open.
const CLOSING_STARTS_MAX: u32 = 5;
/// How long the last run of the daemon may take to close what earlier ones left open.
const CLOSING_MAX: Duration = Duration::from_secs(120);
/// How long a moment without any open step is waited for.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many of many are named.
const NAMED_MAX: usize = 5;

/// Whether nothing waits for a decision any more, nobody is in a forbidden state, and no step is under way.
pub(crate) fn is_settled(soak: &Soak) -> bool {
    soak.waiting().next().is_none() && soak.observer.forbidden_now().is_empty()
}

/// What is still to come, for whoever wonders.
pub(crate) fn unsettled(soak: &Soak) -> String {
    let waiting: Vec<_> = soak.waiting().take(NAMED_MAX).collect();
    let (forbidden, open) = (soak.observer.forbidden_now(), soak.evidence.open());
    let last = soak.daemon.last_words();
    format!(
        "{} requests wait (such as {waiting:?}), {} forbidden states last, {} intents are open; the daemon's last words:\n\
         {last}",
        soak.waiting().count(),
        forbidden.len(),
        open.len(),
    )
}

/// The faults end; the daemon stops in good order. If steps are open then, the next start closes them.
pub(crate) async fn close(soak: &mut Soak) -> Result<(), String> {
    soak.server.faults(tribunal_sim::Faults::clear);
    let mut ticks = tokio::time::interval(TICK);
    let begun = Instant::now();
    // A stop between two steps would leave the rest to another start, which takes longer than a moment's patience.
    while !soak.evidence.open().is_empty() && begun.elapsed() < PATIENCE {
        ticks.tick().await;
        soak.look()?;
        soak.daemon.keep_up()?;
    }
    soak.daemon.stop().await?;
    soak.explain()?;
    // A stop begins nothing new, so that it may itself leave a decision half done.
    for _ in 0..CLOSING_STARTS_MAX {
        if soak.evidence.open().is_empty() {
            break;
        }
        let begun = Instant::now();
        soak.daemon.start()?;
        while !soak.evidence.open().is_empty() && begun.elapsed() < CLOSING_MAX {
            ticks.tick().await;
            soak.look()?;
            soak.daemon.keep_up()?;
        }
        soak.daemon.stop().await?;
        soak.explain()?;
    }
    Ok(())
}
