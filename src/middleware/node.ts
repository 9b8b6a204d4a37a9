/**
 * `rewt/node`: for plain node:http (also https and http2) and its upgrades. It answers rejected
 * requests, and returns the claims of the others.
 */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import { createBearer } from './bearer.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';
import { answerOnNode, answerOnSocket, type NodeResponse, type NodeSocket } from './node-response.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './options.js';
import { ErrorResponse, failure } from './responses.js';

export type { NodeRequest } from './credentials.js';
export type { NodeResponse, NodeSocket } from './node-response.js';
export type { AuthOptions, TokenVerifier, TypedAuthOptions } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

/** Options of `rewtAuth`. */
export type NodeAuthOptions<Claims = JwtClaims> = TypedAuthOptions<NodeRequest, Claims>;

/** Either the request was rejected and answered, or these are its claims. */
export type NodeAdmission<Found> =
  | { readonly answered: false; readonly claims: Found }
  | { readonly answered: true; readonly claims?: undefined };

/**
 * Verifies a request, and answers a rejected one: on the response, or on the socket of an
 * `'upgrade'`, which is then closed.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/node';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * const { claims } = await auth.with({ optional: true })(request, response);
 * ```
 */
export interface NodeAuth<Claims extends object, Missing extends undefined = never> {
  /** Verifies the token of a request, and answers a rejected one. */
  (
    request: NodeRequest,
    response: NodeResponse | NodeSocket,
  ): Promise<NodeAdmission<(Claims & RegisteredClaims) | Missing>>;
  /** Returns the same check for a route that needs no token. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<NodeAuthOptions<Own>>): NodeAuth<Own, undefined>;
  /** Returns the same check with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: NodeAuthOptions<Own>): NodeAuth<Own, Missing>;
}

/** Makes a check that admits requests without a token too. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<NodeAuthOptions<Claims>>,
): NodeAuth<Claims, undefined>;
/**
 * Makes the check. @throws {OptionError}
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/node';
 *
 * const auth = rewtAuth(rewt, { audience: 'orders' });
 * const { answered, claims } = await auth(request, response);
 * if (!answered) response.end(`hello ${claims.sub}`);
 * ```
 */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options?: Mandatory<NodeAuthOptions<Claims>>,
): NodeAuth<Claims>;
export function rewtAuth<Claims extends object>(
  rewt: TokenVerifier,
  options: NodeAuthOptions<Claims> = {},
): NodeAuth<Claims> {
  return createNodeAuth(rewt, options);
}

function createNodeAuth<Claims extends object>(rewt: TokenVerifier, options: object): NodeAuth<Claims> {
  type Found = Claims & RegisteredClaims;
  const { judge, optionsWith } = createBearer<NodeRequest, Found>(rewt, options, nodeCredentials);

  async function onResponse(request: NodeRequest, response: NodeResponse): Promise<NodeAdmission<Found>> {
    const outcome = await judge(request);
    // Undefined only if the types say so.
    if (!(outcome instanceof ErrorResponse)) return { answered: false, claims: outcome as Found };
    answerOnNode(response, outcome);
    return { answered: true };
  }

  async function onSocket(request: NodeRequest, socket: NodeSocket): Promise<NodeAdmission<Found>> {
    // The server no longer handles the socket. Without a listener, a client that disconnects would
    // end the process.
    socket.on('error', ignore);
    try {
      const outcome = await judge(request);
      if (outcome instanceof ErrorResponse) {
        answerOnSocket(socket, outcome);
        return { answered: true };
      }
      socket.removeListener('error', ignore);
      return { answered: false, claims: outcome as Found };
    } catch (error) {
      answerOnSocket(socket, failure);
      throw error;
    }
  }

  function rewtAuth(request: NodeRequest, response: NodeResponse | NodeSocket): Promise<NodeAdmission<Found>> {
    const admission = 'setHeader' in response ? onResponse(request, response) : onSocket(request, response);
    // The caller may not await the result: `server.on('upgrade', auth)`.
    admission.catch(ignore);
    return admission;
  }

  return Object.assign(rewtAuth, {
    with: <Own extends object>(overrides: object) => createNodeAuth<Own>(rewt, optionsWith(overrides)),
  });
}

function ignore(): void {}
