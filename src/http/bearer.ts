/** Judges the requests that bring a bearer token, for every framework alike: what comes in is a request, what comes out are claims or a refusal. */

import { isRewtError, OptionError, TokenError } from '../errors.js';
import { asTokenVerifier, overridden, readAuthOptions, type TokenVerifier } from './auth-options.js';
import { ErrorResponse, readAnswer } from './challenge.js';
import type { Credentials } from './credentials.js';

/** The claims; nothing, where credentials are optional and there were none; or what to answer in place of the route. */
export type Outcome<Claims> = Claims | undefined | ErrorResponse;

/** Rejects only with what a function among the options threw, or for a Rewt that is misused: that is the framework's to tell. */
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
  const { verify, token, authorize, onRefused, optional, responses } = readAuthOptions(own);
  const missing = Promise.resolve(optional ? undefined : responses.missing);
  const malformed = Promise.resolve(responses.malformed);

  /** RFC 7519: a signed text is no claims set, and does not say whom it is for. */
  function asClaims(payload: unknown): Outcome<Claims> {
    return typeof payload === 'object' && payload !== null
      ? (payload as Claims)
      : because(responses.refused, textSigned());
  }

  /** The class of an error says whose fault it is. */
  function asResponse(error: unknown): ErrorResponse {
    if (isRewtError(error)) {
      if (error.status === 401) return because(responses.refused, error);
      if (error.status === 503) return because(responses.unavailable, error);
    }
    throw asError(error, 'verify');
  }

  /** A copy for each request, only if there is something to tell it. */
  function because(response: ErrorResponse, cause: Error): ErrorResponse {
    return onRefused === undefined ? response : response.because(cause);
  }

  function judge(given: Credentials, request: Request): Promise<Outcome<Claims>> {
    if (given === undefined) return missing;
    if (given === null) return malformed;
    // The one place where the verdict is asked for.
    const verdict = verifier.verify(given, verify);
    if (authorize === undefined) return verdict.then(asClaims, asResponse);
    return verdict
      .then(asClaims, asResponse)
      .then((claims) =>
        claims instanceof ErrorResponse ? claims : permitted(authorize(claims as Claims, request), claims as Claims),
      )
      .catch((thrown) => {
        throw asError(thrown, 'authorize');
      });
  }

  function permitted(permit: unknown, claims: Claims): Outcome<Claims> | Promise<Outcome<Claims>> {
    if (permit === true) return claims;
    if (!isThenable(permit)) return responses.forbidden;
    return Promise.resolve(permit).then((settled) => (settled === true ? claims : responses.forbidden));
  }

  async function judgeFound(find: (request: unknown) => unknown, request: Request): Promise<Outcome<Claims>> {
    let found: unknown;
    try {
      found = await find(request);
    } catch (thrown) {
      throw asError(thrown, 'token');
    }
    return judge(asCredentials(found), request);
  }

  /** The answer of the program's own, if it has one. */
  async function asAnswered(
    answer: (refusal: ErrorResponse, request: unknown) => unknown,
    outcome: Outcome<Claims>,
    request: Request,
  ): Promise<Outcome<Claims>> {
    if (!(outcome instanceof ErrorResponse)) return outcome;
    try {
      return readAnswer(await answer(outcome, request), outcome);
    } catch (thrown) {
      throw asError(thrown, 'onRefused');
    }
  }

  const judgeRequest: Judge<Request, Claims> =
    token === undefined ? (request) => judge(credentialsOf(request), request) : (request) => judgeFound(token, request);

  return {
    judge:
      onRefused === undefined
        ? judgeRequest
        : (request) => judgeRequest(request).then((outcome) => asAnswered(onRefused, outcome, request)),
    optionsWith: (overrides) => overridden(own, overrides),
  };
}

function textSigned(): TokenError {
  return new TokenError({ code: 'ERR_REWT_PAYLOAD_INVALID', message: 'jwt payload invalid: a text, and no claims' });
}

/** What is thrown may be anything, and frameworks take some of it for leave to go on: `next()`, `next('route')`. */
export function asError(thrown: unknown, option: string): Error {
  if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]') return thrown as Error;
  return new OptionError(`${option}: failed, and with something that is no Error`, { option });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** What a program's own function has found. A list, say, is what a query makes of two tokens: the client's mistake. */
function asCredentials(found: unknown): Credentials {
  if (found === undefined || found === null || found === '') return undefined;
  return typeof found === 'string' ? found : null;
}
