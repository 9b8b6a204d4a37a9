/** Reads the values that only a Rewt's own options have: spans of time, sizes, a name, and where the keyring lives. */

import { OptionError } from './errors.js';
import { parseDuration } from './jwt/duration.js';
import { isReason } from './keyring/changes.js';
import type { Replaceable } from './keyring/exchange.js';
import { asText } from './option-values.js';
import type { Store } from './stores/store.js';

/** A century: whatever is longer was meant in another unit, and would leave no room in a date. */
const MOST_SECONDS = 3_155_760_000;

const LEAST_TOKEN_BYTES = 512;
const MOST_TOKEN_BYTES = 1_048_576;
const MOST_TOKEN_CACHE = 100_000;
const MOST_NAME_CHARACTERS = 64;

export function asSpan(value: unknown, option: string): number {
  const seconds = parseDuration(value, option);
  if (seconds > MOST_SECONDS)
    throw new OptionError(`${option}: longer than a century; numbers are seconds`, { option });
  return seconds;
}

export function asPositive(value: unknown, option: string): number {
  const seconds = asSpan(value, option);
  if (seconds < 0.001) throw new OptionError(`${option}: must be at least a millisecond`, { option });
  return seconds;
}

/** Seconds. Longer, and a timer would not take it; nobody waits for a day. @internal */
export function asTimeout(value: unknown, option: string): number {
  const seconds = asPositive(value, option);
  if (seconds > 86_400) throw new OptionError(`${option}: longer than a day; numbers are seconds`, { option });
  return seconds;
}

export function asTokenBytes(value: unknown, option: string): number {
  const wanted = `a number of bytes from ${LEAST_TOKEN_BYTES} to ${MOST_TOKEN_BYTES}`;
  return asWithin(value, option, LEAST_TOKEN_BYTES, MOST_TOKEN_BYTES, wanted);
}

export function asTokenCache(value: unknown, option: string): number {
  return asWithin(value, option, 0, MOST_TOKEN_CACHE, `a number of tokens from 0 (none) to ${MOST_TOKEN_CACHE}`);
}

function asWithin(value: unknown, option: string, least: number, most: number, wanted: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  throw new OptionError(`${option}: must be ${wanted}`, { option });
}

/** Long enough for the name of a pod, which others have to read. */
export function asMemberName(value: unknown, option: string): string {
  const name = asText(value, option);
  if (name.length <= MOST_NAME_CHARACTERS && !/\p{C}/u.test(name)) return name;
  throw new OptionError(
    `${option}: must have at most ${MOST_NAME_CHARACTERS} characters, none of them a control character`,
    {
      option,
    },
  );
}

/** Kept in the ring, and shown to whoever calls `status()`. */
export function asReason(value: unknown, option: string): string {
  if (isReason(value)) return value;
  throw new OptionError(`${option}: must be a text of 1 to 200 characters, none of them a control character`, {
    option,
  });
}

export function asReplaceable(value: unknown, option: string): Replaceable {
  if (value === 'unreadable' || value === 'newer') return value;
  throw new OptionError(`${option}: must be 'unreadable' or 'newer', as the code of the error says`, { option });
}

export function asRedisConn(value: unknown, option: string): object | string {
  if ((typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null)) return value;
  throw new OptionError(`${option}: must be a Redis client, or a URL such as redis://localhost:6379`, { option });
}

export function asStore(value: unknown, option: string): Store {
  if (isStore(value)) return value;
  throw new OptionError(`${option}: must be a store, such as fileStore({ path }) or memoryStore()`, { option });
}

function isStore(value: unknown): value is Store {
  if (typeof value !== 'object' || value === null) return false;
  return ['read', 'swap', 'close'].every((verb) => typeof Reflect.get(value, verb) === 'function');
}
