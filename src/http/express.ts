/** `rewt/express`: middleware for Express 4 and 5, and for every server that takes what connect takes. The claims are in `req.auth`. */

import type { JwtClaims } from '../jwt/registered-claims.js';
import type { AuthOptions, TokenVerifier } from './auth-options.js';
import { asError, createBearer } from './bearer.js';
import { ErrorResponse, failure } from './challenge.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';
import { answerOnNode, type NodeResponse } from './node-answer.js';

/** The claims in `req.auth`. Declare yours once: `declare module 'rewt/express' { interface AuthClaims { tenant: string } }`. */
export interface AuthClaims extends JwtClaims {}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the verified token; undefined where the route asks for none. */
      auth?: AuthClaims | undefined;
    }
  }
}

export type ExpressAuthOptions = AuthOptions<NodeRequest, AuthClaims>;

/** Middleware, and what makes another one of it. */
export interface ExpressAuth {
  (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void): void;
  /** The same with other options for a route. @throws {OptionError} */
  with(overrides: ExpressAuthOptions): ExpressAuth;
}

/** Lets in who brings a token that `rewt` verifies. @throws {OptionError} */
export function rewtAuth(rewt: TokenVerifier, options: ExpressAuthOptions = {}): ExpressAuth {
  const { judge, optionsWith } = createBearer<NodeRequest, AuthClaims>(rewt, options, nodeCredentials);

  // A name, since it is what stack traces and lists of routes show.
  function rewtAuth(
    request: NodeRequest & { auth?: AuthClaims | undefined },
    response: NodeResponse,
    next: (error?: unknown) => void,
  ): void {
    judge(request)
      .then((outcome) => {
        if (outcome instanceof ErrorResponse) return answerOnNode(response, outcome);
        request.auth = outcome;
        next();
      })
      .catch(next)
      .catch((thrown) => {
        // Of `next` itself: nothing above it could catch what it throws.
        process.emitWarning(asError(thrown, 'next'));
        answerOnNode(response, failure);
      });
  }

  return Object.assign(rewtAuth, {
    with: (overrides: ExpressAuthOptions) => withOptions(rewt, optionsWith(overrides)),
  });
}

/** The middleware has the name of its maker. */
const withOptions = rewtAuth;
