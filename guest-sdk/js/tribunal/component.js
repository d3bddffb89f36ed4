// What the component exports: the contract's four functions, made of the policy of this project.
// It must never decide anything. A call outside of the contract throws, which the host takes for a fault.

// @ts-expect-error: the host brings it
import host from "tribunal:policy/log@0.1.0";
import policy from "../policy.js";
import { adapt } from "./adapt.js";
import { logTo } from "./index.js";

logTo((level, message) => host.write(level, message));

export const { describe, configure, review, enforce } = adapt(policy);
