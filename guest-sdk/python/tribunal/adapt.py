"""From a policy to the four functions of the contract, for the component and for tests.

It must never decide anything.
"""

import json

from tribunal import Case, Description, LockOrder, Opinion, Policy, Rule, settings


class Refused(Exception):
    """The policy does not take the settings."""

    def __init__(self, faults: list[str]):
        super().__init__("; ".join(faults))
        #: All that is wrong with them.
        self.faults = faults


class Adapted:
    """The functions that the contract asks for."""

    def __init__(self, policy: type[Policy]):
        self._class = policy
        self._policy: Policy | None = None

    def describe(self) -> Description:
        """What the policy is."""
        policy, schema = self._class, self._class.settings_schema
        rules = [Rule(rule, summary) for rule, summary in policy.rules.items()]
        settings.check_schema(schema or {})
        text = "" if schema is None else json.dumps(settings.whole(schema), ensure_ascii=False)
        return Description(policy.name, policy.version, policy.summary, rules, policy.effects, text)

    def configure(self, text: str) -> None:
        """Takes the settings, or raises `Refused`."""
        parsed, faults = settings.parse(self._class.settings_schema, text)
        policy = None if faults else self._class(parsed)
        faults = policy.check() if policy else faults
        if faults:
            raise Refused(faults)
        self._policy = policy

    def review(self, case: Case, request: str) -> Opinion:
        """What about this pending request?"""
        asked = next((other for other in case.requests if other.id == request), None)
        if asked is None:
            raise ValueError("`review` of a request that is not in the case")
        return self._configured().review(case, asked)

    def enforce(self, case: Case) -> list[LockOrder]:
        """Which held requests must be locked now?"""
        return self._configured().enforce(case)

    def _configured(self) -> Policy:
        if self._policy is None:
            raise ValueError("called before `configure`")
        return self._policy
