"""Run with `python3 -m unittest`."""

import unittest
from datetime import date, datetime, timezone

from policy import POLICY, easter
from tribunal import abstain, escalate
from tribunal.testing import Configured, case, faults_of, pending

FREEZE = {"from": "2026-12-20", "until": "2027-01-02", "why": "the year's end"}


def ask(day, **settings):
    now = int(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp() * 1000)
    return Configured(POLICY, **settings).review(case("alice", pending("r1"), now=now), "r1")


class CalendarTest(unittest.TestCase):
    def test_easter_is_that_of_the_almanac(self):
        known = {1818: (3, 22), 1954: (4, 18), 2000: (4, 23), 2025: (4, 20), 2026: (4, 5), 2038: (4, 25)}
        for year, (month, day) in known.items():
            self.assertEqual(easter(year), date(year, month, day))

    def test_working_days_are_for_other_policies(self):
        self.assertEqual(ask("2026-03-16T10:00"), abstain())

    def test_weekends_and_holidays_are_for_people_until_the_next_working_day(self):
        closed = escalate("no-working-day", "2026-03-14 is a weekend: ask again on 2026-03-16, or have people decide")
        self.assertEqual(ask("2026-03-14T10:00"), closed)
        movable = ["good-friday", "easter-monday"]
        reason = "2026-04-03 is a holiday (good-friday): ask again on 2026-04-07, or have people decide"
        self.assertEqual(ask("2026-04-03T10:00", movable=movable), escalate("no-working-day", reason))

    def test_the_day_is_that_of_the_office(self):
        self.assertEqual(ask("2026-03-15T23:30", utc_offset_minutes=60), abstain())

    def test_a_freeze_says_why(self):
        reason = "the year's end: people decide until 2027-01-02"
        self.assertEqual(ask("2026-12-21T10:00", freezes=[FREEZE]), escalate("freeze", reason))

    def test_days_that_are_none_are_told(self):
        faults = faults_of(POLICY, {"fixed": ["12-24", "24.12."], "freezes": [{**FREEZE, "until": "2026-12-01"}]})
        self.assertEqual(
            faults, ["`fixed.1`: `24.12.` is no day: write it as `12-24`", "`freezes.0`: it ends before it begins"]
        )


if __name__ == "__main__":
    unittest.main()
