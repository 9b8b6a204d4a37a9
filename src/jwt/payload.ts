/**
 * Makes what gets signed out of a payload and its options, and refuses what no verifier should or
 * would take.
 */

import { OptionError } from '../errors.js';
import { isPlainObject } from '../validation/plain-object.js';
import { decodeUtf8 } from './encoding.js';
import { type JsonObject, jsonCopy, parseObject } from './json.js';
import { haveUsualTypes, mistypedClaim } from './registered-claims.js';
import { assertNotTwice, type CompiledSign } from './sign-options.js';
import { isJwtType } from './token.js';

/** Ready for `signToken`: claims as JSON, or a text that is signed as it is, without `typ`. */
export interface SignablePayload {
  readonly kind: 'claims' | 'text';
  readonly text: string;
}

/**
 * Claims with `iat` and `exp` for an object, the text itself for a string or for bytes. The payload
 * is never changed.
 *
 * @param nowMs the signer's wall clock, milliseconds since the epoch.
 * @param tokenLifetimeSeconds the longest that a token may live, and how long it does if nothing
 * else is set.
 * @throws {OptionError} `ERR_REWT_PAYLOAD` if the payload is at fault, `ERR_REWT_OPTION` if
 * an option is.
 */
export function claimsToSign(
  payload: unknown,
  options: CompiledSign,
  nowMs: number,
  tokenLifetimeSeconds: number,
): SignablePayload {
  if (isTextual(payload)) {
    const text = textToSign(payload, options);
    // Verifiers judge a text that is a JSON object as claims, so they have to be right here too.
    const claims = parseObject(text);
    if (claims !== null) {
      assertTypes(claims);
      assertTimes(claims.exp, claims.nbf, options, nowMs, tokenLifetimeSeconds);
    }
    return { kind: 'text', text };
  }
  const claims = plainClaims(payload);
  assertNotTwice(claims, options);
  const times = addedTimes(claims, options, nowMs, tokenLifetimeSeconds);
  assertTimes(
    times.exp ?? claims.exp,
    times.nbf ?? (has(claims, 'nbf') ? claims.nbf : undefined),
    options,
    nowMs,
    tokenLifetimeSeconds,
  );
  if (options.noTimestamp) delete claims.iat;
  return { kind: 'claims', text: serialize(claims, times, options) };
}

/**
 * Names the kind of a typed array of any realm, whatever its class or instance names itself;
 * undefined for anything else.
 */
const kindOfView = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as () => string | undefined;

function isTextual(payload: unknown): payload is string | Uint8Array {
  return typeof payload === 'string' || kindOfView.call(payload) === 'Uint8Array';
}

/**
 * The bytes themselves: `Buffer.from` calls `valueOf()` of a subclass, which may return something
 * else, or throw.
 */
function bytesOf(payload: string | Uint8Array): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload);
  try {
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  } catch {
    throw badPayload('payload cannot be read as bytes: give a Buffer or a plain Uint8Array');
  }
}

/**
 * What can be in a text is decided by what comes back from UTF-8: no lone surrogates, no byte order
 * mark.
 */
function textToSign(payload: string | Uint8Array, options: CompiledSign): string {
  const option = options.noTimestamp ? 'noTimestamp' : options.writing[0]?.[0];
  if (option !== undefined) {
    throw new OptionError(`${option}: only an object has claims, and the payload is a text`, { option });
  }
  if (isJwtType(options.header?.typ)) {
    throw new OptionError('header.typ: says that the payload is claims, and it is a text', { option: 'header' });
  }
  const bytes = bytesOf(payload);
  if (bytes.length === 0) throw badPayload('payload is empty');
  const text = decodeUtf8(bytes);
  if (text === null || (typeof payload === 'string' && text !== payload)) {
    throw badPayload(
      'payload is not text in UTF-8 (or it begins with a byte order mark); encode bytes first, for instance as base64',
    );
  }
  return text;
}

/**
 * A copy to add to, whose registered claims have the right types. They are texts and numbers, which
 * JSON writes as they stand, or JSON itself has made the copy: what is checked here is exactly what
 * is written. Getters are called once.
 */
function plainClaims(payload: unknown): JsonObject {
  const copy = shallowCopy(payload);
  if (copy !== null && haveUsualTypes(copy)) return copy;
  // The cast holds: it was a plain object.
  const claims = jsonCopy(copy ?? (payload as object));
  if (claims === null) throw notJson();
  assertTypes(claims);
  return claims;
}

/**
 * Copies the members of a plain object. Null if it has a `toJSON`, which decides what is written;
 * a proxy may hide one from the first test.
 */
function shallowCopy(payload: unknown): JsonObject | null {
  try {
    if (isPlainObject(payload)) {
      if ('toJSON' in payload) return null;
      const copy = { ...payload };
      return 'toJSON' in copy ? null : copy;
    }
  } catch {
    throw notJson();
  }
  throw badPayload(`payload must be a plain object, a string or a Buffer, not ${kindOf(payload)}`);
}

