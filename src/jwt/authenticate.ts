/**
 * Checks if a token was signed with one of a keyring's secrets, and parses it then.
 *
 * Our own tokens have a header that we wrote ourselves, so it is recognised and not read. All
 * others, and whatever looks odd, go through the strict general form.
 */

import type { TokenRefusal } from '../errors.js';
import { decodeText } from './encoding.js';
import { type JsonObject, parseObject } from './json.js';
import { MAC_CHARACTERS, type Mac, macMatches } from './mac.js';
import { BAD_SIGNATURE, decodePayload, encodeHeader, MALFORMED, readToken, UNKNOWN_KEY } from './token.js';

/** A secret that signs and verifies tokens, prepared once. */
export interface TokenKey {
  readonly kid: string;
  /** The header segments of the tokens that are signed with it: of claims, and of texts. */
  readonly headers: { readonly claims: string; readonly text: string };
  readonly mac: Mac;
}

/** One that verifies for a time. */
export interface VerifyingKey extends TokenKey {
  /** Milliseconds of the store's clock. */
  readonly verifiesUntilMs: number;
}

/** The contents of a token whose MAC was right. */
export interface Authentic {
  readonly key: VerifyingKey;
  /** Whether it has a kid: an original rewt writes none. */
  readonly hasKid: boolean;
  /** Null if the payload is no JSON object. */
  readonly claims: JsonObject | null;
  /** The payload as it was signed. */
  readonly text: string;
}

/** Refuses a token without a kid. A key that these keys lack may fit it. */
export const NO_KEY_FITS: TokenRefusal = Object.freeze({ ...BAD_SIGNATURE, mayLackKey: true });

/**
 * How our own headers begin: the 33 bytes up to the kid, so that no character stands for part of it
 * as well. To recognise a header takes 0.05 µs, to read it strictly 2 µs.
 */
const OWN_BEGINNING = encodeHeader('').slice(0, 44);
/** How long they are: all kids of a keyring have 11 characters (protocol.md, "Terms"). */
const OWN_LENGTH = encodeHeader('kid of ours').length;
const DOT = 46;

/** Checks if a result of this folder is a refusal. */
export function isRefusal(result: object | null): result is TokenRefusal {
  return result !== null && Object.hasOwn(result, 'code');
}

export function createTokenKey(kid: string, mac: Mac): TokenKey {
  return { kid, headers: { claims: encodeHeader(kid), text: encodeHeader(kid, 'text') }, mac };
}

/**
 * The keys to try for a token: with a kid that key and no other, without one each that still
 * verifies (protocol.md, "Verifying").
 */
export function verifyingKeys<Key extends VerifyingKey>(
  keys: readonly Key[],
  kid: string | undefined,
  nowMs: number,
): readonly Key[] {
  return keys.filter((key) => (kid === undefined || key.kid === kid) && nowMs < key.verifiesUntilMs);
}

/**
 * Checks a token's signature. Takes linear time for any input, and never throws.
 *
 * Returns the first fault. For a token with our own header, the order is: key, signature, form.
 *
 * @param keys in the order in which a token without kid is tried.
 * @param nowMs the store's clock.
 */
export function authenticate(
  token: unknown,
  keys: readonly VerifyingKey[],
  nowMs: number,
  maxBytes: number,
): Authentic | TokenRefusal {
  if (typeof token !== 'string' || token.length > maxBytes) return MALFORMED;
  // To slice and compare takes a quarter of the time of startsWith().
  const header = token.slice(0, OWN_LENGTH);
  for (const key of keys) {
    if (nowMs < key.verifiesUntilMs && header === key.headers.claims) {
      return authenticateOwn(token, key) ?? authenticateForeign(token, keys, nowMs, maxBytes);
    }
  }
  // Ours in form, and by a kid that no key has: a flood of these costs a look each.
  if (header.startsWith(OWN_BEGINNING) && token.charCodeAt(OWN_LENGTH) === DOT) return UNKNOWN_KEY;
  return authenticateForeign(token, keys, nowMs, maxBytes);
}

/** Null if the general form has to find what is wrong. */
function authenticateOwn(token: string, key: VerifyingKey): Authentic | TokenRefusal | null {
  const signedEnd = token.length - 1 - MAC_CHARACTERS;
  if (token.charCodeAt(OWN_LENGTH) !== DOT || token.indexOf('.', OWN_LENGTH + 1) !== signedEnd) return null;
  if (!macMatches(key.mac, token.slice(0, signedEnd), token.slice(signedEnd + 1))) return BAD_SIGNATURE;
  // Any character beyond ASCII takes more than a byte.
  if (Buffer.byteLength(token) !== token.length) return null;
  const text = decodeText(token.slice(OWN_LENGTH + 1, signedEnd));
  const claims = text && parseObject(text);
  return text && claims ? { key, hasKid: true, claims, text } : null;
}

function authenticateForeign(
  token: string,
  keys: readonly VerifyingKey[],
  nowMs: number,
  maxBytes: number,
): Authentic | TokenRefusal {
  const parsed = readToken(token, maxBytes);
  if (isRefusal(parsed)) return parsed;
  const { kid, signedPart, signature } = parsed;
  const fitting = verifyingKeys(keys, kid, nowMs);
  const key = fitting.find(({ mac }) => macMatches(mac, signedPart, signature));
  if (key !== undefined) {
    const payload = decodePayload(parsed);
    return isRefusal(payload) ? payload : { key, hasKid: kid !== undefined, ...payload };
  }
  if (kid === undefined) return NO_KEY_FITS;
  // A kid stands for one secret and no other: no newer copy could change this.
  return fitting.length > 0 ? BAD_SIGNATURE : UNKNOWN_KEY;
}
