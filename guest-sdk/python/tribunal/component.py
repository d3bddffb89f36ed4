"""What the component exports: the contract's four functions, made of the policy of this project.

It must never decide anything. A call outside of the contract raises, which the host takes for a fault.
"""

import wit_world
from componentize_py_types import Err
from wit_world.imports import log as host

from policy import POLICY
from tribunal import Case, Description, LockOrder, Opinion, log
from tribunal.adapt import Adapted, Refused

log.to = lambda level, message: host.write(host.Level[level.upper()], message)
_adapted = Adapted(POLICY)


class WitWorld(wit_world.WitWorld):
    """The contract's world."""

    def describe(self) -> Description:
        return _adapted.describe()

    def configure(self, settings: str) -> None:
        try:
            _adapted.configure(settings)
        except Refused as refused:
            raise Err(refused.faults) from None

    def review(self, case: Case, request: str) -> Opinion:
        return _adapted.review(case, request)

    def enforce(self, case: Case) -> list[LockOrder]:
        return _adapted.enforce(case)
