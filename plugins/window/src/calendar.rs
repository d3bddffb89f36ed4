//! The calendar: which times are open, and which are frozen. Half-open intervals of milliseconds.
//! It must never lose an hour to a change of the clocks: what is written is the time on the wall of the zone.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use tribunal_guest::Timestamp;
use tribunal_terms::{day, minute};

use crate::settings::{Freeze, Hours};

/// How many days are looked at for the next opening, and for the end of one.
const DAYS_AHEAD: usize = 15;
/// At most this many entries of each kind.
pub(crate) const ENTRIES_COUNT_MAX: usize = 400;
/// Longest name of a freeze, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// The weekdays as settings name them.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The weekdays as reasons tell them, from Monday on.
const DAYS_TOLD: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Hours, holidays and freezes in a zone.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    /// As it was written.
    pub(crate) zone_name: String,
    hours: Vec<Opening>,
    holidays: BTreeSet<Date>,
    freezes: Vec<Frozen>,
}

/// Hours of some days.
#[derive(Clone, Debug)]
struct Opening {
    days: Vec<Weekday>,
    from: Time,
    /// None: at midnight.
    until: Option<Time>,
    /// As it was written.
    text: String,
}

/// A freeze.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    pub(crate) name: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

// === impl Calendar ===

impl Calendar {
    /// A calendar without entries.
    pub(crate) fn new(zone: &str, faults: &mut Vec<String>) -> Self {
        let found = TimeZone::get(zone).or_else(|_| TimeZone::posix(zone));
        let zone_name = zone.to_owned();
        let zone = found.unwrap_or_else(|_| {
            faults.push(format!("`zone` is `{zone}`: no time zone such as `Europe/Berlin`, and no POSIX rule such as `CET-1CEST,M3.5.0,M10.5.0/3`"));
            TimeZone::UTC
        });
        Self { zone, zone_name, hours: Vec::new(), holidays: BTreeSet::new(), freezes: Vec::new() }
    }

    pub(crate) fn add_hours(&mut self, key: &str, hours: &[Hours], faults: &mut Vec<String>) {
        for (index, hours) in bounded(key, hours, faults).iter().enumerate() {
            match Opening::new(hours) {
                Ok(opening) => self.hours.push(opening),
                Err(why) => faults.push(format!("`{key}.{index}`: {why}")),
            }
        }
    }

    pub(crate) fn add_holidays(&mut self, key: &str, days: &[String], faults: &mut Vec<String>) {
        for day in bounded(key, days, faults) {
            match tribunal_terms::day(day) {
                Some(date) => drop(self.holidays.insert(date)),
                None => faults.push(format!("`{key}`: `{day}` is no day: write it like `2026-12-25`")),
            }
        }
    }

    pub(crate) fn add_freezes(&mut self, key: &str, freezes: &[Freeze], faults: &mut Vec<String>) {
        for (index, freeze) in bounded(key, freezes, faults).iter().enumerate() {
            match self.frozen(freeze) {
                Ok(frozen) => self.freezes.push(frozen),
                Err(why) => faults.push(format!("`{key}.{index}`: {why}")),
            }
        }
    }

