//! The policy `window` on the days of a year.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use jiff::Timestamp as Instant;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, RequestBuilder, case, configure, faults_of_description, faults_of_opinion, pending,
};
use tribunal_window::{CALENDAR_NOT_KNOWN, END_NOT_KNOWN, IN_FREEZE, OUTSIDE_HOURS, Window};

const OFFICE: &str = r#"{
    "zone": "Europe/Berlin",
    "hours": [{"days": ["mon-fri"], "from": "08:00", "until": "18:00"}],
    "holidays": ["2026-01-01"],
    "freezes": [{"name": "end of year", "from": "2026-12-20", "until": "2026-12-31"}]
}"#;
const NIGHT: &str = r#"{"hours": [{"days": ["fri-sat"], "from": "22:00", "until": "06:00"}]}"#;

fn ms(time: &str) -> Timestamp {
    u64::try_from(time.parse::<Instant>().unwrap().as_millisecond()).unwrap()
}

fn at(time: &str) -> CaseBuilder {
    case("alice").now(ms(time))
}

fn review(settings: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<Window>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&Window::describe(), &opinion), [""; 0]);
    opinion
}

fn asks() -> RequestBuilder {
    pending("new").roles(["prod-db"]).created(0)
}

fn is_open(settings: &str, time: &str) -> bool {
    review(settings, at(time).request(asks())) == abstain()
}

fn faults(settings: &str) -> Vec<String> {
    configure::<Window>(settings).map(|_policy| ()).unwrap_err()
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Window::describe()), [""; 0]);
}

#[test]
fn within_the_hours_others_decide_and_outside_people_do() {
    assert!(is_open(OFFICE, "2026-01-05T07:00:00Z"));
    assert!(is_open(OFFICE, "2026-01-05T16:59:59Z"));
    let reason = "Access would begin at Mon 2026-01-05 18:00 (Europe/Berlin), and the hours are mon-fri 08:00-18:00: ask for \
                  access from Tue 2026-01-06 08:00 on";
    assert_eq!(review(OFFICE, at("2026-01-05T17:00:00Z").request(asks())), escalate(OUTSIDE_HOURS, reason));
    let reason = "Access would begin at Sat 2026-01-10 12:00 (Europe/Berlin), and the hours are mon-fri 08:00-18:00: ask for \
                  access from Mon 2026-01-12 08:00 on";
    assert_eq!(review(OFFICE, at("2026-01-10T11:00:00Z").request(asks())), escalate(OUTSIDE_HOURS, reason));
    let denying = OFFICE.replace("\"zone\"", "\"outside\": \"deny\", \"zone\"");
    assert!(matches!(review(&denying, at("2026-01-10T11:00:00Z").request(asks())), Opinion::Deny(_)));
}

#[test]
fn a_holiday_has_no_hours() {
    assert!(!is_open(OFFICE, "2026-01-01T12:00:00Z"));
    assert!(is_open(OFFICE, "2026-01-02T12:00:00Z"));
    let always = r#"{"holidays": ["2026-01-01"]}"#;
    assert!(is_open(always, "2026-01-02T00:00:00Z"));
    let reason = "Access would begin at Thu 2026-01-01 23:59 (UTC), and it is a holiday: ask for access from Fri 2026-01-02 00:00 on";
    assert_eq!(review(always, at("2026-01-01T23:59:00Z").request(asks())), escalate(OUTSIDE_HOURS, reason));
}

