/** The original's calling convention: a callback where one is given, else a promise. */

import { OptionError } from './errors.js';

/** As in Node: an error, or null and then the result. */
export type Callback<Result> = (error: Error | null, result?: Result) => void;

/** Tells `(options, callback)` from `(callback)` and `(options)`. @throws {OptionError} for a callback that is no function. */
export function splitArguments(rest: readonly unknown[]): { options: unknown; callback: Callback<unknown> | null } {
  const [first, second] = rest;
  if (typeof first === 'function') return { options: undefined, callback: first as Callback<unknown> };
  if (second === undefined) return { options: first, callback: null };
  if (typeof second === 'function') return { options: first, callback: second as Callback<unknown> };
  throw new OptionError('the callback must be a function: (error, result) => …', { option: 'callback' });
}

/** Gives a promise's outcome to the callback; outside the promise, so that what the callback throws is not swallowed by it. */
export function answer<T>(work: Promise<T>, callback: Callback<T> | null): Promise<T> | undefined {
  if (callback === null) return work;
  work.then(
    (result) => process.nextTick(callback, null, result),
    (error: Error) => process.nextTick(callback, error),
  );
  return undefined;
}
