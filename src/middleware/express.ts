/**
 * `rewt/express`: middleware for Express 4 and 5, and for every server with connect's signature.
 * The claims are in `req.auth`.
 */

import type { JwtClaims } from '../jwt/registered-claims.js';
import { asError, createBearer } from './bearer.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';
import { answerOnNode, type NodeResponse } from './node-response.js';
import type { AuthOptions, TokenVerifier } from './options.js';
import { ErrorResponse, failure } from './responses.js';

export type { NodeRequest } from './credentials.js';
export type { NodeResponse } from './node-response.js';
export type { AuthOptions, TokenVerifier } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

/**
 * The claims in `req.auth`. Declare yours once:
 * `declare module 'rewt/express' { interface AuthClaims { tenant: string } }`.
 */
export interface AuthClaims extends JwtClaims {}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the verified token; undefined if the route requires none. */
      auth?: AuthClaims | undefined;
    }
  }
}

/** Options of `rewtAuth`. */
export type ExpressAuthOptions = AuthOptions<NodeRequest, AuthClaims>;

/**
 * Middleware, with a method that derives another.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/express';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * app.delete('/orders/:id', auth.with({ requiredClaims: ['role'] }));
 * ```
 */
export interface ExpressAuth {
  /** Verifies the token of a request. */
  (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void): void;
  /** Returns the same middleware with other options for a route. @throws {OptionError} */
  with(overrides: ExpressAuthOptions): ExpressAuth;
}

/**
 * Lets a request pass if its token verifies. @throws {OptionError}
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/express';
 *
 * app.use(rewtAuth(rewt, { audience: 'orders' }));
 * app.get('/me', (req, res) => res.json({ sub: req.auth?.sub }));
 * ```
 */
export function rewtAuth(rewt: TokenVerifier, options: ExpressAuthOptions = {}): ExpressAuth {
  const { decide, optionsWith } = createBearer<NodeRequest, AuthClaims>(rewt, options, nodeCredentials);

  // Named, because stack traces and lists of routes show the name.
  function rewtAuth(
    request: NodeRequest & { auth?: AuthClaims | undefined },
    response: NodeResponse,
    next: (error?: unknown) => void,
  ): void {
    function fail(error: unknown): void {
      try {
        next(error);
      } catch (thrown) {
        // No caller above could catch it.
        process.emitWarning(asError(thrown, 'next'));
        answerOnNode(response, failure);
      }
    }

    function settle(outcome: AuthClaims | ErrorResponse | undefined): void {
      try {
        if (outcome instanceof ErrorResponse) return void answerOnNode(response, outcome);
        request.auth = outcome;
        next();
      } catch (thrown) {
        fail(thrown);
      }
    }

    decide(request, settle, fail);
  }

  return Object.assign(rewtAuth, {
    with: (overrides: ExpressAuthOptions) => withOptions(rewt, optionsWith(overrides)),
  });
}

/** An alias for `rewtAuth`, which the middleware's own name shadows. */
const withOptions = rewtAuth;
