/**
 * Says whether a token was signed with one of a keyring's secrets, and what it then says.
 *
 * Our own tokens have a header that we wrote ourselves, so it is recognised and not read. All others, and whatever looks odd, go through the strict general form.
 */

import type { TokenRefusal } from '../errors.js';
import { decodeText } from './encoding.js';
import { type JsonObject, parseObject } from './json.js';
import { MAC_CHARACTERS, type Mac, macMatches } from './mac.js';
import { BAD_SIGNATURE, decodePayload, encodeHeader, isRefusal, MALFORMED, readToken, UNKNOWN_KEY } from './token.js';

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

/** What a token says whose MAC was right. */
export interface Authentic {
  readonly key: VerifyingKey;
  /** Null where the payload is no JSON object. */
  readonly claims: JsonObject | null;
  /** The payload as it was signed. */
  readonly text: string;
}

/** `BAD_SIGNATURE` in another object: a token without a kid, which a secret may fit that these keys do not have. */
export const NO_KEY_FITS: TokenRefusal = Object.freeze({ ...BAD_SIGNATURE });

/** How our own headers begin: the 33 bytes up to the kid, so that no character stands for part of it as well. To recognise a header takes 0.05 µs, to read it strictly 2 µs. */
const OWN_BEGINNING = encodeHeader('').slice(0, 44);
/** How long they are: all kids of a keyring have 11 characters (protocol.md, "Words"). */
const OWN_LENGTH = encodeHeader('kid of ours').length;
const DOT = 46;

export function createTokenKey(kid: string, mac: Mac): TokenKey {
  return { kid, headers: { claims: encodeHeader(kid), text: encodeHeader(kid, 'text') }, mac };
}

/** The keys to try for a token: with a kid that key and no other, without one each that still verifies (protocol.md, "Verifying"). */
export function verifyingKeys<Key extends VerifyingKey>(
  keys: readonly Key[],
  kid: string | undefined,
  nowMs: number,
): readonly Key[] {
  return keys.filter((key) => (kid === undefined || key.kid === kid) && nowMs < key.verifiesUntilMs);
}

/** Whether a newer copy of the keyring could have a key for the token that was refused so. */
export function mayLackKey(refusal: TokenRefusal): boolean {
  return refusal === UNKNOWN_KEY || refusal === NO_KEY_FITS;
}

/**
 * The verdict on a token's signature. Takes linear time whatever it is given, and never throws.
 *
 * Of several faults it tells the first that it finds; for a token under our own header that is the key, then the signature, then the form.
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
  if (!token.startsWith(OWN_BEGINNING)) return authenticateForeign(token, keys, nowMs, maxBytes);
  for (const key of keys) {
    if (nowMs < key.verifiesUntilMs && token.startsWith(key.headers.claims)) {
      return authenticateOwn(token, key) ?? authenticateForeign(token, keys, nowMs, maxBytes);
    }
  }
  // Ours in form, and by a kid that no key has: a flood of these costs a look each.
  if (token.charCodeAt(OWN_LENGTH) === DOT) return UNKNOWN_KEY;
  return authenticateForeign(token, keys, nowMs, maxBytes);
}

/** Null where the general form has to say what is wrong. */
function authenticateOwn(token: string, key: VerifyingKey): Authentic | TokenRefusal | null {
  const signedEnd = token.length - 1 - MAC_CHARACTERS;
  if (token.charCodeAt(OWN_LENGTH) !== DOT || token.indexOf('.', OWN_LENGTH + 1) !== signedEnd) return null;
  if (!macMatches(key.mac, token.slice(0, signedEnd), token.slice(signedEnd + 1))) return BAD_SIGNATURE;
  const text = decodeText(token.slice(OWN_LENGTH + 1, signedEnd));
  const claims = text && parseObject(text);
  return text && claims ? { key, claims, text } : null;
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
    return isRefusal(payload) ? payload : { key, ...payload };
  }
  if (kid === undefined) return NO_KEY_FITS;
  // A kid stands for one secret and no other: no newer copy could change this.
  return fitting.length > 0 ? BAD_SIGNATURE : UNKNOWN_KEY;
}
