//! A whole policy: what is asked for outside of office hours is left to people.
//! It must never deny: at night somebody may have a good reason, and people can hear it.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_guest::prelude::*;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfficeHours {
    /// First hour of the day, UTC.
    from: u64,
    /// The hour at which the office closes, UTC.
    until: u64,
}

impl Policy for OfficeHours {
    type Settings = Self;

    fn describe() -> Description {
        description("office-hours", "0.1.0", "leaves requests outside of office hours to people")
            .rule("office-closed", "asked for outside of office hours")
            .effect(Effect::Escalate)
    }

    fn new(settings: Self) -> Result<Self, Vec<String>> {
        if settings.from < settings.until { Ok(settings) } else { Err(vec!["`from` must be before `until`".into()]) }
    }

    fn review(&self, case: &Case, _request: &AccessRequest) -> Opinion {
        let hour = case.now / 3_600_000 % 24;
        if (self.from..self.until).contains(&hour) {
            return abstain();
        }
        escalate("office-closed", format!("the office is open from {} to {} h UTC", self.from, self.until))
    }
}

tribunal_guest::export!(OfficeHours);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tribunal_guest::testing::{NOW_MS, case, configure, pending};

    fn ask_at(hour: u64) -> Opinion {
        let midnight = NOW_MS - 12 * 3_600_000;
        let case = case("alice").now(midnight + hour * 3_600_000).request(pending("r1")).build();
        OfficeHours { from: 8, until: 18 }.review(&case, case.find("r1").unwrap())
    }

    #[test]
    fn the_day_is_for_other_policies_and_the_night_for_people() {
        let closed = escalate("office-closed", "the office is open from 8 to 18 h UTC");
        assert_eq!([7, 8, 17, 18].map(ask_at), [closed.clone(), abstain(), abstain(), closed]);
    }

    #[test]
    fn a_misspelt_key_and_an_empty_day_are_refused() {
        let faults = configure::<OfficeHours>(r#"{"from": 8, "til": 18}"#).unwrap_err();
        assert_eq!(faults, ["`until` is missing", "`til`: unknown key: expected `from` or `until`"]);
        let faults = configure::<OfficeHours>(r#"{"from": 8, "until": 8}"#).unwrap_err();
        assert_eq!(faults, ["`from` must be before `until`"]);
    }
}
