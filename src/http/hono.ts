/** `rewt/hono`: middleware for Hono. The claims are in `c.get('rewt')`, typed in the handlers of the same route. */

import type { Context, MiddlewareHandler } from 'hono';
import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './auth-options.js';
import { createBearer } from './bearer.js';
import { bodyHeaders, CHALLENGE, ErrorResponse } from './challenge.js';
import { webCredentials } from './credentials.js';

declare module 'hono' {
  interface ContextVariableMap {
    /** The claims of the verified token, where TypeScript cannot tell whether the route asks for one. */
    rewt: JwtClaims | undefined;
  }
}

export type HonoAuthOptions<Claims = JwtClaims> = TypedAuthOptions<Context, Claims>;

/** Middleware after which `c.get('rewt')` are the claims, or what is `Missing`, and what makes another one of it. */
export interface HonoAuth<Claims extends object, Missing extends undefined = never>
  extends MiddlewareHandler<{ Variables: { rewt: (Claims & RegisteredClaims) | Missing } }> {
  /** The same with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<HonoAuthOptions<Own>>): HonoAuth<Own, undefined>;
  with<Own extends object = Claims>(overrides: HonoAuthOptions<Own>): HonoAuth<Own, Missing>;
}

/** Lets in who brings a token that `rewt` verifies. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<HonoAuthOptions<Claims>>,
): HonoAuth<Claims, undefined>;
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options?: Mandatory<HonoAuthOptions<Claims>>,
): HonoAuth<Claims>;
export function rewtAuth<Claims extends object>(
  rewt: TokenVerifier,
  options: HonoAuthOptions<Claims> = {},
): HonoAuth<Claims> | HonoAuth<Claims, undefined> {
  return createHonoAuth<Claims, never>(rewt, options);
}

function createHonoAuth<Claims extends object, Missing extends undefined>(
  rewt: TokenVerifier,
  options: object,
): HonoAuth<Claims, Missing> {
  type Found = (Claims & RegisteredClaims) | Missing;
  const { judge, optionsWith } = createBearer<Context, Claims & RegisteredClaims>(rewt, options, (c) =>
    webCredentials(c.req.raw.headers),
  );

  const rewtAuth: MiddlewareHandler<{ Variables: { rewt: Found } }> = async function rewtAuth(c, next) {
    const outcome = await judge(c);
    if (outcome instanceof ErrorResponse) return answerOnHono(c, outcome);
    // Nothing only where the types say so.
    c.set('rewt', outcome as Found);
    await next();
  };

  return Object.assign(rewtAuth, {
    with: <Own extends object, Missing extends undefined>(overrides: object) =>
      createHonoAuth<Own, Missing>(rewt, optionsWith(overrides)),
  });
}

/** By Hono's own means, so that headers of other middleware stay: a Response of ours would have them put on top of it. */
function answerOnHono(c: Context, { status, headers, body }: ErrorResponse): Response {
  for (const name of bodyHeaders) c.header(name, undefined);
  for (const [name, value] of Object.entries(headers)) c.header(name, value, { append: name === CHALLENGE });
  return body === '' ? c.body(null, status as 401) : c.body(body, status as 401);
}
