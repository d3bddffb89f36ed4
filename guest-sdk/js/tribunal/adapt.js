// From a policy to the four functions of the contract, for the component and for tests.
// It must never decide anything.

import { abstain } from "./index.js";
import { checkSchema, parse } from "./settings.js";

/**
 * The functions that the contract asks for.
 * @param {import("./index.js").Policy<any>} policy
 */
export function adapt(policy) {
  /** @type {any} */
  let settings = null;

  /** @returns {import("./contract.js").Description} */
  function describe() {
    const { name, version, summary, rules, effects } = policy;
    const described = Object.entries(rules).map(([id, summary]) => ({ id, summary }));
    checkSchema(policy.settings ?? {});
    const settingsSchema = policy.settings === undefined ? "" : JSON.stringify({ type: "object", additionalProperties: false, ...policy.settings });
    return { name, version, summary, rules: described, effects, settingsSchema };
  }

  /** @param {string} text */
  function configure(text) {
    const parsed = parse(policy.settings, text);
    const faults = parsed.faults.length > 0 ? parsed.faults : policy.check?.(parsed.settings) ?? [];
    if (faults.length > 0) {
      throw faults;
    }
    settings = parsed.settings;
  }

  /** @param {import("./index.js").Case} asked @param {string} id */
  function review(asked, id) {
    const request = asked.requests.find((request) => request.id === id);
    if (request === undefined) {
      throw new Error("`review` of a request that is not in the case");
    }
    return policy.review?.(configured(), asked, request) ?? abstain();
  }

  /** @param {import("./index.js").Case} asked */
  function enforce(asked) {
    return policy.enforce?.(configured(), asked) ?? [];
  }

  function configured() {
    if (settings === null) {
      throw new Error("called before `configure`");
    }
    return settings;
  }

  return { describe, configure, review, enforce };
}
