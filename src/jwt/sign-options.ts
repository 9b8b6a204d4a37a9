/** The options of `sign`, under the names that users of jsonwebtoken know. */

import { OptionError } from '../errors.js';
import { parseDuration } from '../time/duration.js';
import {
  type OptionReaders,
  optionReader,
  readFlag,
  readHs256,
  readText,
  readTexts,
} from '../validation/option-values.js';
import { isPlainObject } from '../validation/plain-object.js';
import { type JsonObject, jsonCopy } from './json.js';

/** Options of `sign` and `signSync`. */
export interface SignOptions {
  /**
   * How long the token lives from its `iat` on: seconds, or a string such as `'90s'`. At most
   * `tokenLifetime`, which is also the default. (RFC 7519 §4.1.4)
   */
  expiresIn?: number | string | undefined;
  /**
   * How long after its `iat` the token becomes valid: seconds, or a string such as `'10s'`.
   * Default: at once, without `nbf`. (RFC 7519 §4.1.5)
   */
  notBefore?: number | string | undefined;
  /** Whom the token is for: `aud`. Default: none. (RFC 7519 §4.1.3) */
  audience?: string | readonly string[] | undefined;
  /** Who issues it: `iss`. Default: none. (RFC 7519 §4.1.1) */
  issuer?: string | undefined;
  /** Whom it is about: `sub`. Default: none. (RFC 7519 §4.1.2) */
  subject?: string | undefined;
  /** The token's own identifier: `jti`. Default: none. (RFC 7519 §4.1.7) */
  jwtid?: string | undefined;
  /**
   * Leaves `iat` out, even if the payload has one. `exp` is still set. Default: false.
   */
  noTimestamp?: boolean | undefined;
  /**
   * Further members of the header, and `typ` in place of `JWT`; not `alg`, `kid`, `crit` or `b64`.
   * Default: none. (RFC 7515 §4)
   */
  header?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Accepted for what was written for jsonwebtoken: there is no other. Default: `'HS256'`. (RFC
   * 7518 §3.2)
   */
  algorithm?: 'HS256' | undefined;
}

/** Sign options once read: frozen, with units. */
export interface CompiledSign {
  readonly expiresInSeconds: number | undefined;
  readonly notBeforeSeconds: number | undefined;
  readonly audience: string | readonly string[] | undefined;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly jwtid: string | undefined;
  readonly noTimestamp: boolean;
  /** Null if the header is as rewt writes it. */
  readonly header: Readonly<JsonObject> | null;
  /** The options among these that write a claim. */
  readonly writing: readonly (typeof claimOfOption)[number][];
}

/** @internal */
export const signReaders = Object.freeze({
  expiresIn: parseDuration,
  notBefore: parseDuration,
  audience: readAudience,
  issuer: readText,
  subject: readText,
  jwtid: readText,
  noTimestamp: readFlag,
  header: readHeader,
  algorithm: readHs256,
} satisfies OptionReaders<SignOptions>);

/** Which option writes which claim. */
export const claimOfOption = [
  ['expiresIn', 'expiresInSeconds', 'exp'],
  ['notBefore', 'notBeforeSeconds', 'nbf'],
  ['audience', 'audience', 'aud'],
  ['issuer', 'issuer', 'iss'],
  ['subject', 'subject', 'sub'],
  ['jwtid', 'jwtid', 'jti'],
] as const satisfies readonly (readonly [string, keyof CompiledSign, string])[];

/** What people bring from jsonwebtoken. */
const foreign = {
  keyid: "'keyid' cannot be chosen: a token's kid is derived from the secret that signs it",
  mutatePayload: "'mutatePayload' is not supported: the payload is never changed; verify the token to see its claims",
  encoding: "'encoding' is not supported: payloads are UTF-8; give bytes as a Buffer of UTF-8 text",
  allowInsecureKeySizes: "'allowInsecureKeySizes' is not supported: secrets have at least 32 bytes",
  allowInvalidAsymmetricKeyTypes:
    "'allowInvalidAsymmetricKeyTypes' is not supported: there are no asymmetric keys in HS256",
};

const nothing: CompiledSign = Object.freeze({
  expiresInSeconds: undefined,
  notBeforeSeconds: undefined,
  audience: undefined,
  issuer: undefined,
  subject: undefined,
  jwtid: undefined,
  noTimestamp: false,
  header: null,
  writing: Object.freeze([]),
});

/**
 * Reads sign options once.
 *
 * @param where what is being read, for messages.
 * @param defaults what options not given here fall back to: those of the instance. An option given
 * replaces its default as a whole.
 * @throws {OptionError} for an unknown name or a wrong value.
 */
export function compileSignOptions(raw: unknown, where = 'sign options', defaults = nothing): CompiledSign {
  if (raw === undefined || raw === null) return defaults;
  const option = optionReader(raw, signReaders, where, foreign);
  option('algorithm', 'HS256');
  const compiled = {
    expiresInSeconds: option('expiresIn', defaults.expiresInSeconds),
    notBeforeSeconds: option('notBefore', defaults.notBeforeSeconds),
    audience: option('audience', defaults.audience),
    issuer: option('issuer', defaults.issuer),
    subject: option('subject', defaults.subject),
    jwtid: option('jwtid', defaults.jwtid),
    noTimestamp: option('noTimestamp', defaults.noTimestamp),
    header: option('header', defaults.header),
  };
  const writing = claimOfOption.filter(([, name]) => compiled[name] !== undefined);
  return Object.freeze({ ...compiled, writing: Object.freeze(writing) });
}

/** @throws {OptionError} if an option writes a claim that is there already. */
export function assertNotTwice(claims: Readonly<JsonObject>, options: CompiledSign): void {
  const twice = options.writing.find(([, , claim]) => claims[claim] !== undefined && Object.hasOwn(claims, claim));
  if (twice === undefined) return;
  const [option, , claim] = twice;
  throw new OptionError(`${option}: the payload already has ${claim}; give one of the two`, { option });
}

/** Kept in the form it came in: a verifier may distinguish `"a"` from `["a"]`. */
function readAudience(value: unknown, option: string): string | readonly string[] {
  return Array.isArray(value) ? readTexts(value, option) : readText(value, option);
}

/** A copy that is plain JSON, so that what was checked here is what is written later. */
function readHeader(value: unknown, option: string): Readonly<JsonObject> {
  if (!isPlainObject(value)) throw new OptionError(`${option}: must be a plain object of header members`, { option });
  const header = jsonCopy(value);
  if (header === null) throw new OptionError(`${option}: cannot be written as a JSON object`, { option });
  for (const name of ['alg', 'kid', 'crit', 'b64']) {
    // In the copy too: a toJSON() may have put it there.
    if (!Object.hasOwn(value, name) && !Object.hasOwn(header, name)) continue;
    throw new OptionError(`header.${name}: is reserved and set by rewt. Remove it`, { option });
  }
  if (Object.hasOwn(header, 'typ')) readText(header.typ, 'header.typ');
  return Object.freeze(header);
}
