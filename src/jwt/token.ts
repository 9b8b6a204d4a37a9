/**
 * The general form of a token: compact JWS (RFC 7515) between strings and bytes, strict, and in an
 * order that parses nothing of the payload before the MAC matched.
 *
 * A fault of the token is returned as a refusal, never thrown. Until the signature is known to be
 * good, a refusal has one of four fixed messages.
 */

import { OptionError, type TokenRefusal } from '../errors.js';
import { decodeBase64url, decodeUtf8, encodeText } from './encoding.js';
import { countMembers, type JsonObject, parseObject } from './json.js';
import { MAC_BYTES, MAC_CHARACTERS, type Mac } from './mac.js';

export const MALFORMED: TokenRefusal = Object.freeze({
  code: 'ERR_REWT_MALFORMED',
  message:
    'jwt malformed: it must be a string of three dot-separated parts in strict base64url, the ' +
    'first one a JSON object, and no longer than maxTokenBytes',
});
export const UNSUPPORTED: TokenRefusal = Object.freeze({
  code: 'ERR_REWT_UNSUPPORTED',
  message: 'invalid algorithm: only HS256 is supported, and no header that changes the rules ("crit", "b64")',
});
export const UNKNOWN_KEY: TokenRefusal = Object.freeze({
  code: 'ERR_REWT_UNKNOWN_KEY',
  message: 'unknown key: the secret that signed this token was revoked, has retired, or belongs to another namespace',
  mayLackKey: true,
});
export const BAD_SIGNATURE: TokenRefusal = Object.freeze({
  code: 'ERR_REWT_BAD_SIGNATURE',
  message: 'invalid signature: the token was altered, or signed with another secret',
});

/**
 * A token whose form and header are right; nothing is known about its signature, and its payload
 * has not been looked into.
 */
export interface ParsedToken {
  readonly header: Readonly<JsonObject>;
  readonly kid: string | undefined;
  /** Header and payload as they were signed: ASCII. */
  readonly signedPart: string;
  readonly payload: Buffer;
  /** As it stands in the token: the only base64url of 32 bytes. */
  readonly signature: string;
}

/** What an authentic payload is. */
export interface DecodedPayload {
  /** Null if it is no JSON object. */
  readonly claims: JsonObject | null;
  /** As it was signed. */
  readonly text: string;
}

/**
 * The header segment of our own tokens: `{"alg":"HS256","typ":"JWT","kid":…}` in this order,
 * without `typ` for a text payload (RFC 7519 §5.1).
 *
 * @param extra members of the user's `header` option, as `compileSignOptions` has let them through:
 * its `typ` replaces ours.
 */
export function encodeHeader(
  kid: string,
  payloadKind: 'claims' | 'text' = 'claims',
  extra: Readonly<JsonObject> = {},
): string {
  const typ = payloadKind === 'claims' ? { typ: 'JWT' } : {};
  return Buffer.from(JSON.stringify({ alg: 'HS256', ...typ, kid, ...extra })).toString('base64url');
}

/**
 * Signs (RFC 7515 §5.1).
 *
 * @param maxBytes the longest token that verifiers take.
 * @throws {OptionError} `ERR_REWT_PAYLOAD` if the token would be longer.
 */
export function signToken(headerSegment: string, payload: string, mac: Mac, maxBytes: number): string {
  const signedPart = `${headerSegment}.${encodeText(payload)}`;
  const bytes = signedPart.length + 1 + MAC_CHARACTERS;
  if (bytes > maxBytes) {
    throw new OptionError(
      `the token would have ${bytes} bytes and maxTokenBytes allows ${maxBytes}: put less into it, ` +
        'for instance an identifier to look the rest up by',
      { code: 'ERR_REWT_PAYLOAD' },
    );
  }
  return `${signedPart}.${mac(signedPart)}`;
}

/**
 * Reads form and header (RFC 7515 §5.2 steps 1-6). Takes time and memory in proportion to
 * `maxBytes` at most, whatever it is given.
 */
export function readToken(token: unknown, maxBytes: number): ParsedToken | TokenRefusal {
  if (typeof token !== 'string' || token.length > maxBytes) return MALFORMED;
  const firstDot = token.indexOf('.');
  const lastDot = token.indexOf('.', firstDot + 1);
  if (firstDot === -1 || lastDot === -1 || token.includes('.', lastDot + 1)) return MALFORMED;

  const header = readHeader(token.slice(0, firstDot));
  if (header === null) return MALFORMED;
  // RFC 8725 §3.1: rewt chooses the algorithm. RFC 7515 §4.1.11 and RFC 7797: rewt understands no
  // extension, so any would have to be refused.
  if (header.alg !== 'HS256' || Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return UNSUPPORTED;
  const { kid, typ } = header;
  if (!isKid(kid) || (typ !== undefined && typeof typ !== 'string')) return MALFORMED;

  const payload = decodeBase64url(token.slice(firstDot + 1, lastDot));
  const signature = token.slice(lastDot + 1);
  if (payload === null || decodeBase64url(signature)?.length !== MAC_BYTES) return MALFORMED;
  return { header, kid, signedPart: token.slice(0, lastDot), payload, signature };
}

/**
 * Parses the payload. Only for a token whose MAC matched.
 *
 * As in jsonwebtoken, a JSON object is claims and anything else is text; but one whose header names
 * a JWT must carry claims (RFC 7519 §7.2).
 */
export function decodePayload(token: ParsedToken): DecodedPayload | TokenRefusal {
  const text = decodeUtf8(token.payload);
  if (text === null) return badPayload('jwt payload invalid: not UTF-8, or it begins with a byte order mark');
  const claims = parseObject(text);
  if (claims === null && isJwtType(token.header.typ)) {
    return badPayload('jwt payload invalid: the header says JWT, but it is not a JSON object');
  }
  return { claims, text };
}

/**
 * Checks if a header's `typ` makes the payload a claims set: JWT or anything `+jwt`, in any
 * case, with or without `application/` (RFC 7515 §4.1.9).
 */
export function isJwtType(typ: unknown): boolean {
  if (typeof typ !== 'string') return false;
  const type = typ.toLowerCase().replace(/^application\//, '');
  return type === 'jwt' || type.endsWith('+jwt');
}

function readHeader(segment: string): JsonObject | null {
  const bytes = decodeBase64url(segment);
  const text = bytes && decodeUtf8(bytes);
  const header = text && parseObject(text);
  // The header is not authenticated yet and picks the key: two readers must never see different
  // ones in it (RFC 7515 §4, refuse duplicates).
  if (!header || countMembers(text) !== Object.keys(header).length) return null;
  // Without a prototype, so that a polluted Object.prototype adds nothing to the header.
  return { __proto__: null, ...header };
}

/**
 * A Map is where kids are looked up, so any string is harmless; the length keeps logs and look-ups
 * small.
 */
function isKid(kid: unknown): kid is string | undefined {
  return kid === undefined || (typeof kid === 'string' && kid.length > 0 && kid.length <= 256);
}

function badPayload(message: string): TokenRefusal {
  return { code: 'ERR_REWT_PAYLOAD_INVALID', message };
}
