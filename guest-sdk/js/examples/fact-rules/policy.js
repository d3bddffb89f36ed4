// The policy `fact-rules`: the rules are data. A fact holds a JSON list of them; the first that matches a request answers.
// It must never answer from a list that is missing, stale or not understood: then people decide.

import { abstain, approve, deny, escalate, fact, values } from "./tribunal/index.js";

/** @typedef {import("./tribunal/index.js").AccessRequest} AccessRequest */
/** @typedef {import("./tribunal/index.js").Case} Case */
/**
 * Each list that is there must hold one of the request's values; a name ending in `*` matches by its beginning.
 * @typedef {object} Rule
 * @property {"approve" | "deny" | "escalate"} then
 * @property {string} reason
 * @property {string[]} [users]
 * @property {string[]} [roles] All roles that are asked for have to be among them.
 * @property {string[]} [kinds] The same of the kinds of resources.
 * @property {Record<string, string[]>} [traits]
 */

const ANSWERS = { approve, deny, escalate };
const KEYS = ["then", "reason", "users", "roles", "kinds", "traits"];

/** @type {import("./tribunal/index.js").Policy<{ fact: string }>} */
export default {
  name: "fact-rules",
  version: "0.1.0",
  summary: "answers by a list of rules that is kept as a fact",
  rules: {
    matched: "a rule of the list matches the request",
    "no-rules": "the list of rules is missing, stale or not understood",
  },
  effects: ["approve", "deny", "escalate"],
  settings: {
    properties: { fact: { type: "string", minLength: 1, default: "access-rules", description: "The fact that holds the rules." } },
  },

  review(settings, asked, request) {
    const rules = fact(asked, settings.fact);
    if (rules === null || !rules.fresh) {
      return escalate("no-rules", `the fact \`${settings.fact}\` is ${rules === null ? "missing" : "stale"}: people have to decide`);
    }
    const list = parse(rules.json);
    if (typeof list === "string") {
      return escalate("no-rules", `the fact \`${settings.fact}\` is not understood: ${list}`);
    }
    const rule = list.find((rule) => matches(rule, asked, request));
    return rule === undefined ? abstain() : ANSWERS[rule.then]("matched", rule.reason);
  },
};

/** The rules, or why they are none. @param {string} text @returns {Rule[] | string} */
function parse(text) {
  let list;
  try {
    list = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (!Array.isArray(list)) {
    return "it is not a list";
  }
  for (const [index, rule] of list.entries()) {
    const unknown = Object.keys(rule ?? {}).find((key) => !KEYS.includes(key));
    if (unknown !== undefined) {
      return `rule ${index + 1} says \`${unknown}\``;
    }
    if (!Object.hasOwn(ANSWERS, rule?.then) || typeof rule.reason !== "string" || rule.reason === "") {
      return `rule ${index + 1} needs \`then\` and \`reason\``;
    }
    const lists = [rule.users, rule.roles, rule.kinds, ...Object.values(rule.traits ?? {})];
    if (!lists.every((names) => names === undefined || (Array.isArray(names) && names.every((name) => typeof name === "string")))) {
      return `a list of rule ${index + 1} is not one of texts`;
    }
  }
  return list;
}

/** @param {Rule} rule @param {Case} asked @param {AccessRequest} request */
function matches({ users, roles, kinds, traits }, asked, request) {
  const all = (/** @type {string[]} */ names, /** @type {string[]} */ wanted) => names.length > 0 && names.every((name) => isAmong(name, wanted));
  return (
    (users === undefined || isAmong(asked.subject.name, users)) &&
    (roles === undefined || all(request.roles, roles)) &&
    (kinds === undefined || all(request.resources.map(({ kind }) => kind), kinds)) &&
    Object.entries(traits ?? {}).every(([key, wanted]) => (values(asked.subject.traits, key) ?? []).some((value) => isAmong(value, wanted)))
  );
}

/** @param {string} name @param {string[]} patterns */
function isAmong(name, patterns) {
  return patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}
