// my-policy: say here in one sentence what it is for, and below what it must never do.

import {
  // @if review
  abstain,
  deny,
  // @end
  // @if enforce
  held,
  isExempt,
  lock,
  // @end
  type Policy,
} from "./tribunal/index.js";

interface Settings {
  // @if review
  "words-min": number;
  // @end
  // @if enforce
  "held-max": number;
  // @end
}

const policy: Policy<Settings> = {
  name: "my-policy",
  version: "0.1.0",
  summary: "what an operator should know about it, in one line",
  rules: {
    // @if review
    "reason-too-short": "the reason says too little",
    // @end
    // @if enforce
    "too-many-held": "the user holds more requests than allowed, and this is one of the oldest",
    // @end
  },
  effects: [
    // @if review
    "deny",
    // @end
    // @if enforce
    "lock",
    // @end
  ],
  settings: {
    properties: {
      // @if review
      "words-min": { type: "integer", minimum: 1, default: 3, description: "Fewest words of a request's reason." },
      // @end
      // @if enforce
      "held-max": { type: "integer", minimum: 1, default: 5, description: "Most requests that a user holds at one time." },
      // @end
    },
  },
  // @if review

  // What about this pending request? Approving is left to others.
  review(settings, asked, request) {
    const words = request.reason.split(/\s+/).filter((word) => word !== "").length;
    const least = settings["words-min"];
    if (words >= least) {
      return abstain();
    }
    return deny("reason-too-short", `say in at least ${least} words what the access is for: your reason has ${words}`);
  },
  // @end
  // @if enforce

  // Which held requests must be locked now? The host also asks this as if a pending request were held.
  enforce(settings, asked) {
    const counted = held(asked).filter((request) => !isExempt(request));
    const most = settings["held-max"];
    const losers = counted.slice(0, Math.max(0, counted.length - most));
    return losers.map(({ id }) => lock(id, "too-many-held", `you hold more than ${most} requests: the oldest give way`));
  },
  // @end
};

export default policy;
