/**
 * The options of `rewtAuth`, the same for every framework. They are read at set-up, and again for
 * each route that overrides some.
 */

import { OptionError } from '../errors.js';
import type { RegisteredClaims } from '../jwt/registered-claims.js';
import type { StandardSchema } from '../jwt/schema.js';
import { compileVerifyOptions, type VerifyOptions, verifyReaders } from '../jwt/verify-options.js';
import {
  assertGiven,
  copyList,
  type Given,
  type GivenName,
  optionReader,
  readFlag,
} from '../validation/option-values.js';
import { hasMethods } from '../validation/plain-object.js';
import {
  type Answer,
  createErrorResponses,
  type ErrorResponse,
  type ErrorResponses,
  readRealm,
  readScope,
} from './responses.js';

/**
 * A function whose parameters the caller may type more narrowly: with the request of its framework,
 * and its own claims.
 */
type Callback<Arguments extends unknown[], Result> = { bivariant(...parameters: Arguments): Result }['bivariant'];

type OrPromise<T> = T | Promise<T>;

// biome-ignore lint/suspicious/noConfusingVoidType: what a function that only logs gives.
type Answered = Answer | null | undefined | void;

/**
 * Requirements for a token, as in `rewt.verify`, and for a request. A route can override each of
 * them.
 */
export interface AuthOptions<Request, Claims> extends Given<VerifyOptions, GivenName> {
  /**
   * Reads the token from elsewhere than `Authorization: Bearer`. Return undefined, null or '' if
   * there is none. An error goes to the framework.
   */
  token?: Callback<[request: Request], OrPromise<string | null | undefined>> | undefined;
  /**
   * Decides if these claims suffice: any result but true is answered with 403. An error goes to the
   * framework. Default: they suffice.
   */
  authorize?: Callback<[claims: Claims, request: Request], OrPromise<boolean>> | undefined;
  /**
   * Called with each rejected request before it is answered: with the response and its cause, for
   * the request's log. A returned object replaces the response: `{ ...refusal, body: '…' }`,
   * `{ status: 302, headers: { location: '/login' } }`. An error goes to the framework.
   */
  onRefused?: Callback<[refusal: ErrorResponse, request: Request], OrPromise<Answered>> | undefined;
  /**
   * The scopes that the 403 names as required, with spaces between them. Default: none. (RFC 6750
   * §3)
   */
  scope?: string | undefined;
  /**
   * Lets requests without credentials pass, without claims. Invalid ones are still rejected.
   * Default: false.
   */
  optional?: boolean | undefined;
  /** The name of the protected area, for the challenge. Default: `'api'`. (RFC 9110 §11.5) */
  realm?: string | undefined;
}

/**
 * The options for frameworks in which each route has its own type of claims. The option `schema`
 * infers it.
 */
export type TypedAuthOptions<Request, Claims> = AuthOptions<Request, Claims & RegisteredClaims> & {
  schema?: StandardSchema<Claims> | undefined;
};

/** Options with which each request that passes has claims. */
export type Mandatory<Options> = Options & { optional?: false | undefined };
/** Options with which a request may pass without claims. */
export type Optional<Options> = Options & { optional: boolean };

/**
 * Verifies tokens: a Rewt of either kind of module, or its substitute in a test.
 *
 * @example
 * ```ts
 * import type { TokenVerifier } from 'rewt/express';
 *
 * const substitute: TokenVerifier = { verify: async () => ({ sub: 'ann' }) };
 * ```
 */
export interface TokenVerifier {
  /** Verifies a token, as `verify` of a Rewt. */
  verify(token: string, options?: VerifyOptions): Promise<unknown>;
  /** Reads options once. Called only if `verify` is that of Rewt: another is called per request. */
  verifier?(options: Given<VerifyOptions, GivenName>): (token: string) => Promise<unknown>;
}

