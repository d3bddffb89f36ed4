// The policy `cap`: at most so many resources for a user at one time; what is held longest gives way to what is new.
// It must never count what gives no access, and never lock a request whose loss makes no room.

import { abstain, approve, byAge, deny, escalate, hasExpired, held, isExempt, lock, log } from "./tribunal/index.js";

/** @typedef {import("./tribunal/index.js").AccessRequest} AccessRequest */
/** @typedef {import("./tribunal/index.js").Case} Case */
/** @typedef {{ request: AccessRequest, items: string[] }} Holding What a request takes, each thing once. */

/**
 * @typedef {object} Settings
 * @property {number} max-resources
 * @property {"resources" | "requests" | "roles"} unit
 * @property {"oldest-first" | "skip-fit"} order
 * @property {"approve" | "abstain"} when-compliant
 * @property {"count" | "ignore"} role-only-requests
 * @property {"ignore" | "count"} promoted
 */

/** @type {import("./tribunal/index.js").Policy<Settings>} */
export default {
  name: "cap",
  version: "0.1.0",
  summary: "at most so many resources for a user, the oldest give way",
  rules: {
    "within-cap": "the request fits the limit once older ones have given way",
    "request-over-cap": "the request alone exceeds the limit",
    "newer-fill-cap": "newer or permanent access fills the limit and does not give way to this request",
    "held-over-cap": "the held requests exceed the limit and this one gives way",
  },
  effects: ["approve", "deny", "escalate", "lock"],
  settings: {
    properties: {
      "max-resources": { type: "integer", minimum: 1, maximum: 4294967295, default: 3 },
      unit: { enum: ["resources", "requests", "roles"], default: "resources" },
      order: { enum: ["oldest-first", "skip-fit"], default: "oldest-first" },
      "when-compliant": { enum: ["approve", "abstain"], default: "approve" },
      "role-only-requests": { enum: ["count", "ignore"], default: "count" },
      promoted: { enum: ["ignore", "count"], default: "ignore" },
    },
  },

  review(settings, asked, request) {
    const [max, unit] = [settings["max-resources"], settings.unit];
    const holding = holdingOf(settings, request);
    if (holding.items.length > max) {
      return deny("request-over-cap", `Request contains ${holding.items.length} ${unit}, exceeds limit of ${max}`);
    }
    const ignored = promoted(asked).length;
    if (settings.promoted === "ignore" && ignored > 0) {
      log.warn(`${ignored} promoted requests are not counted: their access is permanent (setting \`promoted\`)`);
    }
    // What enforcement would lock if the request were approved must not be the request itself.
    const others = counted(settings, asked).filter((other) => other.request.id !== request.id);
    if (giveWay(settings, asked, [...others, holding]).some((loser) => loser.id === request.id)) {
      const filled = `Newer or permanent access already fills the limit of ${max} ${unit}`;
      return escalate("newer-fill-cap", `${filled}: this request would be locked at once`);
    }
    return settings["when-compliant"] === "approve"
      ? approve("within-cap", "Auto-approved: complies with access policies")
      : abstain();
  },

  enforce(settings, asked) {
    const reason = `Exceeded maximum approved ${settings.unit} limit (${settings["max-resources"]})`;
    return giveWay(settings, asked, counted(settings, asked)).map(({ id }) => lock(id, "held-over-cap", reason));
  },
};

/** What counts: held requests that the operator does not exempt. @param {Settings} settings @param {Case} asked */
function counted(settings, asked) {
  return held(asked)
    .filter((request) => !isExempt(request))
    .map((request) => holdingOf(settings, request));
}

/** @param {Settings} settings @param {AccessRequest} request @returns {Holding} */
function holdingOf(settings, request) {
  return { request, items: [...new Set(itemsOf(settings, request))] };
}

/** @param {Settings} settings @param {AccessRequest} request */
function itemsOf(settings, request) {
  const itself = [JSON.stringify(["request", request.id])];
  if (settings.unit === "requests") {
    return itself;
  }
  if (settings.unit === "roles") {
    return request.roles.map((role) => JSON.stringify(["role", role]));
  }
  if (settings["role-only-requests"] === "count" && request.resources.length === 0) {
    return itself;
  }
  return request.resources.map(({ cluster, kind, name, subResource }) => JSON.stringify([cluster, kind, name, subResource]));
}

/** @param {Case} asked */
function promoted(asked) {
  return asked.requests.filter((request) => request.state === "promoted" && !hasExpired(request, asked.now));
}

/** Which requests give way, oldest first. @param {Settings} settings @param {Case} asked @param {Holding[]} holdings */
function giveWay(settings, asked, holdings) {
  holdings.sort((a, b) => byAge(a.request, b.request));
  const kept = new Tally();
  if (settings.promoted === "count") {
    promoted(asked).forEach((request) => kept.add(itemsOf(settings, request)));
  }
  const max = settings["max-resources"];
  const losers = settings.order === "skip-fit" ? skipFit(max, kept, holdings) : oldestFirst(max, kept, holdings);
  return losers.map((loser) => loser.request).sort(byAge);
}

/** The oldest give way until what is left fits. @param {number} max @param {Tally} kept @param {Holding[]} holdings */
function oldestFirst(max, kept, holdings) {
  // Those that cannot fit even alone go first: no older one has to give way for them.
  const fits = holdings.map(({ items }) => kept.hasRoomFor(items, max));
  const fitting = holdings.filter((_, index) => fits[index]);
  const losers = holdings.filter((_, index) => !fits[index]);
  fitting.forEach(({ items }) => kept.add(items));
  for (const holding of fitting) {
    if (kept.units <= max) {
      break;
    }
    kept.remove(holding.items);
    losers.push(holding);
  }
  // One that newer requests cover altogether made no room by going.
  return losers.filter(({ items }) => kept.more(items) > 0);
}

/** From the newest to the oldest, what does not fit. @param {number} max @param {Tally} kept @param {Holding[]} holdings */
function skipFit(max, kept, holdings) {
  const losers = [];
  for (const holding of holdings.toReversed()) {
    if (kept.hasRoomFor(holding.items, max)) {
      kept.add(holding.items);
    } else {
      losers.push(holding);
    }
  }
  return losers;
}

/** The distinct things of several requests, each with the number of requests that hold it. */
class Tally {
  /** @type {Map<string, number>} */
  #holders = new Map();

  get units() {
    return this.#holders.size;
  }

  /** @param {string[]} items */
  add(items) {
    items.forEach((item) => this.#holders.set(item, (this.#holders.get(item) ?? 0) + 1));
  }

  /** @param {string[]} items */
  remove(items) {
    for (const item of items) {
      const left = (this.#holders.get(item) ?? 1) - 1;
      left === 0 ? this.#holders.delete(item) : this.#holders.set(item, left);
    }
  }

  /** Units that these would add. @param {string[]} items */
  more(items) {
    return items.filter((item) => !this.#holders.has(item)).length;
  }

  /** @param {string[]} items @param {number} max */
  hasRoomFor(items, max) {
    const more = this.more(items);
    return more === 0 || this.units + more <= max;
  }
}
