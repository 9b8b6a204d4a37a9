/**
 * What a hostile token is to the tests: how it is made of the secret and of a header that is right,
 * and what must be answered.
 */

import type { KeyObject } from 'node:crypto';
import type { TokenErrorCode } from '../../src/errors.js';
import type { VerifyOptions } from '../../src/jwt/verify-options.js';
import { base64url, forge, seal } from './forge.js';

/**
 * A holder of the secret can sign anything. Each token is tried under a header without kid, and
 * under our own, which is recognised and not read.
 */
export interface Signer {
  /** The members of a header that is right, in the order in which we write them. */
  readonly base: Readonly<Record<string, unknown>>;
  /** The kid of the secret, whether the header has it or not. */
  readonly kid: string;
  readonly by: KeyObject;
}

export interface Hostile {
  readonly rfc: string;
  readonly what: string;
  readonly token: (signer: Signer) => unknown;
  readonly code: TokenErrorCode;
  /**
   * Under our own header, where that is another one: there the key and the signature are judged
   * before the form.
   */
  readonly ownCode?: TokenErrorCode | undefined;
  /**
   * From a member, where that is another one: it reads a token's form before it asks the store for
   * a secret.
   */
  readonly memberCode?: TokenErrorCode | undefined;
  /** The claim that the refusal names, where it is one. */
  readonly claim?: string;
  readonly options?: VerifyOptions;
}

/** Odd, but right. */
export interface Allowed {
  readonly rfc: string;
  readonly what: string;
  readonly token: (signer: Signer) => string;
  readonly payload: unknown;
  readonly options?: VerifyOptions;
}

export function signersOf(kid: string, by: KeyObject): readonly [name: string, isOwn: boolean, signer: Signer][] {
  const base = { alg: 'HS256', typ: 'JWT' };
  return [
    ['a header without kid', false, { base, kid, by }],
    ['our own header', true, { base: { ...base, kid }, kid, by }],
  ];
}

/** A token's parts before anybody has altered them. */
export interface Parts {
  readonly head: string;
  readonly body: string;
  readonly tail: string;
  readonly token: string;
  /** Puts the MAC that is right behind any two segments. */
  readonly seal: (head: string, body: string) => string;
}

export function partsOf({ base, by }: Signer): Parts {
  const token = forge(base, '{"sub":"ann"}', by);
  const [head, body, tail] = token.split('.') as [string, string, string];
  return { head, body, tail, token, seal: (newHead, newBody) => seal(newHead, newBody, by) };
}

/**
 * A header under a MAC that is right, so that nothing but the rule in question can refuse it. A
 * text is taken as it stands.
 */
export function header(
  rfc: string,
  what: string,
  of: (base: Signer['base'], kid: string) => unknown,
  code: TokenErrorCode,
  memberCode?: TokenErrorCode,
): Hostile {
  return {
    rfc,
    what: `a header with ${what}`,
    token: ({ base, kid, by }) => forge(of(base, kid), '{"sub":"ann"}', by),
    code,
    memberCode,
  };
}

/** A whole token made of the parts of one that is right. */
export function form(rfc: string, what: string, of: (parts: Parts) => unknown, ownCode?: TokenErrorCode): Hostile {
  return { rfc, what, token: (signer) => of(partsOf(signer)), code: 'ERR_REWT_MALFORMED', ownCode };
}

/**
 * A payload under a header and a MAC that are right, but for what `more` puts into the header;
 * undefined takes out.
 */
export function payload(rfc: string, what: string, content: string | Uint8Array, more: object = {}): Hostile {
  return {
    rfc,
    what,
    token: ({ base, by }) => forge({ ...base, ...more }, content, by),
    code: 'ERR_REWT_PAYLOAD_INVALID',
  };
}

/** A header's text with more members behind those that are right. */
export function behind(base: Signer['base'], members: string): string {
  return `${JSON.stringify(base).slice(0, -1)},${members}}`;
}

/**
 * The same bytes to a lenient decoder: the last character with one of its unused bits set. Fails
 * where it has none.
 */
export function leftOver(segment: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const altered = segment.slice(0, -1) + alphabet[alphabet.indexOf(segment.slice(-1)) ^ 1];
  if (!Buffer.from(altered, 'base64url').equals(Buffer.from(segment, 'base64url')))
    throw new Error('no bits left over');
  return altered;
}

/**
 * Header text of `base` in base64url whose length leaves `left` bytes in its last group, white
 * space making it up.
 */
export function headLeaving(left: 0 | 1 | 2, base: Signer['base']): string {
  let text = JSON.stringify(base);
  while (Buffer.byteLength(text) % 3 !== left) text += ' ';
  return base64url(text);
}

/** Bytes that are no UTF-8, as characters of Latin-1. */
export const badUtf8 = [
  ['the byte 0xFF', '\xff'],
  ['a surrogate in UTF-8', '\xed\xa0\x80'],
  ['a pair of them (CESU-8)', '\xed\xa0\xbd\xed\xb0\x8e'],
  ['an overlong form', '\xc0\xaf'],
  ['an overlong NUL', '\xc0\x80'],
  ['a character cut short', '\xe2\x82'],
  ['a code point past the last', '\xf4\x90\x80\x80'],
] as const;
