// What the author of a policy in JavaScript or TypeScript uses: answers, and questions that most policies ask of a case.
// It must never give a policy a clock, randomness, files or a network: a policy sees its settings and its case.

/** @typedef {import("./contract.js").Case} Case */
/** @typedef {import("./contract.js").AccessRequest} AccessRequest */
/** @typedef {import("./contract.js").RequestedResource} RequestedResource */
/** @typedef {import("./contract.js").Attribute} Attribute */
/** @typedef {import("./contract.js").Fact} Fact */
/** @typedef {import("./contract.js").Ground} Ground */
/** @typedef {import("./contract.js").Opinion} Opinion */
/** @typedef {import("./contract.js").LockOrder} LockOrder */
/** @typedef {import("./contract.js").Effect} Effect */

/**
 * A policy: a pure function of its settings and a case. It is made anew for each answer.
 *
 * @template {object} [Settings=object]
 * @typedef {object} Policy
 * @property {string} name Lower case words joined by `-`.
 * @property {string} version A semantic version.
 * @property {string} summary One line for the operator.
 * @property {Record<string, string>} rules Every rule id that its reasons name, with a line about it.
 * @property {Effect[]} effects Every effect that its answers may have. The operator has to grant them.
 * @property {object} [settings] JSON Schema of its settings, which is also what checks them; without it, it takes none.
 * @property {(settings: Settings) => string[]} [check] What is wrong with the settings beyond their schema, each a
 *   sentence that names the key.
 * @property {(settings: Settings, asked: Case, request: AccessRequest) => Opinion} [review] What about this pending request?
 *   Without it nothing.
 * @property {(settings: Settings, asked: Case) => LockOrder[]} [enforce] Which held requests must be locked now? Without it
 *   none. At most one order for a request.
 */

/** Longest reason of one ground, in bytes of UTF-8: what Teleport stores of a whole decision. Longer ones are cut. */
export const REASON_BYTES_MAX = 4096;
/** The annotation by which the host says that the operator exempts a request from being locked. */
export const EXEMPT_ANNOTATION = "tribunal/exempt";
/** What a reason that was cut ends with. */
const CUT_MARK = "…";

// === Answers ===

/** Nothing to say; somebody else has to approve. @returns {Opinion} */
export function abstain() {
  return { tag: "abstain" };
}

/** Yes, as far as this policy is concerned. @param {string} rule @param {string} reason @returns {Opinion} */
export function approve(rule, reason) {
  return { tag: "approve", val: ground(rule, reason) };
}

/** No. @param {string} rule @param {string} reason @returns {Opinion} */
export function deny(rule, reason) {
  return { tag: "deny", val: [ground(rule, reason)] };
}

/** No, on all of these grounds; nothing to say where there are none. @param {Ground[]} grounds @returns {Opinion} */
export function denyAll(grounds) {
  return grounds.length === 0 ? abstain() : { tag: "deny", val: grounds };
}

/** People have to decide. @param {string} rule @param {string} reason @returns {Opinion} */
export function escalate(rule, reason) {
  return { tag: "escalate", val: ground(rule, reason) };
}

/**
 * This held request must be locked, for as long as its access lasts or until a time.
 * @param {string} request @param {string} rule @param {string} reason @param {number | null} [until] @returns {LockOrder}
 */
export function lock(request, rule, reason, until = null) {
  return { request, ground: ground(rule, reason), until };
}

/**
 * A rule of the policy, and a sentence for people. Control characters become spaces, and what goes beyond
 * `REASON_BYTES_MAX` is cut: names that a requester chose cannot turn an answer into a fault.
 * @param {string} rule @param {string} reason @returns {Ground}
 */
export function ground(rule, reason) {
  return { rule, reason: oneLine(reason) };
}

/** @param {string} text */
function oneLine(text) {
  const line = text.replace(/[\p{Cc}\u2028\u2029]/gu, " ");
  if (utf8Length(text) <= REASON_BYTES_MAX) {
    return line;
  }
  let cut = "";
  let bytes = utf8Length(CUT_MARK);
  for (const character of line) {
    bytes += utf8Length(character);
    if (bytes > REASON_BYTES_MAX) {
      break;
    }
    cut += character;
  }
  return cut + CUT_MARK;
}

/** @param {string} text */
function utf8Length(text) {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

// === Questions ===

/** What gives access now: approved, started, not expired and not locked; oldest first. @param {Case} asked */
export function held(asked) {
  return asked.requests.filter((request) => isHeld(request, asked.now));
}

/** What waits for a decision, oldest first. @param {Case} asked */
export function pending(asked) {
  return asked.requests.filter((request) => request.state === "pending");
}

/** Gives access at this time. @param {AccessRequest} request @param {number} now */
export function isHeld(request, now) {
  return request.state === "approved" && hasStarted(request, now) && !hasExpired(request, now) && request.locks.length === 0;
}

/** Its access may be used from this time on or since before. @param {AccessRequest} request @param {number} now */
export function hasStarted(request, now) {
  return request.accessStarts === null || request.accessStarts <= now;
}

/** Its access has ended; false where the end is not known. @param {AccessRequest} request @param {number} now */
export function hasExpired(request, now) {
  return request.accessExpires !== null && request.accessExpires <= now;
}

/** The operator exempts it: it should neither count nor be locked. @param {AccessRequest} request */
export function isExempt(request) {
  return values(request.annotations, EXEMPT_ANNOTATION) !== null;
}

/**
 * The values of a trait, a label or an annotation; null where there is no such key, and where the host may not see them.
 * @param {Attribute[] | null} attributes @param {string} key
 */
export function values(attributes, key) {
  return attributes?.find((attribute) => attribute.key === key)?.values ?? null;
}

/** The fact that the operator configured under this name. @param {Case} asked @param {string} name @returns {Fact | null} */
export function fact(asked, name) {
  return asked.facts.find((fact) => fact.name === name) ?? null;
}

/** Teleport's way to write a resource: `/cluster/kind/name`. @param {RequestedResource} resource */
export function path({ cluster, kind, name, subResource }) {
  const whole = `/${cluster}/${kind}/${name}`;
  return subResource === "" ? whole : `${whole}/${subResource}`;
}

/** Orders requests by age, oldest first, equal ages by id. @param {AccessRequest} a @param {AccessRequest} b */
export function byAge(a, b) {
  return a.created - b.created || compareText(a.id, b.id);
}

/**
 * Orders texts as their bytes of UTF-8, which is how every other language here does it; `<` of JavaScript differs for
 * characters beyond U+FFFF.
 * @param {string} a @param {string} b
 */
export function compareText(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) {
      return rank(x) - rank(y);
    }
  }
  return a.length - b.length;
}

/** Surrogates stand for characters that are behind all others. @param {number} unit */
function rank(unit) {
  return unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;
}

// === The operator's log ===

/** @type {(level: "debug" | "info" | "warn", message: string) => void} */
let write = () => {};

/** Where lines go: `component.js` says so to the host, a test to itself. @param {typeof write} to */
export function logTo(to) {
  write = to;
}

/** Lines for the operator's log; the host may drop them. */
export const log = {
  /** Details that help the policy's author. @param {string} message */
  debug: (message) => write("debug", message),
  /** Something that the operator may want to know. @param {string} message */
  info: (message) => write("info", message),
  /** Something that the operator should look at. @param {string} message */
  warn: (message) => write("warn", message),
};
