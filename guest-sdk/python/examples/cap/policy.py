"""The policy `cap`: at most so many resources for a user at one time; what is held longest gives way to what is new.

It must never count what gives no access, and never lock a request whose loss makes no room.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tribunal import (
    AccessRequest,
    Case,
    Effect,
    LockOrder,
    Opinion,
    Policy,
    RequestState,
    abstain,
    age,
    approve,
    deny,
    escalate,
    has_expired,
    held,
    is_exempt,
    lock,
    log,
)

#: One thing that takes a unit of the limit; equal things in several requests take one together.
Item = tuple[str, ...]


@dataclass
class Holding:
    """A request that counts, with what it takes."""

    request: AccessRequest
    items: set[Item]


class Tally:
    """The distinct things of several requests, each with the number of requests that hold it."""

    def __init__(self) -> None:
        self._holders: Counter[Item] = Counter()

    @property
    def units(self) -> int:
        return len(self._holders)

    def add(self, items: Iterable[Item]) -> None:
        self._holders.update(items)

    def remove(self, items: Iterable[Item]) -> None:
        """Takes back what one `add` of the same items has put in."""
        for item in items:
            self._holders[item] -= 1
            if self._holders[item] == 0:
                del self._holders[item]

    def more(self, items: set[Item]) -> int:
        """Units that these would add."""
        return sum(item not in self._holders for item in items)

    def has_room_for(self, items: set[Item], most: int) -> bool:
        more = self.more(items)
        return more == 0 or self.units + more <= most


class Cap(Policy):
    name = "cap"
    version = "0.1.0"
    summary = "at most so many resources for a user, the oldest give way"
    rules = {
        "within-cap": "the request fits the limit once older ones have given way",
        "request-over-cap": "the request alone exceeds the limit",
        "newer-fill-cap": "newer or permanent access fills the limit and does not give way to this request",
        "held-over-cap": "the held requests exceed the limit and this one gives way",
    }
    effects = [Effect.APPROVE, Effect.DENY, Effect.ESCALATE, Effect.LOCK]
    settings_schema = {
        "properties": {
            "max-resources": {"type": "integer", "minimum": 1, "maximum": 4294967295, "default": 3},
            "unit": {"enum": ["resources", "requests", "roles"], "default": "resources"},
            "order": {"enum": ["oldest-first", "skip-fit"], "default": "oldest-first"},
            "when-compliant": {"enum": ["approve", "abstain"], "default": "approve"},
            "role-only-requests": {"enum": ["count", "ignore"], "default": "count"},
            "promoted": {"enum": ["ignore", "count"], "default": "ignore"},
        }
    }

    def __init__(self, settings):
        super().__init__(settings)
        self.most: int = settings["max-resources"]
        self.unit: str = settings["unit"]
        self.counts_promoted: bool = settings["promoted"] == "count"

    def review(self, case: Case, request: AccessRequest) -> Opinion:
        asked = self.holding(request)
        if len(asked.items) > self.most:
            reason = f"Request contains {len(asked.items)} {self.unit}, exceeds limit of {self.most}"
            return deny("request-over-cap", reason)
        ignored = 0 if self.counts_promoted else len(promoted(case))
        if ignored:
            permanent = "their access is permanent (setting `promoted`)"
            log.warn(f"{ignored} promoted requests are not counted: {permanent}")
        # What enforcement would lock if the request were approved must not be the request itself.
        others = [holding for holding in self.counted(case) if holding.request.id != request.id]
        if any(loser.id == request.id for loser in self.give_way(case, [*others, asked])):
            filled = f"Newer or permanent access already fills the limit of {self.most} {self.unit}"
            return escalate("newer-fill-cap", f"{filled}: this request would be locked at once")
        if self.settings["when-compliant"] == "abstain":
            return abstain()
        return approve("within-cap", "Auto-approved: complies with access policies")

    def enforce(self, case: Case) -> list[LockOrder]:
        reason = f"Exceeded maximum approved {self.unit} limit ({self.most})"
        losers = self.give_way(case, self.counted(case))
        return [lock(loser.id, "held-over-cap", reason) for loser in losers]

    def counted(self, case: Case) -> list[Holding]:
        """What counts: held requests that the operator does not exempt."""
        return [self.holding(request) for request in held(case) if not is_exempt(request)]

    def holding(self, request: AccessRequest) -> Holding:
        return Holding(request, set(self.items(request)))

    def items(self, request: AccessRequest) -> list[Item]:
        itself = [("request", request.id)]
        if self.unit == "requests":
            return itself
        if self.unit == "roles":
            return [("role", role) for role in request.roles]
        if self.settings["role-only-requests"] == "count" and not request.resources:
            return itself
        return [(of.cluster, of.kind, of.name, of.sub_resource) for of in request.resources]

    def give_way(self, case: Case, holdings: list[Holding]) -> list[AccessRequest]:
        """Which requests give way, oldest first."""
        holdings.sort(key=lambda holding: age(holding.request))
        kept = Tally()
        for request in promoted(case) if self.counts_promoted else []:
            kept.add(set(self.items(request)))
        rule = skip_fit if self.settings["order"] == "skip-fit" else oldest_first
        losers = [holding.request for holding in rule(self.most, kept, holdings)]
        return sorted(losers, key=age)


def promoted(case: Case) -> list[AccessRequest]:
    is_promoted = [request for request in case.requests if request.state == RequestState.PROMOTED]
    return [request for request in is_promoted if not has_expired(request, case.now)]


def oldest_first(most: int, kept: Tally, holdings: list[Holding]) -> list[Holding]:
    """The oldest give way until what is left fits beside what is permanent."""
    # Those that cannot fit even alone go first: no older one has to give way for them.
    fits = [kept.has_room_for(holding.items, most) for holding in holdings]
    fitting = [holding for holding, fit in zip(holdings, fits) if fit]
    losers = [holding for holding, fit in zip(holdings, fits) if not fit]
    for holding in fitting:
        kept.add(holding.items)
    for holding in fitting:
        if kept.units <= most:
            break
        kept.remove(holding.items)
        losers.append(holding)
    # One that newer requests cover altogether made no room by going.
    return [loser for loser in losers if kept.more(loser.items) > 0]


def skip_fit(most: int, kept: Tally, holdings: list[Holding]) -> list[Holding]:
    """From the newest to the oldest, what does not fit beside what was kept."""
    losers = []
    for holding in reversed(holdings):
        if kept.has_room_for(holding.items, most):
            kept.add(holding.items)
        else:
            losers.append(holding)
    return losers


POLICY = Cap
