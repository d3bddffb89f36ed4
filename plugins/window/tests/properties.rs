//! The policy `window` against a clock that is read minute by minute.
//! It must never share code with the policy.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{case, configure, pending};
use tribunal_window::Window;

const MINUTE_MS: u64 = 60_000;
/// 2026-01-05, a Monday, in UTC.
const MONDAY_MS: u64 = 1_767_571_200_000;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u64 = 24 * 60;

proptest! {
    #[test]
    fn it_is_open_exactly_when_the_clock_says_so(
        day in 0..7_usize,
        from in 0..DAY_MINUTES,
        until in 0..DAY_MINUTES,
        minute in 0..7 * DAY_MINUTES,
    ) {
        let clock = |minutes: u64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let settings = format!(
            r#"{{"hours": [{{"days": ["{}"], "from": "{}", "until": "{}"}}]}}"#, DAYS[day], clock(from), clock(until)
        );
        let now = MONDAY_MS + minute * MINUTE_MS;
        let case = case("alice").now(now).request(pending("new")).build();
        let opens = configure::<Window>(&settings).unwrap().review(&case, case.find("new").unwrap()) == abstain();

        let begins = u64::try_from(day).unwrap() * DAY_MINUTES + from;
        let lasts = if until > from { until - from } else { DAY_MINUTES - from + until };
        // A week is a circle.
        let since = (minute + 7 * DAY_MINUTES - begins) % (7 * DAY_MINUTES);
        prop_assert_eq!(opens, since < lasts);
    }

    #[test]
    fn no_time_is_too_far_away(now in any::<u64>(), starts in any::<u64>(), expires in any::<u64>()) {
        let settings = r#"{
            "zone": "Europe/Berlin", "judged": "whole",
            "hours": [{"days": ["mon-fri"], "from": "02:30", "until": "02:15"}],
            "freezes": [{"name": "x", "from": "2026-03-29T02:30", "until": "2026-10-25T02:30"}]
        }"#;
        let case = case("alice").now(now).request(pending("new").starts(starts).expires(expires)).build();
        drop(configure::<Window>(settings).unwrap().review(&case, case.find("new").unwrap()));
    }
}