    /// The hours, as they were written.
    pub(crate) fn told_hours(&self) -> String {
        self.hours.iter().map(|opening| opening.text.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// A point in time on the wall of the zone, such as `Thu 2026-01-01 13:00`.
    pub(crate) fn told(&self, at: Timestamp) -> String {
        let Some(wall) = self.wall(at) else { return "a time too far away to tell".to_owned() };
        let day = DAYS_TOLD.get(usize::from(wall.weekday().to_monday_zero_offset().unsigned_abs())).unwrap_or(&"");
        format!("{day} {}", minute(wall))
    }

    /// The freeze that covers some of this time, the one that ends last.
    pub(crate) fn freeze(&self, from: Timestamp, until: Timestamp) -> Option<&Frozen> {
        let covers = |frozen: &&Frozen| frozen.from < until.max(from.saturating_add(1)) && from < frozen.until;
        self.freezes.iter().filter(covers).max_by_key(|frozen| frozen.until)
    }

    /// When the opening ends that holds this time. None: it is closed. What begins where another ends goes on with it.
    pub(crate) fn open_until(&self, at: Timestamp) -> Option<Timestamp> {
        if self.hours.is_empty() && self.holidays.is_empty() {
            return Some(Timestamp::MAX);
        }
        let openings = self.openings(at);
        let mut end = at;
        while let Some(later) =
            openings.iter().filter(|(from, until)| *from <= end && end < *until).map(|(_, until)| *until).max()
        {
            end = later;
        }
        (end > at).then_some(end)
    }

    /// When it opens next.
    pub(crate) fn opens_after(&self, at: Timestamp) -> Option<Timestamp> {
        self.openings(at).iter().map(|(from, _)| *from).filter(|from| *from > at).min()
    }

    /// The openings of the days around and after this time.
    fn openings(&self, at: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let Some(first) = self.wall(at).and_then(|wall| wall.date().yesterday().ok()) else { return Vec::new() };
        let days = first.series(1.day()).take(DAYS_AHEAD).filter(|day| !self.holidays.contains(day));
        let mut openings = Vec::new();
        for day in days {
            if self.hours.is_empty() {
                openings.extend(self.span(day.to_datetime(Time::midnight()), day, None));
            }
            let hours = self.hours.iter().filter(|opening| opening.days.contains(&day.weekday()));
            openings.extend(hours.filter_map(|opening| self.span(day.to_datetime(opening.from), day, opening.until)));
        }
        openings
    }

    /// From a time on the wall to the end of hours that began on `day`.
    fn span(&self, from: DateTime, day: Date, until: Option<Time>) -> Option<(Timestamp, Timestamp)> {
        let until = match until {
            Some(until) if until > from.time() => day.to_datetime(until),
            Some(until) => day.tomorrow().ok()?.to_datetime(until),
            None => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        Some((self.instant(from)?, self.instant(until)?))
    }

    fn frozen(&self, freeze: &Freeze) -> Result<Frozen, String> {
        let Freeze { name, from, until } = freeze;
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(format!("`name` has to have 1 to {NAME_BYTES_MAX} bytes: reasons tell it"));
        }
        let wrong = |text: &str| format!("`{text}` is no time: write it like `2026-12-20` or `2026-12-20T18:00`");
        let start = wall(from, false).and_then(|at| self.instant(at)).ok_or_else(|| wrong(from))?;
        let end = wall(until, true).and_then(|at| self.instant(at)).ok_or_else(|| wrong(until))?;
        if end <= start {
            return Err(format!("it ends at `{until}`, which is not after `{from}`"));
        }
        Ok(Frozen { name: name.clone(), from: start, until: end })
    }

    fn wall(&self, at: Timestamp) -> Option<DateTime> {
        let at = Instant::from_millisecond(i64::try_from(at).ok()?).ok()?;
        Some(self.zone.to_datetime(at))
    }

    /// A time that the clocks skip is taken as long after the gap as it is after its beginning; one that they show twice is the first.
    fn instant(&self, wall: DateTime) -> Option<Timestamp> {
        let at = self.zone.to_ambiguous_timestamp(wall).compatible().ok()?;
        u64::try_from(at.as_millisecond()).ok()
    }
}

/// A day or a time; of a day its beginning, or the beginning of the day after.
fn wall(text: &str, is_end: bool) -> Option<DateTime> {
    let Some(day) = day(text) else { return tribunal_terms::wall(text) };
    let day = if is_end { day.tomorrow().ok()? } else { day };
    Some(day.to_datetime(Time::midnight()))
}

fn bounded<'a, T>(key: &str, entries: &'a [T], faults: &mut Vec<String>) -> &'a [T] {
    entries.get(..ENTRIES_COUNT_MAX).filter(|some| some.len() < entries.len()).map_or(entries, |some| {
        faults.push(format!("`{key}` has {} entries, more than the limit of {ENTRIES_COUNT_MAX}", entries.len()));
        some
    })
}

// === impl Opening ===

impl Opening {
    fn new(hours: &Hours) -> Result<Self, String> {
        let mut days = Vec::new();
        for text in &hours.days {
            days.extend(weekdays(text).ok_or_else(|| format!("`{text}` is no day: write `mon`, `mon-fri` or `sat`"))?);
        }
        if days.is_empty() {
            return Err("`days` is empty: it would never be open".to_owned());
        }
        let Hours { from, until, .. } = hours;
        let wrong = |text: &str| format!("`{text}` is no time of a day: write it like `08:00`");
        let text = format!("{} {from}-{until}", hours.days.join(","));
        let start = of_day(from).ok_or_else(|| wrong(from))?;
        let end = if until == "24:00" { None } else { Some(of_day(until).ok_or_else(|| wrong(until))?) };
        Ok(Self { days, from: start, until: end, text })
    }
}

fn of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| if text.len() == 2 { text.parse::<i8>().ok() } else { None };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// A day, or the days from one to another, around the end of the week if need be.
fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let place = |name: &str| DAYS.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (place(first)?, place(last)?),
        None => (place(text)?, place(text)?),
    };
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some(DAYS.iter().cycle().skip(first).take(count).map(|(_, day)| *day).collect())
}
