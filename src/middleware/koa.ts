/** `rewt/koa`: middleware for Koa. The claims are in `ctx.state.rewt`. */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { createBearer } from './bearer.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';
import type { TokenVerifier, TypedAuthOptions } from './options.js';
import { bodyHeaders, CHALLENGE, ErrorResponse } from './responses.js';

export type { NodeRequest } from './credentials.js';
export type { AuthOptions, TokenVerifier, TypedAuthOptions } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

/** The state that the middleware adds: `new Koa<AuthState>()`, `new Router<AuthState>()`. */
export interface AuthState<Claims = JwtClaims> {
  /** The claims of the verified token; undefined if the route requires none. */
  rewt?: (Claims & RegisteredClaims) | undefined;
}

/** The parts of Koa's context that are used. */
export interface KoaContext {
  readonly req: NodeRequest;
  status: number;
  body: unknown;
  state: AuthState<object>;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  remove(name: string): void;
}

/** Options of `rewtAuth`. */
export type KoaAuthOptions<Claims = JwtClaims> = TypedAuthOptions<KoaContext, Claims>;

/**
 * Middleware, with a method that derives another.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/koa';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * app.use(auth.with({ optional: true }));
 * ```
 */
export interface KoaAuth<Claims extends object = JwtClaims> {
  /** Verifies the token of a request. */
  (ctx: KoaContext, next: () => Promise<unknown>): Promise<void>;
  /** Returns the same middleware with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: KoaAuthOptions<Own>): KoaAuth<Own>;
}

/**
 * Lets a request pass if its token verifies. @throws {OptionError}
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/koa';
 *
 * app.use(rewtAuth(rewt, { audience: 'orders' }));
 * app.use((ctx) => {
 *   ctx.body = { sub: ctx.state.rewt?.sub };
 * });
 * ```
 */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: KoaAuthOptions<Claims> = {},
): KoaAuth<Claims> {
  return createKoaAuth(rewt, options);
}

function createKoaAuth<Claims extends object>(rewt: TokenVerifier, options: object): KoaAuth<Claims> {
  const { judge, optionsWith } = createBearer<KoaContext, Claims & RegisteredClaims>(rewt, options, ({ req }) =>
    nodeCredentials(req),
  );

  async function rewtAuth(ctx: KoaContext, next: () => Promise<unknown>): Promise<void> {
    const outcome = await judge(ctx);
    if (outcome instanceof ErrorResponse) return answerOnKoa(ctx, outcome);
    ctx.state.rewt = outcome;
    await next();
  }

  return Object.assign(rewtAuth, {
    with: <Own extends object>(overrides: object) => createKoaAuth<Own>(rewt, optionsWith(overrides)),
  });
}

function answerOnKoa(ctx: KoaContext, { status, headers, body }: ErrorResponse): void {
  ctx.status = status;
  for (const name of bodyHeaders) ctx.remove(name);
  for (const [name, value] of Object.entries(headers)) {
    if (name === CHALLENGE) ctx.append(name, value);
    else ctx.set(name, value);
  }
  ctx.body = body;
}
