//! Points in time: when access begins, how long it is asked for, how both are told, and how times are written in settings
//! and facts. (The library's own forms know so much that they are larger than a policy; it knows the calendar.)
//! It must never know a time zone: what has one is the policy `window`.

use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use tribunal_guest::{AccessRequest, Timestamp};

/// Teleport counts the length of access from a moment after the request's creation: so much more is not held against it.
pub const SLACK_MS: u64 = 60_000;

/// When the access of a request begins or began: at its creation, unless it says that it starts later. Milliseconds.
#[must_use]
pub fn begins(request: &AccessRequest) -> Timestamp {
    request.access_starts.map_or(request.created, |starts| starts.max(request.created))
}

/// How long access is asked for, from when it [begins]. None: its end is not known. Milliseconds.
#[must_use]
pub fn asked_ms(request: &AccessRequest) -> Option<u64> {
    Some(request.access_expires?.saturating_sub(begins(request)))
}

/// A point in time for people, such as `2026-01-01 12:00 UTC`.
#[must_use]
pub fn utc(at: Timestamp) -> String {
    match i64::try_from(at).ok().and_then(|at| Instant::from_millisecond(at).ok()) {
        Some(at) => format!("{} UTC", minute(Offset::UTC.to_datetime(at))),
        // Past the year 9999.
        None => "a time that is too far away to tell".to_owned(),
    }
}

/// A time on somebody's wall, such as `2026-01-01 12:00`.
#[must_use]
pub fn minute(wall: DateTime) -> String {
    let (year, month, day, hour, minute) = (wall.year(), wall.month(), wall.day(), wall.hour(), wall.minute());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// A day such as `2026-01-01`.
#[must_use]
pub fn day(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A time on somebody's wall, such as `2026-01-01T12:00` or `2026-01-01T12:00:00`.
#[must_use]
pub fn wall(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', ' '])?;
    let [hour, minute, second] = match numbers(time, ':', [2, 2]) {
        Some([hour, minute]) => [hour, minute, 0],
        None => numbers(time, ':', [2, 2, 2])?,
    };
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok()?;
    Some(day(date)?.to_datetime(time))
}

/// The milliseconds of an RFC 3339 time such as `2026-01-01T12:00:00Z`; parts of seconds are dropped.
///
/// # Errors
/// That it is none, and how to write it.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    of_text(text.trim()).ok_or_else(|| format!("`{text}` is no time: write it like `2026-01-01T12:00:00Z`"))
}

fn of_text(text: &str) -> Option<Timestamp> {
    const SECONDS_END: usize = "2026-01-01T12:00:00".len();
    let (time, rest) = text.split_at_checked(SECONDS_END)?;
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let behind_utc_secs = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] =
                numbers(offset, ':', [2, 2]).filter(|[hours, minutes]| *hours < 24 && *minutes < 60)?;
            let secs = i64::from(hours * 3_600 + minutes * 60);
            if sign == "+" { -secs } else { secs }
        }
        _ => return None,
    };
    let at = Offset::UTC.to_timestamp(wall(time)?).ok()?.as_second();
    u64::try_from(at.checked_add(behind_utc_secs)?).ok()?.checked_mul(1_000)
}

/// Numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tribunal_guest::testing::{NOW_MS, case, pending};

    #[test]
    fn times_are_told_and_read() {
        assert_eq!(utc(NOW_MS), "2026-01-01 12:00 UTC");
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(u64::MAX), "a time that is too far away to tell");
        assert_eq!(instant("2026-01-01T12:00:00Z"), Ok(NOW_MS));
        assert_eq!(instant("2026-01-01T13:00:00+01:00"), Ok(NOW_MS));
        for text in ["", "tomorrow", "2026-01-01", "1960-01-01T00:00:00Z"] {
            assert_eq!(instant(text), Err(format!("`{text}` is no time: write it like `2026-01-01T12:00:00Z`")));
        }
    }

    #[test]
    fn days_and_times_on_the_wall_are_read_as_they_are_written() {
        assert_eq!(day("2024-02-29").map(|day| day.to_string()).as_deref(), Some("2024-02-29"));
        assert_eq!(wall("2026-12-20T18:30").map(minute).as_deref(), Some("2026-12-20 18:30"));
        assert_eq!(wall("2026-12-20 18:30:59").map(minute).as_deref(), Some("2026-12-20 18:30"));
        for text in ["2026-02-29", "26-01-01", "2026-1-1", "2026-01-01-", "+026-01-01", "2026-13-01"] {
            assert_eq!(day(text), None, "{text}");
        }
        for text in ["2026-01-01", "2026-01-01T24:00", "2026-01-01T12:60", "2026-01-01T12", "2026-01-01T12:00:00Z"] {
            assert_eq!(wall(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_are_read_as_the_library_reads_them(
            seconds in 0..253_402_300_799_i64,
            offset in -86_399..86_399_i32,
            fraction in "|\\.[0-9]{1,9}",
        ) {
            let minutes = offset / 60;
            let at = Instant::from_second(seconds).unwrap();
            let there = Offset::from_seconds(minutes * 60).unwrap().to_datetime(at);
            let sign = if minutes < 0 { '-' } else { '+' };
            let zone = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
            let date = format!("{:04}-{:02}-{:02}", there.year(), there.month(), there.day());
            let text = format!("{date}T{:02}:{:02}:{:02}{fraction}{zone}", there.hour(), there.minute(), there.second());
            let read: Instant = text.parse().unwrap();
            prop_assert_eq!(instant(&text), Ok(u64::try_from(read.as_second()).unwrap() * 1_000));
        }

        #[test]
        fn no_text_is_too_odd(text in "[0-9TZ:+. é-]{0,30}") {
            drop(instant(&text));
        }
    }

    #[test]
    fn access_is_asked_for_from_its_start_to_its_end() {
        let case = case("alice")
            .request(pending("now").created(NOW_MS).expires(NOW_MS + 10))
            .request(pending("later").created(NOW_MS).starts(NOW_MS + 4).expires(NOW_MS + 10))
            .request(pending("odd").created(NOW_MS).expires(NOW_MS - 1))
            .request(pending("unknown").created(NOW_MS))
            .build();
        let asked = |id| asked_ms(case.find(id).unwrap());
        assert_eq!([asked("now"), asked("later"), asked("odd"), asked("unknown")], [Some(10), Some(6), Some(0), None]);
        assert_eq!(begins(case.find("later").unwrap()), NOW_MS + 4);
    }
}
