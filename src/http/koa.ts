/** `rewt/koa`: middleware for Koa. The claims are in `ctx.state.rewt`. */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import type { TokenVerifier, TypedAuthOptions } from './auth-options.js';
import { createBearer } from './bearer.js';
import { bodyHeaders, CHALLENGE, ErrorResponse } from './challenge.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';

/** What the middleware adds to the state: `new Koa<AuthState>()`, `new Router<AuthState>()`. */
export interface AuthState<Claims = JwtClaims> {
  /** The claims of the verified token; undefined where the route asks for none. */
  rewt?: (Claims & RegisteredClaims) | undefined;
}

/** What we need of Koa's context. */
export interface KoaContext {
  readonly req: NodeRequest;
  status: number;
  body: unknown;
  state: AuthState<object>;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  remove(name: string): void;
}

export type KoaAuthOptions<Claims = JwtClaims> = TypedAuthOptions<KoaContext, Claims>;

/** Middleware, and what makes another one of it. */
export interface KoaAuth<Claims extends object = JwtClaims> {
  (ctx: KoaContext, next: () => Promise<unknown>): Promise<void>;
  /** The same with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: KoaAuthOptions<Own>): KoaAuth<Own>;
}

/** Lets in who brings a token that `rewt` verifies. @throws {OptionError} */
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