/** The validated options. */
export interface Settings {
  /** The options for `rewt.verify`. */
  readonly verify: Given<VerifyOptions, GivenName>;
  readonly token: ((request: unknown) => unknown) | undefined;
  readonly authorize: ((claims: object, request: unknown) => unknown) | undefined;
  readonly onRefused: ((refusal: ErrorResponse, request: unknown) => unknown) | undefined;
  readonly optional: boolean;
  readonly responses: ErrorResponses;
}

const WHERE = 'rewtAuth options';
const ownReaders = {
  token: readFunction,
  authorize: readFunction,
  onRefused: readFunction,
  scope: readScope,
  optional: readFlag,
  realm: readRealm,
};
const readers = { ...verifyReaders, ...ownReaders };
const copies = Object.fromEntries(Object.keys(readers).map((name) => [name, copyList]));

/** Option names of express-jwt, @fastify/jwt and hono/jwt. */
const foreign = {
  complete: "'complete' is not supported here: for the token's header, verify it yourself",
  rewt: "'rewt' is not an option: give it as the first argument",
  secret: "'secret' cannot be given: the keyring of your Rewt has it",
  getToken: "'getToken' is called 'token' here",
  extractToken: "'extractToken' is called 'token' here",
  cookie: "'cookie' is not supported: give a function as 'token' that reads it",
  credentialsRequired: "'credentialsRequired: false' is 'optional: true' here",
  passthrough: "'passthrough' is called 'optional' here",
  isRevoked: "'isRevoked' is not supported: rewt.revoke() drops every token; for single ones use 'authorize'",
  onUnauthorized: "'onUnauthorized' is called 'onRefused' here, for every refusal",
  requestProperty: "'requestProperty' is not supported: the claims are always in the same place",
};

/**
 * Reads the options, as `overridden` has copied them.
 *
 * @throws {OptionError} for an unknown name or a wrong value.
 */
export function readAuthOptions(raw: unknown): Settings {
  const option = optionReader(raw, readers, WHERE, foreign);
  const ofVerify = Object.entries(Object(raw)).filter(([name]) => Object.hasOwn(verifyReaders, name));
  const verify = Object.freeze(Object.fromEntries(ofVerify));
  compileVerifyOptions(verify, WHERE);
  return Object.freeze({
    verify,
    token: option('token', undefined),
    authorize: option('authorize', undefined),
    onRefused: option('onRefused', undefined),
    optional: option('optional', false),
    responses: createErrorResponses(option('realm', 'api'), option('scope', undefined)),
  });
}

/**
 * Replaces each given option as a whole. An undefined option counts as not given; otherwise a
 * misspelt name elsewhere would open a route.
 *
 * @throws {OptionError} also for an audience or issuer that is undefined.
 */
export function overridden(options: object, overrides: object): object {
  const option = optionReader(overrides, copies, WHERE, foreign);
  assertGiven(overrides);
  const given = Object.keys(copies).map((name) => [name, option(name, undefined)] as const);
  return { ...options, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) };
}

/** Reads the Rewt. @throws {OptionError} */
export function readTokenVerifier(value: unknown): TokenVerifier {
  if (hasMethods(value, 'verify')) return value as TokenVerifier;
  throw new OptionError('rewtAuth: needs a Rewt to verify tokens with', { option: 'rewt' });
}

/** Reads the name of a plugin's decorators. @throws {OptionError} */
export function readName(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z_$][\w$]{0,100}$/.test(value)) return value;
  throw new OptionError("name: must be a name as JavaScript has them, such as 'partner'", { option: 'name' });
}

/** Creates the error for a name that the server or its requests have already. */
export function takenName(name: string): OptionError {
  return new OptionError(
    `name: '${name}' is taken on this server, or on its requests. Give each rewtAuth a name: { rewt, name: 'partner' }`,
    { option: 'name' },
  );
}

function readFunction(value: unknown, option: string): (...parameters: unknown[]) => unknown {
  if (typeof value === 'function') return value as (...parameters: unknown[]) => unknown;
  throw new OptionError(`${option}: must be a function`, { option });
}
