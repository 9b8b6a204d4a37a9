/** Judges the requests that bring a bearer token, for every framework alike: what comes in is a request, what comes out are claims or a refusal. */

import { isRewtError, OptionError } from '../errors.js';
import { asTokenVerifier, overridden, readAuthOptions, type TokenVerifier } from './auth-options.js';
import { Refusal } from './challenge.js';
import type { Credentials } from './credentials.js';

/** The claims; nothing, where credentials are optional and there were none; or what to answer in place of the route. */
export type Outcome<Claims> = Claims | undefined | Refusal;

/** Rejects only with what `token` or `authorize` threw, or for a Rewt that is misused: that is the framework's to tell. */
export type Judge<Request, Claims> = (request: Request) => Promise<Outcome<Claims>>;

export interface Bearer<Request, Claims> {
  readonly judge: Judge<Request, Claims>;
  /** The options as they were at set-up, but for these. @throws {OptionError} */
  optionsWith(overrides: object): object;
}

/**
 * Reads the options once, and makes what is asked for each request: a promise of its own and one callback are all that it adds to `rewt.verify`.
 *
 * @param credentialsOf where the framework keeps `Authorization`; the option `token` takes its place.
 * @throws {OptionError}
 */
export function createBearer<Request, Claims extends object>(
  rewt: TokenVerifier,
  options: object,
  credentialsOf: (request: Request) => Credentials,
): Bearer<Request, Claims> {
  const verifier = asTokenVerifier(rewt);
  // A copy: what the program does with its own later opens no route that is made from it.
  const own = overridden({}, options);
  const { verify, token, authorize, optional, refusals } = readAuthOptions(own);
  const missing = Promise.resolve(optional ? undefined : refusals.missing);
  const malformed = Promise.resolve(refusals.malformed);

  /** RFC 7519: a signed text is no claims set, and nobody could say whom it is for. */
  function asClaims(payload: unknown): Outcome<Claims> {
    return typeof payload === 'object' && payload !== null ? (payload as Claims) : refusals.refused;
  }

  /** The class of an error says whose fault it is. */
  function asRefusal(error: unknown): Refusal {
    if (isRewtError(error)) {
      if (error.status === 401) return refusals.refused;
      if (error.status === 503) return refusals.unavailable;
    }
    throw asError(error);
  }

  function judge(given: Credentials, request: Request): Promise<Outcome<Claims>> {
    if (given === undefined) return missing;
    if (given === null) return malformed;
    // The one place where the verdict is asked for.
    const verdict = verifier.verify(given, verify);
    if (authorize === undefined) return verdict.then(asClaims, asRefusal);
    return verdict
      .then(asClaims, asRefusal)
      .then((claims) =>
        claims instanceof Refusal ? claims : permitted(authorize(claims as Claims, request), claims as Claims),
      )
      .catch(throwError);
  }

  function permitted(permit: unknown, claims: Claims): Outcome<Claims> | Promise<Outcome<Claims>> {
    if (permit === true) return claims;
    if (!isThenable(permit)) return refusals.forbidden;
    return Promise.resolve(permit).then((settled) => (settled === true ? claims : refusals.forbidden));
  }

  async function judgeFound(find: (request: unknown) => unknown, request: Request): Promise<Outcome<Claims>> {
    let found: unknown;
    try {
      found = await find(request);
    } catch (error) {
      throw asError(error);
    }
    return judge(asCredentials(found), request);
  }

  return {
    judge:
      token === undefined
        ? (request) => judge(credentialsOf(request), request)
        : (request) => judgeFound(token, request),
    optionsWith: (overrides) => overridden(own, overrides),
  };
}

/** What is thrown may be anything, and frameworks take some of it for leave to go on: `next()`, `next('route')`. */
function asError(thrown: unknown): Error {
  if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]') return thrown as Error;
  return new OptionError('token or authorize: failed, and with something that is no Error', { option: 'authorize' });
}

function throwError(thrown: unknown): never {
  throw asError(thrown);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** What a program's own function has found. A list, say, is what a query makes of two tokens: the client's mistake. */
function asCredentials(found: unknown): Credentials {
  if (found === undefined || found === null || found === '') return undefined;
  return typeof found === 'string' ? found : null;
}
