// Checks settings against the policy's own JSON Schema, and fills in its defaults.
// It must never guess: a key that cannot be understood is a fault, and so is a schema that says what is not checked here.

/** What is understood of JSON Schema. */
const CHECKED = ["type", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum", "minLength", "minItems"];
/** What needs no check. */
const TOLD = ["$schema", "title", "description", "default", "examples"];

/**
 * The settings with defaults, and all that is wrong with them.
 * @param {object | undefined} schema @param {string} text
 * @returns {{ settings: any, faults: string[] }}
 */
export function parse(schema, text) {
  let settings;
  try {
    settings = JSON.parse(text);
  } catch (error) {
    return { settings: {}, faults: [`the settings are not JSON: ${error instanceof Error ? error.message : error}`] };
  }
  if (kindOf(settings) !== "object") {
    return { settings: {}, faults: ["the settings are not a JSON object: write them as a table"] };
  }
  /** @type {string[]} */
  const faults = [];
  const checked = check({ type: "object", additionalProperties: false, ...schema }, settings, "", faults);
  return { settings: checked, faults };
}

/**
 * Throws what is wrong with a schema, so that the author's first test finds it.
 * @param {any} schema
 */
export function checkSchema(schema) {
  for (const key of Object.keys(schema)) {
    if (!CHECKED.includes(key) && !TOLD.includes(key)) {
      throw new Error(`the schema of the settings says \`${key}\`, which is not checked: say it in \`check\``);
    }
  }
  Object.values(schema.properties ?? {}).forEach(checkSchema);
  if (schema.items !== undefined) {
    checkSchema(schema.items);
  }
}

/** @param {any} schema @param {any} value @param {string} path @param {string[]} faults @returns {any} */
function check(schema, value, path, faults) {
  const fault = faultOf(schema, value);
  if (fault !== null) {
    faults.push(`\`${path}\`: ${fault}`);
    return value;
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    return value.map((item, index) => check(schema.items, item, `${path}.${index}`, faults));
  }
  return kindOf(value) === "object" ? checkTable(schema, value, path, faults) : value;
}

/** @param {any} schema @param {Record<string, any>} table @param {string} path @param {string[]} faults */
function checkTable(schema, table, path, faults) {
  const properties = schema.properties ?? {};
  const under = (/** @type {string} */ key) => (path === "" ? key : `${path}.${key}`);
  /** @type {Record<string, any>} */
  const checked = Object.create(null);
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(table, key)) {
      faults.push(`\`${under(key)}\` is missing`);
    }
  }
  for (const [key, value] of Object.entries(table)) {
    if (Object.hasOwn(properties, key)) {
      checked[key] = check(properties[key], value, under(key), faults);
    } else if (schema.additionalProperties === false) {
      faults.push(`\`${under(key)}\`: unknown key: ${expected(Object.keys(properties))}`);
    } else {
      checked[key] = value;
    }
  }
  for (const [key, { default: byDefault }] of Object.entries(properties)) {
    if (byDefault !== undefined && !Object.hasOwn(table, key)) {
      checked[key] = byDefault;
    }
  }
  return checked;
}

/** @param {any} schema @param {any} value @returns {string | null} */
function faultOf(schema, value) {
  const kind = kindOf(value);
  const fits = schema.type === undefined || schema.type === kind || (schema.type === "number" && kind === "integer");
  if (!fits) {
    return `invalid type: ${kind}, expected ${schema.type}`;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return `unknown value ${JSON.stringify(value)}, ${expected(schema.enum)}`;
  }
  if (schema.minimum !== undefined && value < schema.minimum) {
    return `${value} is too small: it must be at least ${schema.minimum}`;
  }
  if (schema.maximum !== undefined && value > schema.maximum) {
    return `${value} is too large: it must be at most ${schema.maximum}`;
  }
  const least = schema.minLength ?? schema.minItems ?? 0;
  return value?.length < least ? `it is too short: it must have at least ${least} entries or characters` : null;
}

/** @param {string[]} words */
function expected(words) {
  return words.length === 0 ? "there are none" : `expected ${words.map((word) => `\`${word}\``).join(", ")}`;
}

/** @param {any} value */
function kindOf(value) {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "array";
  }
  return Number.isInteger(value) ? "integer" : typeof value;
}
