import assert from "node:assert/strict";
import { test } from "node:test";

import policy from "./policy.js";
import {
  caseOf,
  configured,
  faultsOf,
  // @if enforce
  exempt,
  held,
  // @end
  // @if review
  pending,
  // @end
} from "./tribunal/testing.js";

// @if review
test("a reason that says too little is denied", () => {
  const ask = (reason: string) => configured(policy).review(caseOf("alice", [pending("r1", { reason })]), "r1");
  assert.deepEqual(ask("database is slow"), { tag: "abstain" });
  assert.deepEqual(ask(" please "), {
    tag: "deny",
    val: [{ rule: "reason-too-short", reason: "say in at least 3 words what the access is for: your reason has 1" }],
  });
});

// @end
// @if enforce
test("the oldest give way, and the exempt do not count", () => {
  const asked = caseOf("alice", [held("a"), held("b", { annotations: exempt("on call") }), held("c"), held("d")]);
  const orders = configured(policy, { "held-max": 2 }).enforce(asked);
  assert.deepEqual(orders.map((order) => order.request), ["a"]);
});

// @end
test("a misspelt key of the settings is told", () => {
  assert.equal(faultsOf(policy, { "no-such-key": 1 }).length, 1);
});
