//! The system's clock; the only place of the host that reads it for decisions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tribunal_core::Timestamp;
use tribunal_ports::Clock;

/// The longest sleep at once: a jump of the system's clock is noticed within it.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The system's clock, in UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(at.since(self.now()).min(SLEEP_MAX)).await;
    }
}
