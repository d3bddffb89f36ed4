"""my-policy: say here in one sentence what it is for, and below what it must never do."""

from tribunal import (
    # @if review
    AccessRequest,
    # @end
    Case,
    Effect,
    # @if enforce
    LockOrder,
    # @end
    # @if review
    Opinion,
    # @end
    Policy,
    # @if review
    abstain,
    deny,
    # @end
    # @if enforce
    held,
    is_exempt,
    lock,
    # @end
)


class MyPolicy(Policy):
    name = "my-policy"
    version = "0.1.0"
    summary = "what an operator should know about it, in one line"
    rules = {
        # @if review
        "reason-too-short": "the reason says too little",
        # @end
        # @if enforce
        "too-many-held": "the user holds more requests than allowed, and this is one of the oldest",
        # @end
    }
    effects = [
        # @if review
        Effect.DENY,
        # @end
        # @if enforce
        Effect.LOCK,
        # @end
    ]
    settings_schema = {
        "properties": {
            # @if review
            "words-min": {
                "type": "integer",
                "minimum": 1,
                "default": 3,
                "description": "Fewest words of a request's reason.",
            },
            # @end
            # @if enforce
            "held-max": {
                "type": "integer",
                "minimum": 1,
                "default": 5,
                "description": "Most requests that a user holds at one time.",
            },
            # @end
        }
    }
    # @if review

    def review(self, case: Case, request: AccessRequest) -> Opinion:
        """What about this pending request? Approving is left to others."""
        words, least = len(request.reason.split()), self.settings["words-min"]
        if words >= least:
            return abstain()
        reason = f"say in at least {least} words what the access is for: your reason has {words}"
        return deny("reason-too-short", reason)
    # @end
    # @if enforce

    def enforce(self, case: Case) -> list[LockOrder]:
        """Which held requests must be locked now? The host also asks this as if a pending request were held."""
        counted = [request for request in held(case) if not is_exempt(request)]
        most = self.settings["held-max"]
        reason = f"you hold more than {most} requests: the oldest give way"
        losers = counted[: max(0, len(counted) - most)]
        return [lock(request.id, "too-many-held", reason) for request in losers]
    # @end


POLICY = MyPolicy
