"""What the author of a policy in Python uses: a base class, answers, and questions that most policies ask of a case.

It must never give a policy a clock, randomness, files or a network: a policy sees its settings and its case.
"""

import re
import sys
from pathlib import Path
from typing import Any, Callable

try:
    import wit_world
except ModuleNotFoundError:  # Outside of a component: a copy of what componentize-py makes there.
    sys.path.append(str(Path(__file__).parent / "bindings"))

from wit_world.imports.types import (
    AccessRequest,
    Attribute,
    Case,
    Decider,
    Description,
    Effect,
    Fact,
    Ground,
    Lock,
    LockOrder,
    Opinion,
    Opinion_Abstain,
    Opinion_Approve,
    Opinion_Deny,
    Opinion_Escalate,
    RequestedResource,
    RequestKind,
    RequestState,
    Review,
    Rule,
    Subject,
)

#: Longest reason of one ground, in bytes of UTF-8: what Teleport stores of a whole decision. Longer ones are cut.
REASON_BYTES_MAX = 4096
#: The annotation by which the host says that the operator exempts a request from being locked.
EXEMPT_ANNOTATION = "tribunal/exempt"
#: What a reason that was cut ends with.
_CUT_MARK = "…"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Policy:
    """A policy: a pure function of its settings and a case. It is made anew for each answer.

    Equal settings and case must give an equal answer: iterate over lists, dictionaries or `sorted(…)`, not over sets of
    texts, whose order differs from one build to another.
    """

    #: Lower case words joined by `-`.
    name: str
    #: A semantic version.
    version: str
    #: One line for the operator.
    summary: str
    #: Every rule id that its reasons name, with a line about it.
    rules: dict[str, str]
    #: Every effect that its answers may have. The operator has to grant them.
    effects: list[Effect]
    #: JSON Schema of its settings, which is also what checks them; None: it takes none.
    settings_schema: dict[str, Any] | None = None

    def __init__(self, settings: dict[str, Any]):
        #: The settings, checked, with the schema's defaults.
        self.settings = settings

    def check(self) -> list[str]:
        """What is wrong with the settings beyond their schema, each a sentence that names the key."""
        return []

    def review(self, case: Case, request: AccessRequest) -> Opinion:
        """What about this pending request?"""
        return abstain()

    def enforce(self, case: Case) -> list[LockOrder]:
        """Which held requests must be locked now? At most one order for a request."""
        return []


# === Answers ===


def abstain() -> Opinion:
    """Nothing to say; somebody else has to approve."""
    return Opinion_Abstain()


def approve(rule: str, reason: str) -> Opinion:
    """Yes, as far as this policy is concerned."""
    return Opinion_Approve(ground(rule, reason))


def deny(rule: str, reason: str) -> Opinion:
    """No."""
    return Opinion_Deny([ground(rule, reason)])


def deny_all(grounds: list[Ground]) -> Opinion:
    """No, on all of these grounds; nothing to say where there are none."""
    return Opinion_Deny(grounds) if grounds else abstain()


def escalate(rule: str, reason: str) -> Opinion:
    """People have to decide."""
    return Opinion_Escalate(ground(rule, reason))


def lock(request: str, rule: str, reason: str, until: int | None = None) -> LockOrder:
    """This held request must be locked, for as long as its access lasts or until a time."""
    return LockOrder(request, ground(rule, reason), until)


def ground(rule: str, reason: str) -> Ground:
    """A rule of the policy, and a sentence for people.

    Control characters become spaces, and what goes beyond `REASON_BYTES_MAX` is cut: names that a requester chose cannot
    turn an answer into a fault.
    """
    line = _CONTROL.sub(" ", reason)
    if len(reason.encode()) > REASON_BYTES_MAX:
        room = REASON_BYTES_MAX - len(_CUT_MARK.encode())
        line = line.encode()[:room].decode(errors="ignore") + _CUT_MARK
    return Ground(rule, line)


# === Questions ===


def held(case: Case) -> list[AccessRequest]:
    """What gives access now: approved, started, not expired and not locked; oldest first."""
    return [request for request in case.requests if is_held(request, case.now)]


def pending(case: Case) -> list[AccessRequest]:
    """What waits for a decision, oldest first."""
    return [request for request in case.requests if request.state == RequestState.PENDING]


def is_held(request: AccessRequest, now: int) -> bool:
    """Gives access at this time."""
    is_usable = has_started(request, now) and not has_expired(request, now)
    return request.state == RequestState.APPROVED and is_usable and not request.locks


def has_started(request: AccessRequest, now: int) -> bool:
    """Its access may be used from this time on or since before."""
    return request.access_starts is None or request.access_starts <= now


def has_expired(request: AccessRequest, now: int) -> bool:
    """Its access has ended; false where the end is not known."""
    return request.access_expires is not None and request.access_expires <= now


def is_exempt(request: AccessRequest) -> bool:
    """The operator exempts it: it should neither count nor be locked."""
    return values(request.annotations, EXEMPT_ANNOTATION) is not None


def values(attributes: list[Attribute] | None, key: str) -> list[str] | None:
    """The values of a trait, a label or an annotation; None where there is no such key, or where it cannot be seen."""
    return next((attribute.values for attribute in attributes or [] if attribute.key == key), None)


def fact(case: Case, name: str) -> Fact | None:
    """The fact that the operator configured under this name."""
    return next((fact for fact in case.facts if fact.name == name), None)


def path(resource: RequestedResource) -> str:
    """Teleport's way to write a resource: `/cluster/kind/name`."""
    whole = f"/{resource.cluster}/{resource.kind}/{resource.name}"
    return f"{whole}/{resource.sub_resource}" if resource.sub_resource else whole


def age(request: AccessRequest) -> tuple[int, str]:
    """Orders requests by age, oldest first, equal ages by id."""
    return (request.created, request.id)


# === The operator's log ===


class Log:
    """Lines for the operator's log; the host may drop them."""

    def __init__(self) -> None:
        #: Where lines go, with their level: `component.py` says so to the host, a test to itself.
        self.to: Callable[[str, str], None] = lambda level, message: None

    def debug(self, message: str) -> None:
        """Details that help the policy's author."""
        self.to("debug", message)

    def info(self, message: str) -> None:
        """Something that the operator may want to know."""
        self.to("info", message)

    def warn(self, message: str) -> None:
        """Something that the operator should look at."""
        self.to("warn", message)


log = Log()
