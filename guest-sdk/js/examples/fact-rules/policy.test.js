import assert from "node:assert/strict";
import { test } from "node:test";

import policy from "./policy.js";
import { caseOf, configured, nodes, NOW_MS, pending } from "./tribunal/testing.js";

const RULES = [
  { then: "deny", reason: "databases are asked for by phone", kinds: ["db"] },
  { then: "approve", reason: "the web team and its machines", users: ["al*"], roles: ["web-*"], traits: { team: ["web"] } },
  { then: "escalate", reason: "an administrator's role", roles: ["admin"] },
];

/** @param {unknown} rules @param {object} request @param {boolean} [fresh] */
function ask(rules, request, fresh = true) {
  const json = typeof rules === "string" ? rules : JSON.stringify(rules);
  const subject = { name: "alice", bot: false, roles: [], traits: [{ key: "team", values: ["ops", "web"] }] };
  const facts = [{ name: "access-rules", json, fetched: NOW_MS, fresh }];
  const opinion = configured(policy).review(caseOf("alice", [pending("r1", request)], { subject, facts }), "r1");
  return opinion.tag === "abstain" ? "abstain" : `${opinion.tag}: ${(opinion.tag === "deny" ? opinion.val[0] : opinion.val)?.reason}`;
}

test("the first rule that matches answers", () => {
  assert.equal(ask(RULES, { roles: ["web-admin", "web-reader"] }), "approve: the web team and its machines");
  assert.equal(ask(RULES, { roles: ["web-admin", "admin"] }), "abstain");
  assert.equal(ask(RULES, { roles: ["admin"] }), "escalate: an administrator's role");
  const [database] = nodes("orders");
  assert.equal(ask(RULES, { roles: ["web-dba"], resources: [{ ...database, kind: "db" }] }), "deny: databases are asked for by phone");
});

test("no list, an old list and a wrong list are for people", () => {
  assert.match(ask(RULES, { roles: ["web-admin"] }, false), /^escalate: .*stale/);
  for (const wrong of ["{", "{}", "[3]", "[null]", [{ then: "allow", reason: "x" }], [{ then: "deny", reason: "x", user: ["y"] }], [{ then: "deny", reason: "x", users: "y" }]]) {
    assert.match(ask(wrong, { roles: ["web-admin"] }), /^escalate: .*not understood/, JSON.stringify(wrong));
  }
});
