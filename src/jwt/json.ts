/** JSON objects: what is one, reading one strictly, and making sure that what was checked is what gets written. */

/** An object made by `JSON.parse`, so every member is its own data property, one named `__proto__` too. */
export type JsonObject = Record<string, unknown>;

/** An object as a literal or `JSON.parse` makes it, in whichever realm (a test runner's VM context has its own `Object.prototype`). */
export function isPlainObject(value: unknown): value is Readonly<JsonObject> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The JSON object that a text is, or null where it is anything else. Of duplicate members the last one counts (RFC 7519 §4 allows it). */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** What JSON makes of an object, getters and `toJSON` called once; null where it cannot be written (a cycle, a BigInt) or becomes something else. */
export function jsonCopy(value: object): JsonObject | null {
  try {
    return parseObject(JSON.stringify(value));
  } catch {
    return null;
  }
}

/** How many members a JSON object's text has at its top level, duplicates included: the colons there, outside of strings. `text` is known to be JSON. */
export function countMembers(text: string): number {
  let members = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted) at += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && depth === 1) members++;
  }
  return members;
}

/** Whether a number in a JSON text is another one once JavaScript has read it: too large, too small, or with more digits than it keeps. `text` is known to be JSON. */
export function hasRoundedNumber(text: string): boolean {
  for (const [item] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
    if (!item.startsWith('"') && decimal(item) !== decimal(String(Number(item)))) return true;
  }
  return false;
}

/** One spelling for each number: its digits without zeros at the ends, and a power of ten. */
function decimal(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  if (end === 0) return whole === '' ? number : '0';
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
