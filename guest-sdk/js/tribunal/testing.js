// For the tests of a policy: cases with plausible defaults, the policy as the host asks it, and the lines of its log.
// It must never build a case that the host could not, nor be part of a component.

import { adapt } from "./adapt.js";
import { byAge, EXEMPT_ANNOTATION, logTo, REASON_BYTES_MAX } from "./index.js";

/** @typedef {import("./index.js").Case} Case */
/** @typedef {import("./index.js").AccessRequest} AccessRequest */
/** @typedef {import("./index.js").Opinion} Opinion */

/** `now` of a case that does not say otherwise: 2026-01-01 12:00 UTC. */
export const NOW_MS = 1_767_268_800_000;
/** How long before `now` the first request was created that does not say otherwise; each further one a second later. */
const FIRST_REQUEST_AGE_MS = 3_600_000;
const REQUEST_STEP_MS = 1_000;

/**
 * A request that waits for a decision; what is given replaces the defaults.
 * @param {string} id @param {Partial<AccessRequest>} [given] @returns {AccessRequest}
 */
export function pending(id, given = {}) {
  return {
    id,
    user: "",
    state: "pending",
    kind: "short-term",
    roles: [],
    resources: [],
    reason: "",
    created: -1,
    accessStarts: null,
    accessExpires: null,
    decidedBy: "nobody",
    resolveReason: "",
    reviews: [],
    suggestedReviewers: [],
    annotations: [],
    locks: [],
    ...given,
  };
}

/** A request that this host approved and that gives access. @param {string} id @param {Partial<AccessRequest>} [given] */
export function held(id, given = {}) {
  return pending(id, { state: "approved", decidedBy: "tribunal", ...given });
}

/** Resources of the root cluster without labels. @param {string[]} names */
export function nodes(...names) {
  return names.map((name) => ({ cluster: "root", kind: "node", name, subResource: "", labels: [], constraints: null }));
}

/** The annotation of a request that the operator exempts. @param {string} why */
export function exempt(why) {
  return [{ key: EXEMPT_ANNOTATION, values: [why] }];
}

/** Somebody else's lock without end. @param {string} name */
export function locked(name) {
  return [{ name, message: "", ours: false, expires: null }];
}

/**
 * A case about this user, its requests oldest first.
 * @param {string} user @param {AccessRequest[]} requests @param {Partial<Case>} [given] @returns {Case}
 */
export function caseOf(user, requests, given = {}) {
  const now = given.now ?? NOW_MS;
  const dated = requests.map((request, index) => {
    const created = request.created >= 0 ? request.created : Math.min(now, now - FIRST_REQUEST_AGE_MS + index * REQUEST_STEP_MS);
    return { ...request, created, user };
  });
  const subject = { name: user, bot: false, roles: [], traits: [] };
  return { now, cluster: "root", subject, facts: [], ...given, requests: dated.sort(byAge) };
}

/**
 * The policy with these settings, asked as the host asks it: what would be a fault there is thrown here.
 * @param {import("./index.js").Policy<any>} policy @param {object} [settings]
 */
export function configured(policy, settings = {}) {
  /** @type {[string, string][]} */
  const logged = [];
  logTo((level, message) => logged.push([level, message]));
  const { describe, configure, review, enforce } = adapt(policy);
  const { rules, effects } = describe();
  configure(JSON.stringify(settings));

  /** @param {import("./index.js").Effect} effect @param {import("./index.js").Ground[]} grounds */
  function admit(effect, grounds) {
    if (!effects.includes(effect)) {
      throw new Error(`the effect \`${effect}\` is not described`);
    }
    for (const { rule, reason } of grounds) {
      if (!rules.some(({ id }) => id === rule)) {
        throw new Error(`rule \`${rule}\` is not described`);
      }
      if (reason === "" || reason.length > REASON_BYTES_MAX) {
        throw new Error(`the reason of rule \`${rule}\` is empty or too long`);
      }
    }
  }

  return {
    /** Lines of the log so far: level and message. */
    logged,
    /** @param {Case} asked @param {string} request @returns {Opinion} */
    review(asked, request) {
      const opinion = review(asked, request);
      if (opinion.tag !== "abstain") {
        const grounds = opinion.tag === "deny" ? opinion.val : [opinion.val];
        if (grounds.length === 0) {
          throw new Error("denies without a ground");
        }
        admit(opinion.tag, grounds);
      }
      return opinion;
    },
    /** @param {Case} asked */
    enforce(asked) {
      const orders = enforce(asked);
      const ids = orders.map((order) => order.request);
      for (const { request, ground } of orders) {
        admit("lock", [ground]);
        if (asked.requests.find(({ id }) => id === request)?.state !== "approved") {
          throw new Error(`locks \`${request}\`, which is not an approved request of the case`);
        }
      }
      if (new Set(ids).size !== ids.length) {
        throw new Error("locks a request twice");
      }
      return orders;
    },
  };
}

/** What a policy finds wrong with these settings. @param {import("./index.js").Policy<any>} policy @param {unknown} settings */
export function faultsOf(policy, settings) {
  try {
    adapt(policy).configure(JSON.stringify(settings));
  } catch (faults) {
    if (Array.isArray(faults)) {
      return faults;
    }
    throw faults;
  }
  return [];
}
