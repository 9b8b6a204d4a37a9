/** `rewt/web`: for handlers that take the web's Request and give a Response. It makes the answer for who is refused, and gives the claims of all others. */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './auth-options.js';
import { createBearer } from './bearer.js';
import { ErrorResponse } from './challenge.js';
import { type WebHeaders, webCredentials } from './credentials.js';

/** What we need of the web's Request. */
export interface WebRequest {
  readonly headers: WebHeaders;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** The web's Response, as far as the types of the program that asks know it. */
export type WebResponse = typeof globalThis extends { Response: { prototype: infer Known } } ? Known : object;

export type WebAuthOptions<Claims = JwtClaims> = TypedAuthOptions<WebRequest, Claims>;

/** Either the request is refused, and this is the answer, or these are its claims. */
export type WebAdmission<Found> =
  | { readonly response?: undefined; readonly claims: Found }
  | { readonly response: WebResponse; readonly claims?: undefined };

/** Judges a request. */
export interface WebAuth<Claims extends object, Missing extends undefined = never> {
  (request: WebRequest): Promise<WebAdmission<(Claims & RegisteredClaims) | Missing>>;
  /** The same with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<WebAuthOptions<Own>>): WebAuth<Own, undefined>;
  with<Own extends object = Claims>(overrides: WebAuthOptions<Own>): WebAuth<Own, Missing>;
}

/** `const { response, claims } = await auth(request)`. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<WebAuthOptions<Claims>>,
): WebAuth<Claims, undefined>;
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
    // Nothing only where the types say so.
    return { claims: outcome as Found };
  }

  return Object.assign(rewtAuth, {
    with: <Own extends object>(overrides: object) => createWebAuth<Own>(rewt, optionsWith(overrides)),
  });
}

function webAnswer({ status, headers, body }: ErrorResponse): Response {
  return new Response(body === '' ? null : body, { status, headers });
}
