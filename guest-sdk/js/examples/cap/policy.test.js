import assert from "node:assert/strict";
import { test } from "node:test";

import policy from "./policy.js";
import { caseOf, configured, exempt, faultsOf, held, locked, nodes, NOW_MS, pending } from "./tribunal/testing.js";

/** Held requests with one node of their own each. @param {string[]} ids */
const hoard = (...ids) => ids.map((id) => held(id, { resources: nodes(id) }));
/** @param {any[]} requests @param {object} [settings] */
const lost = (requests, settings = {}) => configured(policy, settings).enforce(caseOf("alice", requests)).map((order) => order.request);
/** @param {any[]} requests @param {object} [settings] */
const asked = (requests, settings = {}) => configured(policy, settings).review(caseOf("alice", requests), "new");

test("a compliant request is approved, or left to others", () => {
  const request = pending("new", { resources: nodes("a", "b", "c") });
  assert.equal(asked([request]).tag, "approve");
  assert.deepEqual(asked([request], { "when-compliant": "abstain" }), { tag: "abstain" });
});

test("a request that alone exceeds the cap is denied", () => {
  const opinion = asked([pending("new", { resources: nodes("a", "b", "c", "d") })]);
  assert.deepEqual(opinion, { tag: "deny", val: [{ rule: "request-over-cap", reason: "Request contains 4 resources, exceeds limit of 3" }] });
});

test("the oldest gives way, and one that newer ones cover stays", () => {
  assert.deepEqual(lost(hoard("a", "b", "c", "d")), ["a"]);
  const covered = [held("covered", { resources: nodes("a") }), held("b", { resources: nodes("b", "c") }), held("new", { resources: nodes("a", "d") })];
  assert.deepEqual(lost(covered), ["b"]);
});

test("skip-fit keeps an old small one", () => {
  const sizes = [held("old", { resources: nodes("a") }), held("mid", { resources: nodes("b", "c") }), held("x", { resources: nodes("d", "e") })];
  assert.deepEqual(lost(sizes), ["old", "mid"]);
  assert.deepEqual(lost(sizes, { order: "skip-fit" }), ["mid"]);
});

test("what gives no access does not count", () => {
  const more = [held("l", { locks: locked("x") }), held("e", { annotations: exempt("y") }), held("s", { accessStarts: NOW_MS + 1 }), held("p", { accessExpires: NOW_MS })];
  assert.deepEqual(lost([...hoard("a", "b", "c"), ...more]), []);
});

test("a request that would be locked at once is left to people", () => {
  const opinion = asked([pending("new", { resources: nodes("a") }), held("newer", { resources: nodes("b", "c", "d") })]);
  assert.equal(opinion.tag, "escalate");
});

test("all faults of the settings are told at once", () => {
  const faults = faultsOf(policy, { "max-resources": 0, unit: "nodes", max: 3 });
  assert.equal(faults.length, 3);
});
