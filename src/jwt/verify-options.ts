/** The options of `verify`, under the names that users of jsonwebtoken know. */

import { OptionError } from '../errors.js';
import { parseDuration } from '../time/duration.js';
import {
  type OptionReaders,
  optionReader,
  readAlgorithms,
  readList,
  readText,
  readTexts,
} from '../validation/option-values.js';
import { readSchema, type StandardSchema } from './schema.js';

/**
 * Options of `verify`, `verifyComplete` and `verifySync`.
 *
 * @typeParam Output the output of the schema, which is then the type of the payload.
 */
export interface VerifyOptions<Output = unknown> {
  /**
   * Whom the token must be for: one of these must be in its `aud`, or match it. Default: not
   * checked. (RFC 7519 §4.1.3)
   */
  audience?: string | RegExp | readonly (string | RegExp)[] | undefined;
  /**
   * Who must have issued it: `iss` must be one of these. Default: not checked. (RFC 7519 §4.1.1)
   */
  issuer?: string | readonly string[] | undefined;
  /** Whom it must be about: `sub`. Default: not checked. (RFC 7519 §4.1.2) */
  subject?: string | undefined;
  /** Its identifier: `jti`. Default: not checked. (RFC 7519 §4.1.7) */
  jwtid?: string | undefined;
  /**
   * How old it may be, counted from its `iat`, which it must then have: seconds, or a string such
   * as `'2m'`. Default: not checked.
   */
  maxAge?: number | string | undefined;
  /**
   * By how much the clocks of signer and verifier may differ: seconds, or a string such as `'5s'`.
   * Default: that of the instance. (RFC 7519 §4.1.4)
   */
  clockTolerance?: number | string | undefined;
  /** Claims that must be there, and not null. Default: none. */
  requiredClaims?: readonly string[] | undefined;
  /**
   * What the payload must fit, once all else is found right: a schema of zod, valibot, arktype or
   * any other Standard Schema. `verify` gives what it makes of the payload. Default: none.
   */
  schema?: StandardSchema<Output> | undefined;
  /**
   * Accepted for what was written for jsonwebtoken: there is no other. Default: `['HS256']`. (RFC
   * 8725 §3.1)
   */
  algorithms?: readonly 'HS256'[] | undefined;
}

/** Verify options once read: frozen, with units. */
export interface CompiledVerify {
  /** A list has one value at least, and is none if that is a text. */
  readonly audience: string | readonly (string | RegExp)[] | undefined;
  readonly issuer: string | readonly string[] | undefined;
  readonly subject: string | undefined;
  readonly jwtid: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly clockToleranceSeconds: number;
  readonly requiredClaims: readonly string[];
  readonly schema: StandardSchema | undefined;
}

/** @internal */
export const verifyReaders = Object.freeze({
  audience: readPatterns,
  issuer: readIssuers,
  subject: readText,
  jwtid: readText,
  maxAge: parseDuration,
  clockTolerance: parseDuration,
  requiredClaims: readNames,
  schema: readSchema,
  algorithms: readAlgorithms,
} satisfies OptionReaders<VerifyOptions>);

/** What people bring from jsonwebtoken and jose. */
const foreign = {
  complete: "'complete' is not supported: call verifyComplete(), which gives { header, payload, signature }",
  ignoreExpiration:
    "'ignoreExpiration' is not supported: an expired token is refused; allow for clocks with 'clockTolerance'",
  ignoreNotBefore:
    "'ignoreNotBefore' is not supported: a token that is not valid yet is refused; allow for " +
    "clocks with 'clockTolerance'",
  clockTimestamp: "'clockTimestamp' is not supported: tokens are judged by the clock; in tests, use fake timers",
  nonce: "'nonce' is not supported: compare the claim yourself after verify, or make it the 'jwtid'",
  expiresIn: "'expiresIn' is an option of sign; to refuse old tokens at verify use 'maxAge'",
  notBefore: "'notBefore' is an option of sign; verify always respects 'nbf'",
  maxTokenAge: "'maxTokenAge' is called 'maxAge' here",
  allowInvalidAsymmetricKeyTypes:
    "'allowInvalidAsymmetricKeyTypes' is not supported: there are no asymmetric keys in HS256",
};

const nothing: CompiledVerify = Object.freeze({
  audience: undefined,
  issuer: undefined,
  subject: undefined,
  jwtid: undefined,
  maxAgeSeconds: undefined,
  clockToleranceSeconds: 0,
  requiredClaims: Object.freeze([]),
  schema: undefined,
});

/**
 * Reads verify options once.
 *
 * @param where what is being read, for messages.
 * @param defaults what options not given here fall back to: those of the instance. An option given
 * replaces its default as a whole.
 * @throws {OptionError} for an unknown name or a wrong value.
 */
export function compileVerifyOptions(raw: unknown, where = 'verify options', defaults = nothing): CompiledVerify {
  if (raw === undefined || raw === null) return defaults;
  const option = optionReader(raw, verifyReaders, where, foreign);
  option('algorithms', undefined);
  return Object.freeze({
    audience: option('audience', defaults.audience),
    issuer: option('issuer', defaults.issuer),
    subject: option('subject', defaults.subject),
    jwtid: option('jwtid', defaults.jwtid),
    maxAgeSeconds: option('maxAge', defaults.maxAgeSeconds),
    clockToleranceSeconds: option('clockTolerance', defaults.clockToleranceSeconds),
    requiredClaims: option('requiredClaims', defaults.requiredClaims),
    schema: option('schema', defaults.schema),
  });
}

function readPatterns(value: unknown, option: string): string | readonly (string | RegExp)[] {
  return oneText(readList(value, option, readPattern));
}

function readIssuers(value: unknown, option: string): string | readonly string[] {
  return oneText(readTexts(value, option));
}

/** Returns the only text instead of a list of it: less work for each token. */
function oneText<List extends readonly (string | RegExp)[]>(list: List): List | string {
  const [one] = list;
  return list.length === 1 && typeof one === 'string' ? one : list;
}

/**
 * A RegExp is copied, so that neither its owner nor its `lastIndex` (flags g and y) gets between
 * two calls.
 */
function readPattern(value: unknown, option: string): string | RegExp {
  if (typeof value === 'string' && value !== '') return value;
  if (isRegExp(value)) return new RegExp(value);
  throw new OptionError(`${option}: must be a string that is not empty, a RegExp, or a list of these`, { option });
}

const sourceOf = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')?.get as () => string;

/** Detects a RegExp of any realm, such as that of a test runner, by its internal slot. */
function isRegExp(value: unknown): value is RegExp {
  try {
    sourceOf.call(value);
    return true;
  } catch {
    return false;
  }
}

/** Unlike the lists above, an empty one means something: it takes back the default. */
function readNames(value: unknown, option: string): readonly string[] {
  if (!Array.isArray(value)) throw new OptionError(`${option}: must be a list of claim names`, { option });
  return Object.freeze(Array.from(value, (name) => readText(name, option)));
}
