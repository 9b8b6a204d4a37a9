/** `rewt/koa`: middleware for Koa. The claims are in `ctx.state.rewt`. */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { type AuthOptions, overridden, type TokenVerifier } from './auth-options.js';
import { createBearer } from './bearer.js';
import { Refusal } from './challenge.js';
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
  set(headers: Record<string, string>): void;
}

export type KoaAuthOptions<Claims = JwtClaims> = AuthOptions<KoaContext, Claims & RegisteredClaims>;

/** Middleware, and what makes another one of it. */
export interface KoaAuth<Claims = JwtClaims> {
  (ctx: KoaContext, next: () => Promise<unknown>): Promise<void>;
  /** The same with other options for a route. @throws {OptionError} */
  with(overrides: KoaAuthOptions<Claims>): KoaAuth<Claims>;
}

/** Lets in who brings a token that `rewt` verifies. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: KoaAuthOptions<Claims> = {},
): KoaAuth<Claims> {
  const judge = createBearer<KoaContext, Claims & RegisteredClaims>(rewt, options, ({ req }) => nodeCredentials(req));

  async function rewtAuth(ctx: KoaContext, next: () => Promise<unknown>): Promise<void> {
    const outcome = await judge(ctx);
    if (outcome instanceof Refusal) return answerOnKoa(ctx, outcome);
    ctx.state.rewt = outcome;
    await next();
  }

  return Object.assign(rewtAuth, {
    with: (overrides: KoaAuthOptions<Claims>) => withOptions(rewt, overridden(options, overrides)),
  });
}

/** The middleware has the name of its maker. */
const withOptions = rewtAuth;

function answerOnKoa(ctx: KoaContext, { status, headers, body }: Refusal): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}
