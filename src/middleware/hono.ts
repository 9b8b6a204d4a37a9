/**
 * `rewt/hono`: middleware for Hono. The claims are in `c.get('rewt')`, typed in the handlers of the
 * same route.
 */

import type { Context, MiddlewareHandler } from 'hono';
import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { createBearer } from './bearer.js';
import { webCredentials } from './credentials.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './options.js';
import { bodyHeaders, CHALLENGE, ErrorResponse } from './responses.js';

export type { AuthOptions, TokenVerifier, TypedAuthOptions } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

declare module 'hono' {
  interface ContextVariableMap {
    /**
     * The claims of the verified token, if TypeScript cannot know whether the route requires one.
     */
    rewt: JwtClaims | undefined;
  }
}

/** Options of `rewtAuth`. */
export type HonoAuthOptions<Claims = JwtClaims> = TypedAuthOptions<Context, Claims>;

/**
 * Middleware that sets `c.get('rewt')` to the claims, or to `Missing`, with a method that derives
 * another.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/hono';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * app.get('/news', auth.with({ optional: true }), (c) => c.text(c.get('rewt')?.sub ?? 'hello'));
 * ```
 */
export interface HonoAuth<Claims extends object, Missing extends undefined = never>
  extends MiddlewareHandler<{ Variables: { rewt: (Claims & RegisteredClaims) | Missing } }> {
  /** Returns the same middleware for a route that needs no token. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<HonoAuthOptions<Own>>): HonoAuth<Own, undefined>;
  /** Returns the same middleware with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: HonoAuthOptions<Own>): HonoAuth<Own, Missing>;
}

/** Lets a request without a token pass too. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<HonoAuthOptions<Claims>>,
): HonoAuth<Claims, undefined>;
/**
 * Lets a request pass if its token verifies. @throws {OptionError}
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/hono';
 *
 * const auth = rewtAuth<{ tenant: string }>(rewt, { audience: 'orders' });
 * app.get('/me', auth, (c) => c.text(c.get('rewt').tenant));
 * ```
 */
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
    // Undefined only if the types say so.
    c.set('rewt', outcome as Found);
    await next();
  };

  return Object.assign(rewtAuth, {
    with: <Own extends object, Missing extends undefined>(overrides: object) =>
      createHonoAuth<Own, Missing>(rewt, optionsWith(overrides)),
  });
}

/**
 * Answers with Hono's own methods, so that headers of other middleware stay. Hono would lay those
 * over a Response of ours.
 */
function answerOnHono(c: Context, { status, headers, body }: ErrorResponse): Response {
  for (const name of bodyHeaders) c.header(name, undefined);
  for (const [name, value] of Object.entries(headers)) c.header(name, value, { append: name === CHALLENGE });
  return body === '' ? c.body(null, status as 401) : c.body(body, status as 401);
}
