"""Run with `python3 -m unittest`."""

import unittest

from policy import POLICY
from tribunal import abstain, deny, Opinion_Approve, Opinion_Escalate
from tribunal.testing import NOW_MS, Configured, case, exempt, faults_of, held, locked, nodes, pending


def hoard(*ids):
    """Held requests with one node of their own each."""
    return [held(id, resources=nodes(id)) for id in ids]


def lost(*requests, **settings):
    return [order.request for order in Configured(POLICY, **settings).enforce(case("alice", *requests))]


def ask(*requests, **settings):
    return Configured(POLICY, **settings).review(case("alice", *requests), "new")


class CapTest(unittest.TestCase):
    def test_a_compliant_request_is_approved_or_left_to_others(self):
        self.assertIsInstance(ask(pending("new", resources=nodes("a", "b", "c"))), Opinion_Approve)
        self.assertEqual(ask(pending("new", resources=nodes("a")), when_compliant="abstain"), abstain())

    def test_a_request_that_alone_exceeds_the_cap_is_denied(self):
        opinion = ask(pending("new", resources=nodes("a", "b", "c", "d")))
        self.assertEqual(opinion, deny("request-over-cap", "Request contains 4 resources, exceeds limit of 3"))

    def test_the_oldest_gives_way_and_one_that_newer_ones_cover_stays(self):
        self.assertEqual(lost(*hoard("a", "b", "c", "d")), ["a"])
        covered = held("covered", resources=nodes("a"))
        gives_way = held("b", resources=nodes("b", "c"))
        self.assertEqual(lost(covered, gives_way, held("new", resources=nodes("a", "d"))), ["b"])

    def test_skip_fit_keeps_an_old_small_one(self):
        names = {"old": "a", "mid": "bc", "new": "de"}
        sizes = [held(id, resources=nodes(*names)) for id, names in names.items()]
        self.assertEqual(lost(*sizes), ["old", "mid"])
        self.assertEqual(lost(*sizes, order="skip-fit"), ["mid"])

    def test_what_gives_no_access_does_not_count(self):
        locks = held("l", locks=locked("x"))
        exempted = held("e", annotations=exempt("y"))
        outside = [held("s", access_starts=NOW_MS + 1), held("p", access_expires=NOW_MS)]
        self.assertEqual(lost(*hoard("a", "b", "c"), locks, exempted, *outside), [])

    def test_a_request_that_would_be_locked_at_once_is_left_to_people(self):
        newer = held("newer", resources=nodes("b", "c", "d"))
        self.assertIsInstance(ask(pending("new", resources=nodes("a")), newer), Opinion_Escalate)

    def test_all_faults_of_the_settings_are_told_at_once(self):
        self.assertEqual(len(faults_of(POLICY, {"max-resources": 0, "unit": "nodes", "max": 3})), 3)


if __name__ == "__main__":
    unittest.main()
