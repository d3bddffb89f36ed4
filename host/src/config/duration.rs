//! Times as people write them: `30s`, `1m30s`. It never rounds.

use std::time::Duration;

use jiff::SignedDuration;

use super::{POLL_INTERVAL_MAX, POLL_INTERVAL_MIN};

/// The interval that `text` names, or why it names none, and what to do.
pub(super) fn interval(text: &str) -> Result<Duration, (String, &'static str)> {
    const HELP: &str = "write it like `30s`, `1m30s` or `5m`";
    let interval = length(text).ok_or_else(|| (format!("`{text}` is no length of time"), HELP))?;
    if interval < POLL_INTERVAL_MIN {
        return Err((format!("`{text}` is too short: Teleport is asked at most once a second"), "give at least `1s`"));
    }
    if interval > POLL_INTERVAL_MAX {
        return Err((format!("`{text}` is too long: a day is the most"), "give at most `24h`"));
    }
    Ok(interval)
}

/// The age that `text` names, or why it names none, and what to do.
pub(super) fn age(text: &str, min: Duration, max: Duration) -> Result<Duration, (String, &'static str)> {
    const HELP: &str = "write it like `10m`, `1h30m` or `240h`";
    let age = length(text).ok_or_else(|| (format!("`{text}` is no length of time"), HELP))?;
    if age < min {
        return Err((format!("`{text}` is too short: {} s is the least", min.as_secs()), HELP));
    }
    if age > max {
        return Err((format!("`{text}` is too long: {} hours are the most", max.as_secs() / 3_600), HELP));
    }
    Ok(age)
}

/// A negative one is none at all.
fn length(text: &str) -> Option<Duration> {
    let parsed: SignedDuration = text.trim().parse().ok()?;
    Some(Duration::try_from(parsed).unwrap_or(Duration::ZERO))
}
