//! Times as people write them: `30s`, `1m30s`. It never rounds.

use std::time::Duration;

use jiff::SignedDuration;

use super::{POLL_INTERVAL_MAX, POLL_INTERVAL_MIN};

/// The interval that `text` names, or why it names none, and what to do.
pub(super) fn interval(text: &str) -> Result<Duration, (String, &'static str)> {
    const HELP: &str = "write it like `30s`, `1m30s` or `5m`";
    let parsed: SignedDuration = text.trim().parse().map_err(|_| (format!("`{text}` is no length of time"), HELP))?;
    let interval = Duration::try_from(parsed).unwrap_or(Duration::ZERO); // negative
    if interval < POLL_INTERVAL_MIN {
        return Err((format!("`{text}` is too short: Teleport is asked at most once a second"), "give at least `1s`"));
    }
    if interval > POLL_INTERVAL_MAX {
        return Err((format!("`{text}` is too long: a day is the most"), "give at most `24h`"));
    }
    Ok(interval)
}
