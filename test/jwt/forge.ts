/**
 * Makes tokens that no honest signer makes: any header text, any payload bytes, under a MAC that is
 * right.
 */

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isRefusal } from '../../src/jwt/authenticate.js';
import { createMac, type Mac, macMatches } from '../../src/jwt/mac.js';
import { type ParsedToken, readToken } from '../../src/jwt/token.js';

/** As the option `maxTokenBytes` has it. */
export const MAX_BYTES = 8192;

export const secretText = 'a-secret-for-tests-that-has-more-than-32-bytes';
export const key = createSecretKey(Buffer.from(secretText));
export const otherKey = createSecretKey(Buffer.from('another-secret-for-tests-also-longer-than-32-bytes'));

export function base64url(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url');
}

/** Puts the right MAC behind any two segments. */
export function seal(headerSegment: string, payloadSegment: string, by: KeyObject = key): string {
  const signedPart = `${headerSegment}.${payloadSegment}`;
  return `${signedPart}.${createHmac('sha256', by).update(signedPart).digest('base64url')}`;
}

/** A header that is not a string is written as JSON; one that is, or bytes, as it stands. */
export function forge(header: unknown, payload: string | Uint8Array = '{}', by: KeyObject = key): string {
  const text = typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header);
  return seal(base64url(text), base64url(payload), by);
}

export function parsed(token: string, maxBytes = MAX_BYTES): ParsedToken {
  const answer = readToken(token, maxBytes);
  if (isRefusal(answer)) throw new Error(`refused: ${answer.code}`);
  return answer;
}

/** What a function throws, or a failure where it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** The code's own MAC; `seal` has Node's. */
export function macOf(by: KeyObject): Mac {
  return createMac(by.export());
}

export function isSignedBy({ signedPart, signature }: ParsedToken, by: KeyObject): boolean {
  return macMatches(macOf(by), signedPart, signature);
}