function asJson(claims: JsonObject): string {
  try {
    return JSON.stringify(claims);
  } catch {
    throw notJson();
  }
}

function notJson(): OptionError {
  return badPayload(
    'payload cannot be written as a JSON object: it has a cycle, a BigInt, a toJSON() that gives ' +
      'no object, or it throws',
  );
}

function kindOf(payload: unknown): string {
  if (payload === null) return 'null';
  if (isList(payload)) return 'an array';
  if (typeof payload === 'object') return 'an instance of a class (give its members: { ...object })';
  return typeof payload;
}

/** A revoked proxy throws at each access. */
function isList(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * Times that are not in the payload. `exp` is always there: a token that never expires would live
 * as long as its secret.
 */
interface AddedTimes {
  readonly iat: number | undefined;
  readonly nbf: number | undefined;
  readonly exp: number | undefined;
}

function addedTimes(
  claims: Readonly<JsonObject>,
  { expiresInSeconds, notBeforeSeconds, noTimestamp }: CompiledSign,
  nowMs: number,
  tokenLifetimeSeconds: number,
): AddedTimes {
  const ownIat = has(claims, 'iat') ? (claims.iat as number) : undefined;
  let exp: number | undefined;
  if (expiresInSeconds !== undefined) exp = numericDate(expiresInSeconds, nowMs, ownIat);
  else if (!has(claims, 'exp')) {
    // A payload's own iat may lie a little ahead (another machine's clock): the default is never
    // longer than allowed.
    exp = Math.min(numericDate(tokenLifetimeSeconds, nowMs, ownIat), numericDate(tokenLifetimeSeconds, nowMs));
  }
  return {
    iat: ownIat === undefined && !noTimestamp ? numericDate(0, nowMs) : undefined,
    nbf: notBeforeSeconds === undefined ? undefined : numericDate(notBeforeSeconds, nowMs, ownIat),
    exp,
  };
}

/**
 * Whether the payload itself has it: a polluted Object.prototype would keep `exp` out of the token.
 * The quick look comes first, since most payloads have none.
 */
function has(claims: Readonly<JsonObject>, claim: string): boolean {
  return claims[claim] !== undefined && Object.hasOwn(claims, claim);
}

/**
 * Where a span ends that begins at `iat`, or else now. In whole seconds, as everybody writes them;
 * but a span such as 250 ms would be lost in the rounding, so it counts from the instant itself.
 */
function numericDate(spanSeconds: number, nowMs: number, iat?: number): number {
  return spanSeconds + (iat ?? (Number.isInteger(spanSeconds) ? Math.floor(nowMs / 1000) : nowMs / 1000));
}

/**
 * The payload as JSON with what is added to it. Put together as text: to merge objects before they
 * are written takes Node 20 1.9 µs longer.
 */
function serialize(claims: JsonObject, { iat, nbf, exp }: AddedTimes, options: CompiledSign): string {
  const { audience, issuer, subject, jwtid } = options;
  const own = asJson(claims);
  let added = '';
  if (iat !== undefined) added += `,"iat":${iat}`;
  if (nbf !== undefined) added += `,"nbf":${nbf}`;
  if (exp !== undefined) added += `,"exp":${exp}`;
  if (audience !== undefined) added += `,"aud":${JSON.stringify(audience)}`;
  if (issuer !== undefined) added += `,"iss":${JSON.stringify(issuer)}`;
  if (subject !== undefined) added += `,"sub":${JSON.stringify(subject)}`;
  if (jwtid !== undefined) added += `,"jti":${JSON.stringify(jwtid)}`;
  return own === '{}' ? `{${added.slice(1)}}` : `${own.slice(0, -1)}${added}}`;
}

/**
 * What every verifier of the keyring relies on: no life longer than its secret surely has. The
 * types are right.
 */
function assertTimes(
  exp: unknown,
  nbf: unknown,
  options: CompiledSign,
  nowMs: number,
  tokenLifetimeSeconds: number,
): void {
  if (typeof exp !== 'number') return;
  const nowSeconds = nowMs / 1000;
  if (exp > nowSeconds + tokenLifetimeSeconds) {
    const message =
      `the token would live ${Math.ceil(exp - nowSeconds)} s and tokenLifetime allows ` +
      `${tokenLifetimeSeconds} s: shorten it, or give every member a larger tokenLifetime`;
    if (options.expiresInSeconds !== undefined) throw new OptionError(message, { option: 'expiresIn' });
    throw badPayload(message);
  }
  if (typeof nbf === 'number' && nbf >= exp)
    throw badPayload('the token would expire before it becomes valid: nbf is not before exp');
}

function assertTypes(claims: JsonObject): void {
  const mistyped = mistypedClaim(claims);
  if (mistyped !== null) throw badPayload(`payload: ${mistyped.claim} must be ${mistyped.wanted}`);
}

function badPayload(message: string): OptionError {
  return new OptionError(message, { code: 'ERR_REWT_PAYLOAD' });
}
