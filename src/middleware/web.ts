/**
 * `rewt/web`: for handlers that take the web's Request and return a Response. It makes the response
 * for a rejected request, and returns the claims of the others.
 */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { createBearer } from './bearer.js';
import { type WebHeaders, webCredentials } from './credentials.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './options.js';
import { ErrorResponse } from './responses.js';

export type { WebHeaders } from './credentials.js';
export type { AuthOptions, TokenVerifier, TypedAuthOptions } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

/** The parts of the web's Request that are read. */
export interface WebRequest {
  readonly headers: WebHeaders;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** The web's Response, if the caller's types include it. */
export type WebResponse = typeof globalThis extends { Response: { prototype: infer Known } } ? Known : object;

/** Options of `rewtAuth`. */
export type WebAuthOptions<Claims = JwtClaims> = TypedAuthOptions<WebRequest, Claims>;

/** Either the request was rejected and this is the response, or these are its claims. */
export type WebAdmission<Found> =
  | { readonly response?: undefined; readonly claims: Found }
  | { readonly response: WebResponse; readonly claims?: undefined };

/**
 * Verifies a request.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/web';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * const { response, claims } = await auth.with({ optional: true })(request);
 * ```
 */
export interface WebAuth<Claims extends object, Missing extends undefined = never> {
  /** Verifies the token of a request, and makes the response for a rejected one. */
  (request: WebRequest): Promise<WebAdmission<(Claims & RegisteredClaims) | Missing>>;
  /** Returns the same check for a route that needs no token. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<WebAuthOptions<Own>>): WebAuth<Own, undefined>;
  /** Returns the same check with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: WebAuthOptions<Own>): WebAuth<Own, Missing>;
}

/** Makes a check that admits requests without a token too. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<WebAuthOptions<Claims>>,
): WebAuth<Claims, undefined>;
/**
 * Makes the check. @throws {OptionError}
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/web';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * export async function GET(request: Request) {
 *   const { response, claims } = await auth(request);
 *   return response ?? Response.json({ sub: claims.sub });
 * }
 * ```
 */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options?: Mandatory<WebAuthOptions<Claims>>,
): WebAuth<Claims>;
export function rewtAuth<Claims extends object>(
  rewt: TokenVerifier,
  options: WebAuthOptions<Claims> = {},
): WebAuth<Claims> {
  return createWebAuth(rewt, options);
}

function createWebAuth<Claims extends object>(rewt: TokenVerifier, options: object): WebAuth<Claims> {
  type Found = Claims & RegisteredClaims;
  const { judge, optionsWith } = createBearer<WebRequest, Found>(rewt, options, ({ headers }) =>
    webCredentials(headers),
  );

  async function rewtAuth(request: WebRequest): Promise<WebAdmission<Found>> {
    const outcome = await judge(request);
    if (outcome instanceof ErrorResponse) return { response: webAnswer(outcome) };
    // Undefined only if the types say so.
    return { claims: outcome as Found };
  }

  return Object.assign(rewtAuth, {
    with: <Own extends object>(overrides: object) => createWebAuth<Own>(rewt, optionsWith(overrides)),
  });
}

function webAnswer({ status, headers, body }: ErrorResponse): Response {
  return new Response(body === '' ? null : body, { status, headers });
}
