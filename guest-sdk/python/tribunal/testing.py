"""For the tests of a policy: cases with plausible defaults, the policy as the host asks it, and the lines of its log.

It must never build a case that the host could not, nor be part of a component.
"""

import json
from typing import Any

from tribunal import (
    EXEMPT_ANNOTATION,
    REASON_BYTES_MAX,
    AccessRequest,
    Attribute,
    Case,
    Decider,
    Effect,
    Fact,
    Ground,
    Lock,
    LockOrder,
    Opinion,
    Opinion_Abstain,
    Opinion_Approve,
    Opinion_Deny,
    Policy,
    RequestedResource,
    RequestKind,
    RequestState,
    Subject,
    age,
    log,
)
from tribunal.adapt import Adapted, Refused

#: `now` of a case that does not say otherwise: 2026-01-01 12:00 UTC.
NOW_MS = 1_767_268_800_000
#: How long before `now` the first request was created that does not say otherwise; each further one a second later.
_FIRST_REQUEST_AGE_MS = 3_600_000
_REQUEST_STEP_MS = 1_000


def pending(id: str, **given: Any) -> AccessRequest:
    """A request that waits for a decision; what is given replaces the defaults."""
    request = AccessRequest(
        id=id,
        user="",
        state=RequestState.PENDING,
        kind=RequestKind.SHORT_TERM,
        roles=[],
        resources=[],
        reason="",
        created=-1,
        access_starts=None,
        access_expires=None,
        decided_by=Decider.NOBODY,
        resolve_reason="",
        reviews=[],
        suggested_reviewers=[],
        annotations=[],
        locks=[],
    )
    for name, value in given.items():
        if not hasattr(request, name):
            raise TypeError(f"a request has no `{name}`")
        setattr(request, name, value)
    return request


def held(id: str, **given: Any) -> AccessRequest:
    """A request that this host approved and that gives access."""
    return pending(id, **{"state": RequestState.APPROVED, "decided_by": Decider.TRIBUNAL, **given})


def nodes(*names: str) -> list[RequestedResource]:
    """Nodes of the root cluster without labels."""
    return [RequestedResource("root", "node", name, "", [], None) for name in names]


def exempt(why: str) -> list[Attribute]:
    """The annotation of a request that the operator exempts."""
    return [Attribute(EXEMPT_ANNOTATION, [why])]


def locked(name: str) -> list[Lock]:
    """Somebody else's lock without end."""
    return [Lock(name, "", False, None)]


def case(
    user: str,
    *requests: AccessRequest,
    now: int = NOW_MS,
    subject: Subject | None = None,
    facts: list[Fact] | None = None,
) -> Case:
    """A case about this user, its requests oldest first."""
    for index, request in enumerate(requests):
        request.user = user
        if request.created < 0:
            request.created = min(now, now - _FIRST_REQUEST_AGE_MS + index * _REQUEST_STEP_MS)
    subject = subject or Subject(user, False, [], [])
    return Case(now, "root", subject, sorted(requests, key=age), facts or [])


def fact(name: str, value: Any, fresh: bool = True) -> Fact:
    """A fact that holds this as JSON."""
    return Fact(name, json.dumps(value), NOW_MS, fresh)


class Configured:
    """The policy with these settings, asked as the host asks it: what would be a fault there is raised here."""

    def __init__(self, policy: type[Policy], **settings: Any):
        #: Lines of the log so far: level and message.
        self.logged: list[tuple[str, str]] = []
        log.to = lambda level, message: self.logged.append((level, message))
        self._adapted = Adapted(policy)
        self._described = self._adapted.describe()
        self._adapted.configure(json.dumps({key.replace("_", "-"): value for key, value in settings.items()}))

    def review(self, case: Case, request: str) -> Opinion:
        """What about this pending request?"""
        opinion = self._adapted.review(case, request)
        if isinstance(opinion, Opinion_Deny):
            if not opinion.value:
                raise AssertionError("denies without a ground")
            self._admit(Effect.DENY, opinion.value)
        elif not isinstance(opinion, Opinion_Abstain):
            effect = Effect.APPROVE if isinstance(opinion, Opinion_Approve) else Effect.ESCALATE
            self._admit(effect, [opinion.value])
        return opinion

    def enforce(self, case: Case) -> list[LockOrder]:
        """Which held requests must be locked now?"""
        orders = self._adapted.enforce(case)
        approved = [request.id for request in case.requests if request.state == RequestState.APPROVED]
        for order in orders:
            self._admit(Effect.LOCK, [order.ground])
            if order.request not in approved:
                raise AssertionError(f"locks `{order.request}`, which is not an approved request, or twice")
            approved.remove(order.request)
        return orders

    def _admit(self, effect: Effect, grounds: list[Ground]) -> None:
        if effect not in self._described.effects:
            raise AssertionError(f"the effect `{effect.name.lower()}` is not described")
        for ground in grounds:
            if all(rule.id != ground.rule for rule in self._described.rules):
                raise AssertionError(f"rule `{ground.rule}` is not described")
            if not ground.reason or len(ground.reason.encode()) > REASON_BYTES_MAX:
                raise AssertionError(f"the reason of rule `{ground.rule}` is empty or too long")


def faults_of(policy: type[Policy], settings: Any) -> list[str]:
    """What a policy finds wrong with these settings."""
    try:
        Adapted(policy).configure(json.dumps(settings))
    except Refused as refused:
        return refused.faults
    return []
