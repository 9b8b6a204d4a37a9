/**
 * The check of a request's bearer token, shared by every framework: it turns a request into claims
 * or an error response.
 */

import { isRewtError, OptionError, TokenError } from '../errors.js';
import { ownVerify } from '../validation/own-verify.js';
import { type Credentials, isToken } from './credentials.js';
import { overridden, readAuthOptions, readTokenVerifier, type TokenVerifier } from './options.js';
import { ErrorResponse, readAnswer } from './responses.js';

/**
 * The claims; undefined if credentials are optional and the request had none; or the response to
 * send instead of the route's.
 */
export type Outcome<Claims> = Claims | undefined | ErrorResponse;

/**
 * Calls `settle`, or `fail` with what a function among the options threw, or if the Rewt is
 * misused: the framework handles such an error. Neither of the two may throw.
 */
export type Decide<Request, Claims> = (request: Request, settle: Settle<Claims>, fail: Fail) => void;
type Settle<Claims> = (outcome: Outcome<Claims>) => void;
type Fail = (error: unknown) => void;

export interface Bearer<Request, Claims> {
  readonly decide: Decide<Request, Claims>;
  /** The same as a promise, which is two promises more. */
  judge(request: Request): Promise<Outcome<Claims>>;
  /** Returns the options given at set-up, with these in their place. @throws {OptionError} */
  optionsWith(overrides: object): object;
}

/**
 * Reads the options once, and returns the check for each request. Per request `decide` adds one
 * promise to the verification.
 *
 * @param credentialsOf reads the framework's `Authorization` header; the option `token` replaces
 * it.
 * @throws {OptionError}
 */
export function createBearer<Request, Claims extends object>(
  rewt: TokenVerifier,
  options: object,
  credentialsOf: (request: Request) => Credentials,
): Bearer<Request, Claims> {
  const verifies = readTokenVerifier(rewt);
  // A copy: a later change to the caller's object must not open a route.
  const own = overridden({}, options);
  const { verify, token, authorize, onRefused, optional, responses } = readAuthOptions(own);
  const { verify: atSetUp } = verifies;
  const bound = ownVerify.has(atSetUp) ? verifies.verifier?.(verify) : undefined;

  /** Returns the bound `verify` of a Rewt, as long as nothing stands in for that method. */
  function ownBound(): typeof bound {
    return verifies.verify === atSetUp ? bound : undefined;
  }

  /** Calls the method. One in place of a Rewt's own may throw, or return no promise. */
  function verified(given: string): Promise<unknown> {
    try {
      const own = ownBound();
      return Promise.resolve(own === undefined ? verifies.verify(given, verify) : own(given));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Returns the claims. RFC 7519: a signed text is not a claims set, and names no audience. */
  function asClaims(payload: unknown): Claims | ErrorResponse {
    return typeof payload === 'object' && payload !== null
      ? (payload as Claims)
      : because(responses.refused, textSigned());
  }

  /** Selects the response by the error's status. Null if it is not the token's or store's fault. */
  function asResponse(error: unknown, given: string): ErrorResponse | null {
    if (!isRewtError(error)) return null;
    if (error.status === 401 && token === undefined && !isToken(given)) return responses.malformed;
    if (error.status === 401) return because(responses.refused, error);
    return error.status === 503 ? because(responses.unavailable, error) : null;
  }

  /** Copies the response with its cause, only if `onRefused` will read it. */
  function because(response: ErrorResponse, cause: Error): ErrorResponse {
    return onRefused === undefined ? response : response.because(cause);
  }

  const decide: Decide<Request, Claims> = (request, settle, fail) => {
    if (token === undefined) return void decideOn(headerToken(request), request, settle, fail);
    foundBy(token, request).then((given) => decideOn(given, request, settle, fail), fail);
  };

  /** Reads the header. Only a Rewt gets a token that has yet to pass `isToken`: it refuses it. */
  function headerToken(request: Request): Credentials {
    const given = credentialsOf(request);
    return typeof given === 'string' && ownBound() === undefined && !isToken(given) ? null : given;
  }

  function decideOn(given: Credentials, request: Request, settle: Settle<Claims>, fail: Fail): void {
    if (given === undefined && optional) return void settle(undefined);
    if (given === undefined) return void refuse(responses.missing, request, settle, fail);
    if (given === null) return void refuse(responses.malformed, request, settle, fail);
    verified(given).then(
      (payload) => {
        const claims = asClaims(payload);
        if (claims instanceof ErrorResponse) return refuse(claims, request, settle, fail);
        if (authorize === undefined) return settle(claims);
        isPermitted(authorize, claims, request).then(
          (isIt) => (isIt ? settle(claims) : refuse(responses.forbidden, request, settle, fail)),
          fail,
        );
      },
      (error) => {
        const response = asResponse(error, given);
        if (response === null) fail(asError(error, 'verify'));
        else refuse(response, request, settle, fail);
      },
    );
  }

  /** Gives the response, or the result of `onRefused` in its place. */
  function refuse(response: ErrorResponse, request: Request, settle: Settle<Claims>, fail: Fail): void {
    if (onRefused === undefined) settle(response);
    else answeredBy(onRefused, response, request).then(settle, fail);
  }

  return {
    decide,
    judge: (request) => new Promise((resolve, reject) => decide(request, resolve, reject)),
    optionsWith: (overrides) => overridden(own, overrides),
  };
}

async function foundBy(find: (request: unknown) => unknown, request: unknown): Promise<Credentials> {
  try {
    return asCredentials(await find(request));
  } catch (thrown) {
    throw asError(thrown, 'token');
  }
}

async function isPermitted(
  authorize: (claims: object, request: unknown) => unknown,
  claims: object,
  request: unknown,
): Promise<boolean> {
  try {
    return (await authorize(claims, request)) === true;
  } catch (thrown) {
    throw asError(thrown, 'authorize');
  }
}

/** Replaces an error response with the result of `onRefused`, if it returns one. */
async function answeredBy(
  answer: (refusal: ErrorResponse, request: unknown) => unknown,
  response: ErrorResponse,
  request: unknown,
): Promise<ErrorResponse> {
  try {
    return readAnswer(await answer(response, request), response);
  } catch (thrown) {
    throw asError(thrown, 'onRefused');
  }
}

function textSigned(): TokenError {
  return new TokenError({ code: 'ERR_REWT_PAYLOAD_INVALID', message: 'jwt payload invalid: a text, and no claims' });
}

/**
 * Returns an Error for any thrown value, because frameworks treat some values as permission to
 * continue: `next()`, `next('route')`.
 */
export function asError(thrown: unknown, option: string): Error {
  if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]') return thrown as Error;
  return new OptionError(`${option}: failed, and with something that is no Error`, { option });
}

/**
 * Reads the result of the caller's `token` function. A list, for example a query with two tokens,
 * is the client's mistake.
 */
function asCredentials(found: unknown): Credentials {
  if (found === undefined || found === null || found === '') return undefined;
  return typeof found === 'string' ? found : null;
}
