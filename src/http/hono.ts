/** `rewt/hono`: middleware for Hono. The claims are in `c.get('rewt')`, typed in the handlers of the same route. */

import type { Context, MiddlewareHandler } from 'hono';
import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { type AuthOptions, type Mandatory, type Optional, overridden, type TokenVerifier } from './auth-options.js';
import { createBearer } from './bearer.js';
import { Refusal } from './challenge.js';
import { webCredentials } from './credentials.js';
import { webAnswer } from './web-answer.js';

declare module 'hono' {
  interface ContextVariableMap {
    /** The claims of the verified token, where TypeScript cannot tell whether the route asks for one. */
    rewt: JwtClaims | undefined;
  }
}

export type HonoAuthOptions<Claims = JwtClaims> = AuthOptions<Context, Claims & RegisteredClaims>;

/** Middleware after which `c.get('rewt')` is `Found`, and what makes another one of it. */
export interface HonoAuth<Claims, Found = Claims & RegisteredClaims>
  extends MiddlewareHandler<{ Variables: { rewt: Found } }> {
  /** The same with other options for a route. @throws {OptionError} */
  with(overrides: Optional<HonoAuthOptions<Claims>>): HonoAuth<Claims, (Claims & RegisteredClaims) | undefined>;
  with(overrides: HonoAuthOptions<Claims>): HonoAuth<Claims, Found>;
}

/** Lets in who brings a token that `rewt` verifies. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<HonoAuthOptions<Claims>>,
): HonoAuth<Claims, (Claims & RegisteredClaims) | undefined>;
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options?: Mandatory<HonoAuthOptions<Claims>>,
): HonoAuth<Claims>;
export function rewtAuth<Claims extends object>(
  rewt: TokenVerifier,
  options: HonoAuthOptions<Claims> = {},
): HonoAuth<Claims> {
  return createHonoAuth(rewt, options);
}

function createHonoAuth<Claims extends object>(
  rewt: TokenVerifier,
  options: HonoAuthOptions<Claims>,
): HonoAuth<Claims> {
  type Found = Claims & RegisteredClaims;
  const judge = createBearer<Context, Found>(rewt, options, (c) => webCredentials(c.req.raw.headers));

  const rewtAuth: MiddlewareHandler<{ Variables: { rewt: Found } }> = async function rewtAuth(c, next) {
    const outcome = await judge(c);
    if (outcome instanceof Refusal) return webAnswer(outcome);
    // Nothing only where the types say so.
    c.set('rewt', outcome as Found);
    await next();
  };

  const withOptions = (overrides: HonoAuthOptions<Claims>) => createHonoAuth(rewt, overridden(options, overrides));
  // What `with` finds besides is a matter of types.
  return Object.assign(rewtAuth, { with: withOptions as HonoAuth<Claims>['with'] });
}
