//! The policy `window`: business hours, holidays and freezes, in the operator's time zone.
//! It must never know a clock but the case's.

mod calendar;
mod settings;

use std::marker::PhantomData;

use serde::Deserialize;
use tribunal_guest::prelude::*;
use tribunal_terms::{Marker, Object, SLACK_MS, Selectors, begins, read_fact};

use crate::calendar::Calendar;
pub use crate::settings::{Answer, Freeze, Hours, Judged, Settings};

/// The access would not be within the hours.
pub const OUTSIDE_HOURS: &str = "outside-hours";
/// The access would be within a freeze.
pub const IN_FREEZE: &str = "in-freeze";
/// All of the access is judged, and its end is not known.
pub const END_NOT_KNOWN: &str = "end-not-known";
/// The fact with holidays and freezes cannot be relied on now.
pub const CALENDAR_NOT_KNOWN: &str = "calendar-not-known";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Window {
    settings: Settings,
    calendar: Calendar,
    only: Selectors,
    marker: Option<Marker>,
}

tribunal_guest::export!(Window);

/// What the fact says; what else there is in it is skipped.
#[derive(Default, Deserialize)]
#[serde(default)]
struct More {
    holidays: Vec<String>,
    freezes: Vec<Freeze>,
}

// === impl Window ===

impl Policy for Window {
    type Settings = Settings;

    fn describe() -> Description {
        description(
            "window",
            env!("CARGO_PKG_VERSION"),
            "business hours, holidays and freezes, in the operator's time zone",
        )
        .rule(OUTSIDE_HOURS, "the access would not be within the hours")
        .rule(IN_FREEZE, "the access would be within a freeze")
        .rule(END_NOT_KNOWN, "all of the access is judged, and its end is not known")
        .rule(CALENDAR_NOT_KNOWN, "the fact with holidays and freezes is missing, out of date or damaged")
        .effect(Effect::Deny)
        .effect(Effect::Escalate)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut calendar = Calendar::new(&settings.zone, &mut faults);
        calendar.add_hours("hours", &settings.hours, &mut faults);
        calendar.add_holidays("holidays", &settings.holidays, &mut faults);
        calendar.add_freezes("freezes", &settings.freezes, &mut faults);
        let is_empty = settings.hours.is_empty() && settings.holidays.is_empty() && settings.freezes.is_empty();
        if is_empty && settings.fact.is_none() {
            faults.push("none of `hours`, `holidays`, `freezes` and `fact` is set: it would always be open".to_owned());
        }
        let only = Selectors::new("only", &settings.only, &mut faults);
        let marker = settings.unless_marked.as_ref().map(|word| Marker::new("unless-marked", word, &mut faults));
        if faults.is_empty() { Ok(Self { settings, calendar, only, marker }) } else { Err(faults) }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        let is_marked = self.marker.as_ref().is_some_and(|marker| marker.is_in(&request.reason));
        if is_marked || !self.only.any(case, request).may_be() {
            return abstain();
        }
        let calendar = match self.calendar(case) {
            Ok(calendar) => calendar,
            Err(why) => {
                return escalate(
                    CALENDAR_NOT_KNOWN,
                    format!("Whether it is open cannot be told, so people decide: {why}"),
                );
            }
        };
        let begins = begins(request).max(case.now);
        let ends = match (self.settings.judged, request.access_expires) {
            (Judged::Start, _) => begins.saturating_add(1),
            (Judged::Whole, Some(expires)) => expires.saturating_sub(SLACK_MS).max(begins.saturating_add(1)),
            (Judged::Whole, None) => {
                return escalate(
                    END_NOT_KNOWN,
                    "When this access would end is not known, and all of it has to be within the hours",
                );
            }
        };
        let zone = &calendar.zone_name;
        if let Some(frozen) = calendar.freeze(begins, ends) {
            let (from, until) = (calendar.told(frozen.from), calendar.told(frozen.until));
            let reason = format!(
                "Nothing is changed from {from} to {until} ({zone}): {}. Ask for access at another time",
                frozen.name
            );
            return self.settings.frozen.of(IN_FREEZE, reason);
        }
        match calendar.open_until(begins) {
            Some(closes) if ends <= closes => abstain(),
            Some(closes) => {
                let (ends, closes) = (calendar.told(ends), calendar.told(closes));
                let reason = format!(
                    "Access would end at {ends}, after the hours, which end at {closes} ({zone}): ask for access that ends by then"
                );
                self.settings.outside.of(OUTSIDE_HOURS, reason)
            }
            None => self.settings.outside.of(OUTSIDE_HOURS, told_closed(&calendar, begins)),
        }
    }
}

impl Window {
    /// The calendar with what the fact adds.
    fn calendar(&self, case: &Case) -> Result<Calendar, String> {
        let mut calendar = self.calendar.clone();
        let Some(fact) = &self.settings.fact else { return Ok(calendar) };
        let Object(more) = read_fact(case, fact, PhantomData::<Object<More>>).map_err(|why| why.to_string())?;
        let mut faults = Vec::new();
        calendar.add_holidays("holidays", &more.holidays, &mut faults);
        calendar.add_freezes("freezes", &more.freezes, &mut faults);
        match faults.first() {
            Some(why) => Err(format!("the fact `{fact}` cannot be understood: {why}")),
            None => Ok(calendar),
        }
    }
}

fn told_closed(calendar: &Calendar, begins: Timestamp) -> String {
    let (at, zone) = (calendar.told(begins), &calendar.zone_name);
    let hours = match calendar.told_hours() {
        hours if hours.is_empty() => "it is a holiday".to_owned(),
        hours => format!("the hours are {hours}"),
    };
    let next = match calendar.opens_after(begins) {
        Some(opens) => format!("ask for access from {} on", calendar.told(opens)),
        None => "it does not open soon, so ask the people who keep the calendar".to_owned(),
    };
    format!("Access would begin at {at} ({zone}), and {hours}: {next}")
}

// === impl Answer ===

impl Answer {
    fn of(self, rule: &str, reason: String) -> Opinion {
        match self {
            Self::Deny => deny(rule, reason),
            Self::Escalate => escalate(rule, reason),
        }
    }
}
