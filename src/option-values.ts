/** Reads the values of options: each is what it must be, or an `OptionError` says which option and what is wanted. */

import { isRewtError, OptionError } from './errors.js';
import { isPlainObject } from './jwt/json.js';
import { assertKnownNames } from './option-names.js';

/** Reads one option by its name: what `read` makes of the value, or `otherwise` where it is not given (absent or undefined). */
export type OptionReader = <T>(name: string, read: (value: unknown, option: string) => T, otherwise: T) => T;

/** Refuses what is not an object of known options, and gives what reads them. What getters and proxies of the caller's throw meanwhile is told as the option's fault. */
export function optionReader(
  raw: unknown,
  known: readonly string[],
  where: string,
  foreign: Readonly<Record<string, string>> = {},
): OptionReader {
  const options = asOptions(raw, known, where, foreign);
  return (name, read, otherwise) => {
    try {
      const value = Object.hasOwn(options, name) ? options[name] : undefined;
      return value === undefined ? otherwise : read(value, name);
    } catch (error) {
      throw asOptionError(error, name, { option: name });
    }
  };
}

/** Options in which these, if they are named, have a value. */
export type Given<Options, Name extends keyof Options> = Omit<Options, Name> & {
  [One in Name]?: Exclude<Options[One], undefined>;
};

/** The expectations that are never dropped in silence because the value that was meant is missing. */
export const givenNames = ['audience', 'issuer'] as const;
export type GivenName = (typeof givenNames)[number];

/** Refuses options that hold for many tokens and name an audience or issuer that is undefined: most often an environment variable that is not set. @throws {OptionError} */
export function assertGiven(options: object): void {
  for (const name of givenNames) {
    if (!Object.hasOwn(options, name) || memberOf(options, name) !== undefined) continue;
    throw new OptionError(
      `${name}: is undefined. Leave it out if none is meant; if it is read from the environment, the variable is not set`,
      { option: name },
    );
  }
}

function memberOf(options: object, name: string): unknown {
  try {
    return Reflect.get(options, name);
  } catch (error) {
    throw asOptionError(error, name, { option: name });
  }
}

function asOptions(
  raw: unknown,
  known: readonly string[],
  where: string,
  foreign: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  try {
    if (!isPlainObject(raw)) throw new OptionError(`${where}: must be a plain object`);
    assertKnownNames(raw, known, where, foreign);
    return raw;
  } catch (error) {
    throw asOptionError(error, where);
  }
}

/** An error of ours as it is. What is not ours may say anything, so it is not repeated. */
export function asOptionError(error: unknown, what: string, details: { option?: string } = {}): unknown {
  if (isRewtError(error)) return error;
  return new OptionError(`${what}: cannot be read, since a getter or a proxy in it throws`, details);
}

/** An empty string is most often an environment variable that is not set; jsonwebtoken then skips the check. */
export function asText(value: unknown, option: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError(`${option}: must be a string that is not empty`, { option });
}

/** One string or a list of them, as a list. */
export function asTexts(value: unknown, option: string): readonly string[] {
  return asList(value, option, asText);
}

/** One value or a list of them, as a list. An empty list would match no token. */
export function asList<T>(value: unknown, option: string, read: (value: unknown, option: string) => T): readonly T[] {
  // A copy: holes are values too, and a list may have a map() of its own.
  const values: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  if (values.length === 0) throw new OptionError(`${option}: the list is empty`, { option });
  return Object.freeze(values.map((one) => read(one, option)));
}

/** Any list, as a copy. */
export function asArray(value: unknown, option: string): readonly unknown[] {
  if (Array.isArray(value)) return Array.from(value);
  throw new OptionError(`${option}: must be a list`, { option });
}

/** How many: a whole number, 0 or more. */
export function asCount(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new OptionError(`${option}: must be a whole number, 0 or more`, { option });
}

export function asFlag(value: unknown, option: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new OptionError(`${option}: must be true or false`, { option });
}

/** `algorithm` and `algorithms` are accepted for the sake of programs written for jsonwebtoken; there is nothing to choose. */
export function asHs256(value: unknown, option: string): 'HS256' {
  if (value === 'HS256') return value;
  throw new OptionError(`${option}: rewt signs and verifies with HS256 only`, { option });
}

/** What tells the time: for stores whose clock a test turns. */
export function asClock(value: unknown, option: string): () => number {
  if (typeof value === 'function') return value as () => number;
  throw new OptionError(`${option}: must be a function that gives milliseconds since the epoch`, { option });
}

export function asAlgorithms(value: unknown, option: string): void {
  if (!Array.isArray(value)) throw new OptionError(`${option}: must be ['HS256']`, { option });
  asList(value, option, asHs256);
}
