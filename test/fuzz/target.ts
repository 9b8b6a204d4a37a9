/** What a target of the fuzzer is: where its inputs come from, and what has to hold for each of them. */

import { isDeepStrictEqual } from 'node:util';
import type fc from 'fast-check';
import { isRewtError, type TokenErrorCode } from '../../src/errors.js';
import { BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, UNSUPPORTED } from '../../src/jwt/token.js';
import { SECRETS } from './secrets.js';
import { CANARY } from './texts.js';

/** Inputs are JSON, recipes for live values where these are none, so that each can be printed, mutated, shrunk and played again. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface Target<Input, Live = Input> {
  /** Inputs from nothing. */
  readonly grammar: fc.Arbitrary<Input>;
  /** Makes the live input. May throw: a mutated recipe need not be one. */
  prepare(input: Input): Live;
  /** Plays it and says what came of it: 'accepted', or the code of the refusal. @throws Finding, or whatever the code under test throws. */
  play(live: Live): Promise<string> | string;
  close?(): Promise<void>;
}

/** As the runner sees all of them. */
export type AnyTarget = Target<Json, unknown>;

/** A promise that was not kept. */
export class Finding extends Error {
  /** The same for the same fault, so that a smaller input can be known to show it too. */
  readonly kind: string;

  constructor(kind: string, details = '') {
    super(details === '' ? kind : `${kind}: ${details}`);
    this.kind = kind;
  }
}

export function assertThat(holds: boolean, promise: string, details: () => string = () => ''): asserts holds {
  if (!holds) throw new Finding(`broken: ${promise}`, details());
}

/** Everything that rewt says, in errors and elsewhere, goes through here: nothing of a payload and no secret may be in it. */
export function assertQuiet(words: string): void {
  const told = [CANARY, ...SECRETS].find((canary) => words.includes(canary));
  assertThat(told === undefined, 'what rewt says has a payload or a secret in it', () => words);
}

/** The code of an error that rewt made on purpose. Any other one is a finding. */
export function codeOf(error: unknown): string {
  if (!isRewtError(error)) throw asFinding(error);
  if (fixed.has(error.code as TokenErrorCode)) assertFixed(error);
  assertQuiet(`${error.message} ${JSON.stringify(error)} ${String(error.cause ?? '')}`);
  return error.code;
}

export function asFinding(error: unknown): Finding {
  if (error instanceof Finding) return error;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const found = new Finding(`threw ${error instanceof Error ? error.constructor.name : typeof error}`, stack);
  return found;
}

const fixed = new Map([MALFORMED, UNSUPPORTED, UNKNOWN_KEY, BAD_SIGNATURE].map(({ code, message }) => [code, message]));

/** What is said before the MAC is known to be right: one of four sentences, and nothing beside it. */
export function assertFixed(refusal: { readonly code: string; readonly message: string }): void {
  const isFixed = refusal.message === fixed.get(refusal.code as TokenErrorCode) && !('claim' in refusal);
  assertThat(isFixed, 'a refusal before the MAC is none of the four sentences', () => refusal.message);
}

/** Deep equality; what is too deep for it is taken to be equal. */
export function isSame(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(one, other);
  } catch (error) {
    if (error instanceof RangeError) return true;
    throw error;
  }
}

export type Outcome<T> = { readonly value: T } | { readonly code: string };

/** What a call gives, or the code of what it throws. */
export async function outcomeOf<T>(call: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    return { code: codeOf(error) };
  }
}
