/** The options of `rewtAuth`, the same for every framework: read once at set-up, and again for each route that overrides some. */

import { OptionError } from '../errors.js';
import type { RegisteredClaims } from '../jwt/registered-claims.js';
import type { StandardSchema } from '../jwt/schema.js';
import { compileVerifyOptions, type VerifyOptions, verifyOptionNames } from '../jwt/verify-options.js';
import { asFlag, assertGiven, type Given, type GivenName, optionReader } from '../option-values.js';
import {
  type Answer,
  asRealm,
  asScope,
  createErrorResponses,
  type ErrorResponse,
  type ErrorResponses,
} from './challenge.js';

/** A function whose parameters a program may annotate more narrowly than we know them: with the request of its framework, and its own claims. */
type Callback<Arguments extends unknown[], Result> = { bivariant(...parameters: Arguments): Result }['bivariant'];

type OrPromise<T> = T | Promise<T>;

// biome-ignore lint/suspicious/noConfusingVoidType: what a function that only logs gives.
type Answered = Answer | null | undefined | void;

/** What a token must be like, as in `rewt.verify`, and what a request must. All of it can be overridden for a route. */
export interface AuthOptions<Request, Claims> extends Given<Omit<VerifyOptions, 'complete'>, GivenName> {
  /** Where the token is, if it is not in `Authorization: Bearer`. Without one it gives undefined, null or ''. What it throws goes to the framework. */
  token?: Callback<[request: Request], OrPromise<string | null | undefined>> | undefined;
  /** Whether these claims are enough: anything but true is answered with 403. What it throws goes to the framework. Default: they are. */
  authorize?: Callback<[claims: Claims, request: Request], OrPromise<boolean>> | undefined;
  /**
   * Called with each request that is refused, before it is answered: with the answer, and why. For the log of the request.
   * What it gives is answered in place: `{ ...refusal, body: '…' }`, `{ status: 302, headers: { location: '/login' } }`. What it throws goes to the framework.
   */
  onRefused?: Callback<[refusal: ErrorResponse, request: Request], OrPromise<Answered>> | undefined;
  /** What to ask for instead, for the 403: names with spaces between them. Default: nothing is said. (RFC 6750 §3) */
  scope?: string | undefined;
  /** Whether requests without credentials go on, without claims. Bad ones are still refused. Default: false. */
  optional?: boolean | undefined;
  /** The name of what is protected, for the challenge. Default: `'api'`. (RFC 9110 §11.5) */
  realm?: string | undefined;
}

/** The same for frameworks where the type of the claims belongs to the route: a schema brings it along. */
export type TypedAuthOptions<Request, Claims> = AuthOptions<Request, Claims & RegisteredClaims> & {
  schema?: StandardSchema<Claims> | undefined;
};

/** Options with which each request that is let in has claims. */
export type Mandatory<Options> = Options & { optional?: false | undefined };
/** Options with which there may be none. */
export type Optional<Options> = Options & { optional: boolean };

/** What makes a token count. A Rewt of either kind of module is one, and so is what stands in for it in a test. */
export interface TokenVerifier {
  verify(token: string, options?: VerifyOptions): Promise<unknown>;
}

/** The options once read. */
export interface Settings {
  /** As `rewt.verify` takes them. */
  readonly verify: VerifyOptions;
  readonly token: ((request: unknown) => unknown) | undefined;
  readonly authorize: ((claims: object, request: unknown) => unknown) | undefined;
  readonly onRefused: ((refusal: ErrorResponse, request: unknown) => unknown) | undefined;
  readonly optional: boolean;
  readonly responses: ErrorResponses;
}

const WHERE = 'rewtAuth options';
const verifyNames = verifyOptionNames.filter((name) => name !== 'complete');
const names = [...verifyNames, 'token', 'authorize', 'onRefused', 'scope', 'optional', 'realm'];

/** What people bring from express-jwt, @fastify/jwt and hono/jwt. */
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

/** @throws {OptionError} for an unknown name or a wrong value. */
export function readAuthOptions(raw: unknown): Settings {
  const option = optionReader(raw, names, WHERE, foreign);
  const given = verifyNames.map((name) => [name, option<unknown>(name, asIs, undefined)] as const);
  const named = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  // What is trusted here are claims, whatever shape the Rewt gives by its own defaults.
  const verify = Object.freeze({ ...named, complete: false });
  compileVerifyOptions(verify, WHERE);
  return Object.freeze({
    verify,
    token: option('token', asFunction, undefined),
    authorize: option('authorize', asFunction, undefined),
    onRefused: option('onRefused', asFunction, undefined),
    optional: option('optional', asFlag, false),
    responses: createErrorResponses(option('realm', asRealm, 'api'), option('scope', asScope, undefined)),
  });
}

/**
 * Replaces each option that is given as a whole. One that is undefined is not given, or a name misspelt elsewhere would open a route.
 *
 * @throws {OptionError} also for an audience or issuer that is undefined.
 */
export function overridden(options: object, overrides: object): object {
  const option = optionReader(overrides, names, WHERE, foreign);
  assertGiven(overrides);
  const given = names.map((name) => [name, option<unknown>(name, asIs, undefined)] as const);
  return { ...options, ...Object.fromEntries(given.filter(([, value]) => value !== undefined)) };
}

/** @throws {OptionError} */
export function asTokenVerifier(value: unknown): TokenVerifier {
  if (typeof value === 'object' && value !== null && typeof Reflect.get(value, 'verify') === 'function') {
    return value as TokenVerifier;
  }
  throw new OptionError('rewtAuth: needs a Rewt to verify tokens with', { option: 'rewt' });
}

/** What a plugin's decorators are called. @throws {OptionError} */
export function readName(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z_$][\w$]{0,100}$/.test(value)) return value;
  throw new OptionError("name: must be a name as JavaScript has them, such as 'partner'", { option: 'name' });
}

/** The server or its requests have something of this name already. */
export function takenName(name: string): OptionError {
  return new OptionError(
    `name: '${name}' is taken on this server, or on its requests. Give each rewtAuth a name: { rewt, name: 'partner' }`,
    { option: 'name' },
  );
}

/** A list as a copy: what the program adds to its own later lets nobody in. */
function asIs(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(Array.from(value)) : value;
}

function asFunction(value: unknown, option: string): (...parameters: unknown[]) => unknown {
  if (typeof value === 'function') return value as (...parameters: unknown[]) => unknown;
  throw new OptionError(`${option}: must be a function`, { option });
}