#[test]
fn the_hours_are_those_on_the_wall_in_summer_and_winter() {
    for (time, open) in [
        ("2026-07-01T06:00:00Z", true),
        ("2026-07-01T05:59:59Z", false),
        ("2026-07-01T16:00:00Z", false),
        ("2026-12-01T06:00:00Z", false),
        ("2026-12-01T07:00:00Z", true),
    ] {
        assert_eq!(is_open(OFFICE, time), open, "{time}");
        let by_rule = OFFICE.replace("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(is_open(&by_rule, time), open, "{time}");
    }
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    for (time, open) in [
        ("2026-01-02T21:59:00Z", false), // Friday
        ("2026-01-02T22:00:00Z", true),
        ("2026-01-03T05:59:00Z", true),
        ("2026-01-03T06:00:00Z", false),
        ("2026-01-04T05:59:00Z", true), // Sunday, from Saturday on
        ("2026-01-04T22:00:00Z", false),
        ("2026-01-02T05:00:00Z", false), // Friday, from Thursday on
    ] {
        assert_eq!(is_open(NIGHT, time), open, "{time}");
    }
}

#[test]
fn in_a_freeze_nothing_is_given_even_within_the_hours() {
    let reason = "Nothing is changed from Sun 2026-12-20 00:00 to Fri 2027-01-01 00:00 (Europe/Berlin): end of year. Ask for \
                  access at another time";
    assert_eq!(review(OFFICE, at("2026-12-22T10:00:00Z").request(asks())), deny(IN_FREEZE, reason));
    // The last day belongs to it.
    assert!(matches!(review(OFFICE, at("2026-12-31T16:00:00Z").request(asks())), Opinion::Deny(_)));
    let escalating = OFFICE.replace("\"zone\"", "\"frozen\": \"escalate\", \"zone\"");
    assert!(matches!(review(&escalating, at("2026-12-22T10:00:00Z").request(asks())), Opinion::Escalate(_)));
}

#[test]
fn access_that_starts_later_is_judged_by_its_start() {
    let later = |starts: &str| at("2026-01-10T11:00:00Z").request(asks().starts(ms(starts)));
    assert_eq!(review(OFFICE, later("2026-01-12T08:00:00Z")), abstain());
    assert!(matches!(review(OFFICE, later("2026-01-11T08:00:00Z")), Opinion::Escalate(_)));
    assert!(matches!(review(OFFICE, later("2026-12-22T10:00:00Z")), Opinion::Deny(_)));
}

#[test]
fn all_of_the_access_may_have_to_be_within_the_hours() {
    let whole = OFFICE.replace("\"zone\"", "\"judged\": \"whole\", \"zone\"");
    let until = |end: &str| review(&whole, at("2026-01-05T08:00:00Z").request(asks().expires(ms(end))));
    assert_eq!(until("2026-01-05T17:00:00Z"), abstain());
    let reason = "Access would end at Mon 2026-01-05 18:59 (Europe/Berlin), after the hours, which end at Mon 2026-01-05 18:00 \
                  (Europe/Berlin): ask for access that ends by then";
    let reason = reason.replacen(" (Europe/Berlin), after", ", after", 1);
    assert_eq!(until("2026-01-05T18:00:00Z"), escalate(OUTSIDE_HOURS, reason));
    let into = at("2026-12-18T10:00:00Z").request(asks().expires(ms("2026-12-21T10:00:00Z")));
    assert!(matches!(review(&whole, into), Opinion::Deny(grounds) if grounds[0].rule == IN_FREEZE));
    let endless = review(&whole, at("2026-01-05T08:00:00Z").request(asks()));
    assert!(matches!(endless, Opinion::Escalate(ground) if ground.rule == END_NOT_KNOWN));
    // From day to day without a gap.
    let round = r#"{"judged": "whole", "hours": [{"days": ["mon-sun"], "from": "00:00", "until": "24:00"}]}"#;
    let days = at("2026-01-05T08:00:00Z").request(asks().expires(ms("2026-01-12T17:00:00Z")));
    assert_eq!(review(round, days), abstain());
}

#[test]
fn a_fact_knows_more_holidays_and_freezes() {
    let settings = OFFICE.replace("\"zone\"", "\"fact\": \"calendar\", \"zone\"");
    let with = |json: &str| review(&settings, at("2026-02-02T10:00:00Z").fact("calendar", json).request(asks()));
    assert_eq!(with(r#"{"owner": "ops"}"#), abstain());
    assert!(
        matches!(with(r#"{"holidays": ["2026-02-02"]}"#), Opinion::Escalate(ground) if ground.rule == OUTSIDE_HOURS)
    );
    let freeze = r#"{"freezes": [{"name": "migration", "from": "2026-02-02T10:30", "until": "2026-02-02T11:30"}]}"#;
    assert!(matches!(with(freeze), Opinion::Deny(grounds) if grounds[0].reason.contains("migration")));
    for damaged in ["null", "[]", r#"{"holidays": ["soon"]}"#, r#"{"freezes": [{"name": "x"}]}"#] {
        assert!(matches!(with(damaged), Opinion::Escalate(ground) if ground.rule == CALENDAR_NOT_KNOWN), "{damaged}");
    }
    let missing = review(&settings, at("2026-02-02T10:00:00Z").request(asks()));
    assert!(matches!(missing, Opinion::Escalate(ground) if ground.rule == CALENDAR_NOT_KNOWN));
}

#[test]
fn what_has_no_hours_is_left_to_others() {
    let only = OFFICE.replace("\"zone\"", "\"only\": [{\"roles\": [\"lab-*\"]}], \"zone\"");
    assert!(is_open(&only, "2026-12-22T10:00:00Z"));
    let marked = OFFICE.replace("\"zone\"", "\"unless-marked\": \"BREAK-GLASS\", \"zone\"");
    let emergency = at("2026-12-22T03:00:00Z").request(asks().reason("BREAK-GLASS: down"));
    assert_eq!(review(&marked, emergency), abstain());
}

#[test]
fn what_is_wrong_with_the_settings_is_told_all_at_once() {
    let settings = r#"{
        "zone": "Europe/Atlantis",
        "hours": [
            {"days": ["mon-frei"], "from": "08:00", "until": "18:00"},
            {"days": [], "from": "08:00", "until": "18:00"},
            {"days": ["mon"], "from": "8:00", "until": "18:00"},
            {"days": ["mon"], "from": "08:00", "until": "24:01"}
        ],
        "holidays": ["25.12."],
        "freezes": [
            {"name": "", "from": "2026-12-20", "until": "2026-12-31"},
            {"name": "x", "from": "2026-12-20", "until": "2026-12-19"},
            {"name": "x", "from": "then", "until": "2026-12-19"}
        ]
    }"#;
    assert_eq!(
        faults(settings),
        [
            "`zone` is `Europe/Atlantis`: no time zone such as `Europe/Berlin`, and no POSIX rule such as \
             `CET-1CEST,M3.5.0,M10.5.0/3`",
            "`hours.0`: `mon-frei` is no day: write `mon`, `mon-fri` or `sat`",
            "`hours.1`: `days` is empty: it would never be open",
            "`hours.2`: `8:00` is no time of a day: write it like `08:00`",
            "`hours.3`: `24:01` is no time of a day: write it like `08:00`",
            "`holidays`: `25.12.` is no day: write it like `2026-12-25`",
            "`freezes.0`: `name` has to have 1 to 200 bytes: reasons tell it",
            "`freezes.1`: it ends at `2026-12-19`, which is not after `2026-12-20`",
            "`freezes.2`: `then` is no time: write it like `2026-12-20` or `2026-12-20T18:00`",
        ]
    );
    assert_eq!(faults("{}"), ["none of `hours`, `holidays`, `freezes` and `fact` is set: it would always be open"]);
}
