/** `rewt/node`: for plain node:http (also https and http2), and for its upgrades. It answers requests that are refused, and gives the claims of all others. */

import type { JwtClaims, RegisteredClaims } from '../jwt/registered-claims.js';
import type { Mandatory, Optional, TokenVerifier, TypedAuthOptions } from './auth-options.js';
import { createBearer } from './bearer.js';
import { ErrorResponse, failure } from './challenge.js';
import { type NodeRequest, nodeCredentials } from './credentials.js';
import { answerOnNode, answerOnSocket, type NodeResponse, type NodeSocket } from './node-answer.js';

export type NodeAuthOptions<Claims = JwtClaims> = TypedAuthOptions<NodeRequest, Claims>;

/** Either the request was refused, and has its answer, or these are its claims. */
export type NodeAdmission<Found> =
  | { readonly answered: false; readonly claims: Found }
  | { readonly answered: true; readonly claims?: undefined };

/** Judges a request, and answers it if it is refused: on the response, or on the socket of an `'upgrade'`, which is then closed. */
export interface NodeAuth<Claims extends object, Missing extends undefined = never> {
  (
    request: NodeRequest,
    response: NodeResponse | NodeSocket,
  ): Promise<NodeAdmission<(Claims & RegisteredClaims) | Missing>>;
  /** The same with other options for a route. @throws {OptionError} */
  with<Own extends object = Claims>(overrides: Optional<NodeAuthOptions<Own>>): NodeAuth<Own, undefined>;
  with<Own extends object = Claims>(overrides: NodeAuthOptions<Own>): NodeAuth<Own, Missing>;
}

/** `const { answered, claims } = await auth(request, response)`. @throws {OptionError} */
export function rewtAuth<Claims extends object = JwtClaims>(
  rewt: TokenVerifier,
  options: Optional<NodeAuthOptions<Claims>>,
): NodeAuth<Claims, undefined>;
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
    // Nothing only where the types say so.
    if (!(outcome instanceof ErrorResponse)) return { answered: false, claims: outcome as Found };
    answerOnNode(response, outcome);
    return { answered: true };
  }

  async function onSocket(request: NodeRequest, socket: NodeSocket): Promise<NodeAdmission<Found>> {
    // The server has let go of the socket: without a listener, a client that goes away would end the process.
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
    // It may be awaited nowhere: `server.on('upgrade', auth)`.
    admission.catch(ignore);
    return admission;
  }

  return Object.assign(rewtAuth, {
    with: <Own extends object>(overrides: object) => createNodeAuth<Own>(rewt, optionsWith(overrides)),
  });
}

function ignore(): void {}
