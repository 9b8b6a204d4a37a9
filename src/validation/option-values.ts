/**
 * Readers for option values. Each returns a valid value, or throws an `OptionError` that names the
 * option and its rule.
 */

import { isRewtError, OptionError } from '../errors.js';
import { parseDuration } from '../time/duration.js';
import { assertKnownNames } from './option-names.js';
import { isPlainObject } from './plain-object.js';

/** The options of one function: the keys are their names, the values read them. */
export type Readers = Readonly<Record<string, (value: unknown, option: string) => unknown>>;

/** The reader of every option of an interface. */
export type OptionReaders<Options> = { readonly [Name in keyof Required<Options>]: Readers[string] };

/** Reads one option by its name. Returns `otherwise` if it is not given (absent or undefined). */
export type OptionReader<Table extends Readers> = <Name extends keyof Table & string, Default>(
  name: Name,
  otherwise: Default,
) => ReturnType<Table[Name]> | Default;

/**
 * Rejects a value that is not an object of known options, and returns its reader. Reports what the
 * caller's getters and proxies throw as a fault of the option.
 */
export function optionReader<Table extends Readers>(
  raw: unknown,
  readers: Table,
  where: string,
  foreign: Readonly<Record<string, string>> = {},
): OptionReader<Table> {
  const options = readRawOptions(raw, Object.keys(readers), where, foreign);
  return (name, otherwise) => {
    try {
      const value = Object.hasOwn(options, name) ? options[name] : undefined;
      return value === undefined ? otherwise : (readers[name]?.(value, name) as ReturnType<Table[typeof name]>);
    } catch (error) {
      throw asOptionError(error, name, { option: name });
    }
  };
}

/** Options in which the named ones have a value if they are present. */
export type Given<Options, Name extends keyof Options> = Omit<Options, Name> & {
  [One in Name]?: Exclude<Options[One], undefined>;
};

/** The expectations of a token that are never silently dropped if their value is missing. */
const givenNames = ['audience', 'issuer'] as const;
export type GivenName = (typeof givenNames)[number];

/**
 * Rejects options of which one of `names` is present but undefined, by default an audience or
 * issuer. The cause is most often an unset environment variable. @throws {OptionError}
 */
export function assertGiven(options: object, names: readonly string[] = givenNames): void {
  for (const name of names) {
    if (!Object.hasOwn(options, name) || memberOf(options, name) !== undefined) continue;
    throw new OptionError(
      `${name}: is undefined. Leave it out if none is meant; if it is read from the environment, the ` +
        'variable is not set',
      { option: name },
    );
  }
}

/**
 * Copies options that hold for many tokens: a later change to the caller's object, or to a list in
 * it, must count for nothing. Returns undefined for it, because a subclass may have defaults.
 *
 * @throws {OptionError} as `assertGiven`
 */
export function copyGiven<Options extends object>(options: Options | undefined): Options | undefined {
  if (options === undefined) return undefined;
  const given = Object(options);
  const copies = Object.getOwnPropertyNames(given).map((name) => [name, copyList(memberOf(given, name))]);
  const copy = Object.fromEntries(copies);
  assertGiven(copy);
  return Object.freeze(copy);
}

/** Copies a list; returns any other value as it is. */
export function copyList(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(Array.from(value)) : value;
}

function memberOf(options: object, name: string): unknown {
  try {
    return Reflect.get(options, name);
  } catch (error) {
    throw asOptionError(error, name, { option: name });
  }
}

function readRawOptions(
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

/** Returns an error of rewt unchanged. Replaces any other, because its message is untrusted. */
export function asOptionError(error: unknown, what: string, details: { option?: string } = {}): unknown {
  if (isRewtError(error)) return error;
  return new OptionError(`${what}: cannot be read, because a getter or a proxy in it throws`, details);
}

/**
 * Reads a string. An empty one is most often an unset environment variable, for which jsonwebtoken
 * skips the check.
 */
export function readText(value: unknown, option: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new OptionError(`${option}: must be a string that is not empty`, { option });
}

/** Reads one string or a list of strings, as a list. */
export function readTexts(value: unknown, option: string): readonly string[] {
  return readList(value, option, readText);
}

/**
 * Reads one value or a list of values, as a list. Rejects an empty list, which would match no
 * token.
 */
export function readList<T>(value: unknown, option: string, read: (value: unknown, option: string) => T): readonly T[] {
  // A copy: holes are values too, and a list may override map().
  const values: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  if (values.length === 0)
    throw new OptionError(`${option}: the list is empty. Name a value, or leave it out`, { option });
  return Object.freeze(values.map((one) => read(one, option)));
}

/** Copies a list. */
export function readArray(value: unknown, option: string): readonly unknown[] {
  if (Array.isArray(value)) return Array.from(value);
  throw new OptionError(`${option}: must be a list`, { option });
}

/** Reads a whole number, 0 or more. */
export function readCount(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new OptionError(`${option}: must be a whole number, 0 or more`, { option });
}

export function readFlag(value: unknown, option: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new OptionError(`${option}: must be true or false`, { option });
}

/**
 * Accepts `algorithm` and `algorithms` for programs written for jsonwebtoken. HS256 is the only
 * choice.
 */
export function readHs256(value: unknown, option: string): 'HS256' {
  if (value === 'HS256') return value;
  throw new OptionError(`${option}: rewt signs and verifies with HS256 only`, { option });
}

/** Reads a clock, for stores whose clock a test advances. */
export function readClock(value: unknown, option: string): () => number {
  if (typeof value === 'function') return value as () => number;
  throw new OptionError(`${option}: must be a function that gives milliseconds since the epoch`, { option });
}

export function readAlgorithms(value: unknown, option: string): void {
  if (!Array.isArray(value)) throw new OptionError(`${option}: must be ['HS256']`, { option });
  readList(value, option, readHs256);
}

/** A century. A longer duration was meant in another unit, and would exceed the range of a date. */
const MAX_SECONDS = 3_155_760_000;

export function readSpan(value: unknown, option: string): number {
  const seconds = parseDuration(value, option);
  if (seconds > MAX_SECONDS) throw new OptionError(`${option}: longer than a century; numbers are seconds`, { option });
  return seconds;
}

export function readPositive(value: unknown, option: string): number {
  const seconds = readSpan(value, option);
  if (seconds < 0.001) throw new OptionError(`${option}: must be at least a millisecond`, { option });
  return seconds;
}

/** Reads seconds, at most a day: a timer cannot run for much longer. @internal */
export function readTimeout(value: unknown, option: string): number {
  const seconds = readPositive(value, option);
  if (seconds > 86_400) throw new OptionError(`${option}: longer than a day; numbers are seconds`, { option });
  return seconds;
}
