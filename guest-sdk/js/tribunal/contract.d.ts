// Generated from wit/policy.wit; do not edit.
// Numbers of 64 bits arrive as `number`: timestamps are exact for the next 285,000 years.

export type Level = "debug" | "info" | "warn";

/** Milliseconds since the Unix epoch, UTC. */
export type Timestamp = number;

/** A key with its values: a trait of a user, a label of a resource, an annotation of a request. */
export interface Attribute {
  key: string;
  /** In the order in which Teleport gives them; never empty for labels (exactly one value). */
  values: string[];
}

/** Teleport's `RequestState`. A value this contract does not know arrives as `unknown`. */
export type RequestState = "pending" | "approved" | "denied" | "promoted" | "unknown";

/** Teleport's `AccessRequestKind`. Requests of older servers, which do not say, count as `short-term`. */
export type RequestKind = "short-term" | "long-term" | "unknown";

/** Who decided a request that is no longer pending. */
export type Decider = "nobody" | "person" | "tribunal" | "other-bot";

/** One resource that a request names. */
export interface RequestedResource {
  /** The Teleport cluster it belongs to (root or leaf). */
  cluster: string;
  /** Teleport's resource kind, such as `node`, `db`, `app`, `kube_cluster`. */
  kind: string;
  /** Its name; for a node its id. */
  name: string;
  /** What inside the resource is asked for, such as a Kubernetes `namespace/pod`; empty for all of it. */
  subResource: string;
  /** None: the labels could not be read, which is not the same as "has no labels". */
  labels: Attribute[] | null;
  /**
   * Constraints (such as SSH logins or AWS roles) in Teleport's JSON form. Some text that is not JSON: a
   * constraint that this host does not know; the host never approves such a request.
   */
  constraints: string | null;
}

/** One person's or machine's review of a request. */
export interface Review {
  /** The reviewer's Teleport user name. Machine ID bots are called `bot-…`. */
  author: string;
  /** The state that the reviewer proposes. */
  state: RequestState;
  reason: string;
  created: Timestamp;
}

/** A lock that is in force on a request at `case.now`. */
export interface Lock {
  name: string;
  message: string;
  /**
   * True: an earlier policy of this panel orders it in this round. The host's locks of earlier rounds, which it
   * derives anew each time, are never shown. False: a person or another tool made it.
   */
  ours: boolean;
  /** None: in force until somebody deletes it. */
  expires: Timestamp | null;
}

/** Teleport's `AccessRequestV3`. */
export interface AccessRequest {
  /** A UUID. */
  id: string;
  /** The requester; the same as `case.subject.name`. */
  user: string;
  state: RequestState;
  kind: RequestKind;
  /** The requested roles; for a request of resources the roles that give access to them. */
  roles: string[];
  /** The requested resources. Empty when whole roles are asked for. */
  resources: RequestedResource[];
  /** The requester's words. Not to be trusted, and possibly personal. */
  reason: string;
  created: Timestamp;
  /**
   * None: usable as soon as it is approved. Approved access that starts within two poll intervals is shown as
   * started at `case.now`, so that what must give way to it is locked before.
   */
  accessStarts: Timestamp | null;
  /** End of the granted (or, while pending, of the asked for) access. None: unknown. */
  accessExpires: Timestamp | null;
  decidedBy: Decider;
  /** The reason given with the decision; empty while pending. */
  resolveReason: string;
  /** In the order in which they were given. */
  reviews: Review[];
  suggestedReviewers: string[];
  /**
   * Teleport's system annotations of the request, sorted by key. Keys under `tribunal/` come from the host alone:
   * `tribunal/exempt` is there when the operator exempts this request from being locked (its value says why,
   * such as `human-approved`): a policy should neither count nor lock it.
   */
  annotations: Attribute[];
  /**
   * Locks in force at `case.now`, sorted by name. A request with one or more of them gives no access. Locks of
   * others that end within two poll intervals are not shown, so that the host's own is there when they end.
   */
  locks: Lock[];
}

/** The user whose requests are judged. */
export interface Subject {
  /** The Teleport user name. */
  name: string;
  /** Whether it is a Machine ID bot. */
  bot: boolean;
  /** Standing roles, from the user's login state or record. None: the host may not see them. */
  roles: string[] | null;
  /** Traits, sorted by key. None: the host may not see them. */
  traits: Attribute[] | null;
}

/** Data that the operator configured, such as tickets or on-call schedules. */
export interface Fact {
  name: string;
  /** A JSON text; `null` if it could never be read. */
  json: string;
  /** When it was last written, as far as the host can tell: of a file its last change. 0 if it could never be read. */
  fetched: Timestamp;
  /** False: older than the operator allows, or never read. What it says may be true no more. */
  fresh: boolean;
}

/** All that the host knows about one subject at one time. */
export interface Case {
  /** The only clock of a policy. */
  now: Timestamp;
  /** The name of the root cluster. */
  cluster: string;
  subject: Subject;
  /**
   * Every live request of the subject: pending, approved, promoted, or of unknown state; oldest first, equal
   * ages by id.
   */
  requests: AccessRequest[];
  /** Sorted by name. */
  facts: Fact[];
}

/** Why: the rule that fired and a sentence for people. */
export interface Ground {
  /** One of the ids of `description.rules`: lower case words joined by `-`, at most 64 bytes. */
  rule: string;
  /**
   * For the requester, shown by Teleport: what is wrong and what would be right. No line breaks, no control
   * characters. The whole reason of a decision is cut at 4,096 bytes, Teleport's limit.
   */
  reason: string;
}

/** One policy's answer about a pending request. */
export type Opinion =
  /** Nothing to say. Somebody else has to approve. */
  | { tag: "abstain" }
  /** Yes, as far as this policy is concerned. Any deny, escalation or fault of another policy outweighs it. */
  | { tag: "approve"; val: Ground }
  /** No, on all of these grounds, in a fixed order. An empty list is a fault. */
  | { tag: "deny"; val: Ground[] }
  /** People have to decide. */
  | { tag: "escalate"; val: Ground };

/** A held request that must be locked now. */
export interface LockOrder {
  /** The id of an approved request of the case. */
  request: string;
  ground: Ground;
  /** When the lock may end. None, or later than the request's own access: with the request's own access. */
  until: Timestamp | null;
}

/** What an answer of this policy may bring about. The operator grants effects; an answer beyond the grant is a fault. */
export type Effect = "approve" | "deny" | "escalate" | "lock";

/** A rule that grounds may name. */
export interface Rule {
  id: string;
  summary: string;
}

/** What a policy says about itself, before it is configured. */
export interface Description {
  /** Lower case words joined by `-`, at most 64 bytes. */
  name: string;
  /** A semantic version. */
  version: string;
  summary: string;
  /** Every rule id that its grounds name. */
  rules: Rule[];
  /** Every effect that its answers may have. */
  effects: Effect[];
  /** JSON Schema (2020-12) of the settings; empty: takes no settings. */
  settingsSchema: string;
}
