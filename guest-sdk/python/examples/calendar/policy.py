"""The policy `calendar`: production is changed on working days; weekends, holidays and freezes are for people.

It must never ask a clock: the day is that of the case, moved by the offset that the operator configured. Dates are
those of the Gregorian calendar; Easter, on which many holidays depend, is computed.
"""

from datetime import date, datetime, timedelta, timezone

from tribunal import AccessRequest, Case, Effect, Opinion, Policy, abstain, escalate

#: Holidays that move with Easter Sunday: their distance in days.
MOVABLE = {"good-friday": -2, "easter-monday": 1, "ascension": 39, "whit-monday": 50, "corpus-christi": 60}
#: How far ahead a working day is looked for.
DAYS_AHEAD_MAX = 60


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian computus."""
    golden, century, of_century = year % 19, year // 100, year % 100
    leaps, rest = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


class Calendar(Policy):
    name = "calendar"
    version = "0.1.0"
    summary = "leaves requests on weekends, holidays and in freezes to people"
    rules = {"no-working-day": "asked for on a weekend or a holiday", "freeze": "asked for in a freeze"}
    effects = [Effect.ESCALATE]
    settings_schema = {
        "properties": {
            "utc-offset-minutes": {"type": "integer", "minimum": -720, "maximum": 840, "default": 0},
            "weekend": {"type": "array", "items": {"enum": list(range(1, 8))}, "default": [6, 7]},
            "movable": {"type": "array", "items": {"enum": list(MOVABLE)}, "default": []},
            "fixed": {"type": "array", "items": {"type": "string"}, "default": [], "description": "`MM-DD`"},
            "freezes": {
                "type": "array",
                "default": [],
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["from", "until", "why"],
                    "properties": {
                        "from": {"type": "string", "description": "The first day, `YYYY-MM-DD`."},
                        "until": {"type": "string", "description": "The last day."},
                        "why": {"type": "string", "minLength": 1},
                    },
                },
            },
        }
    }

    def check(self) -> list[str]:
        faults = []
        for index, day in enumerate(self.settings["fixed"]):
            if parsed(f"2000-{day}") is None:
                faults.append(f"`fixed.{index}`: `{day}` is no day: write it as `12-24`")
        for index, freeze in enumerate(self.settings["freezes"]):
            days = [parsed(freeze["from"]), parsed(freeze["until"])]
            if None in days:
                faults.append(f"`freezes.{index}`: write days as `2026-12-20`")
            elif days[0] > days[1]:
                faults.append(f"`freezes.{index}`: it ends before it begins")
        return faults

    def review(self, case: Case, request: AccessRequest) -> Opinion:
        starts = max(case.now, request.access_starts or 0)
        day = self.day(starts)
        for freeze in self.settings["freezes"]:
            if parsed(freeze["from"]) <= day <= parsed(freeze["until"]):
                return escalate("freeze", f"{freeze['why']}: people decide until {freeze['until']}")
        closed = self.closed(day)
        if closed is None:
            return abstain()
        later = (day + timedelta(days=days) for days in range(1, DAYS_AHEAD_MAX))
        opens = next((day for day in later if self.closed(day) is None), "a working day")
        return escalate("no-working-day", f"{day} is {closed}: ask again on {opens}, or have people decide")

    def day(self, now: int) -> date:
        """The day of the office."""
        office = timezone(timedelta(minutes=self.settings["utc-offset-minutes"]))
        return datetime.fromtimestamp(now // 1000, office).date()

    def closed(self, day: date) -> str | None:
        """Why nobody works on this day."""
        if day.isoweekday() in self.settings["weekend"] and len(set(self.settings["weekend"])) < 7:
            return "a weekend"
        if day.strftime("%m-%d") in self.settings["fixed"]:
            return "a holiday"
        since_easter = (day - easter(day.year)).days
        names = [name for name in self.settings["movable"] if MOVABLE[name] == since_easter]
        return f"a holiday ({names[0]})" if names else None


def parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


POLICY = Calendar
