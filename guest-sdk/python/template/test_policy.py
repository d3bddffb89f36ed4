"""Run with `python3 -m unittest`."""

import unittest

from policy import POLICY
# @if review
from tribunal import abstain, deny
# @end
from tribunal.testing import (
    Configured,
    case,
    # @if enforce
    exempt,
    # @end
    faults_of,
    # @if enforce
    held,
    # @end
    # @if review
    pending,
    # @end
)


class MyPolicyTest(unittest.TestCase):
    # @if review
    def test_a_reason_that_says_too_little_is_denied(self):
        def ask(reason):
            return Configured(POLICY).review(case("alice", pending("r1", reason=reason)), "r1")

        self.assertEqual(ask("database is slow"), abstain())
        expected = "say in at least 3 words what the access is for: your reason has 1"
        self.assertEqual(ask(" please "), deny("reason-too-short", expected))

    # @end
    # @if enforce
    def test_the_oldest_give_way_and_the_exempt_do_not_count(self):
        asked = case("alice", held("a"), held("b", annotations=exempt("on call")), held("c"), held("d"))
        orders = Configured(POLICY, held_max=2).enforce(asked)
        self.assertEqual([order.request for order in orders], ["a"])

    # @end
    def test_a_misspelt_key_of_the_settings_is_told(self):
        self.assertEqual(len(faults_of(POLICY, {"no-such-key": 1})), 1)


if __name__ == "__main__":
    unittest.main()
