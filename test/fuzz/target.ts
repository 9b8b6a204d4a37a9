/**
 * What a target of the fuzzer is: where its inputs come from, and what has to hold for each of
 * them.
 */

import { isDeepStrictEqual } from 'node:util';
import type fc from 'fast-check';
import { isRewtError } from '../../src/errors.js';
import { BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, UNSUPPORTED } from '../../src/jwt/token.js';
import { SECRETS } from './secrets.js';
import { CANARY } from './texts.js';

export interface Target<Input> {
  /** JSON, with recipes for live values (values.ts): each can be printed and played again. */
  readonly inputs: fc.Arbitrary<Input>;
  /** Inputs that are played, each once, in place of any number of others. */
  readonly examples?: [Input][];
  /** How long an input may take at most, if it may take longer than most. */
  readonly hangMs?: number;
  /** Returns 'accepted' or the code of the refusal. Throws if a promise is broken. */
  play(input: Input): Promise<string>;
  close?(): Promise<void>;
}

/** Takes the type of the inputs from where they are made. */
export const targetOf = <Input>(target: Target<Input>): Target<Input> => target;

export function assertThat(holds: boolean, promise: string, details: () => string = () => ''): asserts holds {
  if (!holds) throw new Error([`broken: ${promise}`, details()].filter(Boolean).join(': '));
}

/** Holds all that rewt prints or throws to this: no payload and no secret may be in it. */
export function assertQuiet(words: string): void {
  const canary = [CANARY, ...SECRETS].find((secret) => words.includes(secret));
  assertThat(canary === undefined, 'a message of rewt has a payload or a secret in it', () => words);
}

const fixed = new Map<string, string>(
  [MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE].map(({ code, message }) => [code, message]),
);

/** A refusal before the MAC is known to be right has one of four sentences, and no more. */
export function assertFixed(refusal: { readonly code: string; readonly message: string }): void {
  const isFixed = refusal.message === fixed.get(refusal.code) && !('claim' in refusal);
  assertThat(isFixed, 'a refusal before the MAC is none of the four sentences', () => refusal.message);
}

/** What a call gives, or something else if it throws. */
export function tried<T, U>(call: () => T, otherwise: U): T | U {
  try {
    return call();
  } catch {
    return otherwise;
  }
}

/** Deep equality; what is too deep for it is taken to be equal. */
export const isSame = (one: unknown, other: unknown) => tried(() => isDeepStrictEqual(one, other), true);

export type Outcome<T> = { readonly value: T } | { readonly code: string };

/** What a call gives, or the code of the error that rewt throws. Any other is a fault. */
export async function outcomeOf<T>(call: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    if (!isRewtError(error)) throw error;
    if (fixed.has(error.code)) assertFixed(error);
    assertQuiet(`${error.message} ${JSON.stringify(error)} ${String(error.cause ?? '')}`);
    return { code: error.code };
  }
}
