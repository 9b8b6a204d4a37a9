/** `rewt/fastify`: a plugin; `fastify.rewtAuth()` makes hooks, and the claims are in `request.rewt`. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JwtClaims } from '../jwt/registered-claims.js';
import { type AuthOptions, readName, type TokenVerifier, takenName } from './auth-options.js';
import { type Bearer, createBearer } from './bearer.js';
import { besideOthers, bodyHeaders, CHALLENGE, ErrorResponse } from './challenge.js';
import { nodeCredentials } from './credentials.js';

/** The claims in `request.rewt`. Declare yours once: `declare module 'rewt/fastify' { interface AuthClaims { tenant: string } }`. */
export interface AuthClaims extends JwtClaims {}

export type FastifyAuthOptions = AuthOptions<FastifyRequest, AuthClaims>;

export interface FastifyAuthPluginOptions extends FastifyAuthOptions {
  rewt: TokenVerifier;
  /**
   * Names what the plugin adds, for a second keyring in one server: with `'partner'` the hooks are made by `fastify.partnerAuth()`, and the claims are in `request.partner`.
   * Default: `'rewt'`.
   */
  name?: string | undefined;
}

/** For `onRequest`, `preValidation` and `preHandler`. */
export type FastifyAuthHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that lets in who brings a token that counts; the options are those of the plugin, but for these. @throws {OptionError} */
    rewtAuth(overrides?: FastifyAuthOptions): FastifyAuthHook;
  }
  interface FastifyRequest {
    /** The claims of the verified token; undefined where the route asks for none. */
    rewt: AuthClaims | undefined;
  }
}

/**
 * `fastify.register(rewtAuth, { rewt, …options })`. Nothing is protected before a route or an instance has the hook.
 *
 * Async, since what a plugin with a callback throws would end the process. @throws {OptionError} in the promise.
 */
export async function rewtAuth(fastify: FastifyInstance, options: FastifyAuthPluginOptions): Promise<void> {
  // What remains of it is Fastify's: `register` takes these beside the options of any plugin.
  const {
    rewt,
    name = 'rewt',
    prefix: _,
    logLevel: __,
    logSerializers: ___,
    ...given
  } = options as typeof options & RegisterOptions;
  // So that a wrong option is told by `register`, and not first by the routes.
  const { optionsWith } = bearerOf(rewt, given);
  const maker = `${readName(name)}Auth`;
  if (fastify.hasDecorator(maker) || isRequestProperty(fastify, name)) throw takenName(name);
  fastify.decorateRequest(name, undefined);
  fastify.decorate(maker, (overrides = {}) => createHook(rewt, name, optionsWith(overrides)));
}

interface RegisterOptions {
  prefix?: unknown;
  logLevel?: unknown;
  logSerializers?: unknown;
}

// What the package fastify-plugin would set: the decorators are for those who register the plugin, not for itself alone.
Object.assign(rewtAuth, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'rewt',
  [Symbol.for('plugin-meta')]: { name: 'rewt', fastify: '>=4' },
});

export default rewtAuth;

/** Properties that Fastify sets on each request; `hasRequestDecorator` of its older versions knows only those of the prototype. */
const setOnRequests: readonly string[] = [
  'id',
  'params',
  'raw',
  'query',
  'log',
  'body',
  'validationError',
] satisfies (keyof FastifyRequest)[];

/** Checks if a request has this property without rewt: its value would be the client's, such as `headers`, or could not be set. */
function isRequestProperty(fastify: FastifyInstance, name: string): boolean {
  return fastify.hasRequestDecorator(name) || setOnRequests.includes(name);
}

function bearerOf(rewt: TokenVerifier, options: object): Bearer<FastifyRequest, AuthClaims> {
  return createBearer(rewt, options, ({ raw }) => nodeCredentials(raw));
}

function createHook(rewt: TokenVerifier, name: string, options: object): FastifyAuthHook {
  const { judge } = bearerOf(rewt, options);
  return function rewtAuth(request, reply, done) {
    judge(request)
      .then((outcome) => {
        if (outcome instanceof ErrorResponse) return answerOnFastify(reply, outcome);
        (request as unknown as Record<string, unknown>)[name] = outcome;
        done();
      })
      .catch(done);
  };
}

function answerOnFastify(reply: FastifyReply, { status, headers, body }: ErrorResponse): void {
  // Somebody else has lost patience meanwhile.
  if (reply.sent) return;
  reply.code(status);
  for (const header of bodyHeaders) reply.removeHeader(header);
  for (const [header, value] of Object.entries(headers)) {
    reply.header(header, header === CHALLENGE ? besideOthers(reply.getHeader(header), value) : value);
  }
  // For '' Fastify would set a content-type.
  reply.send(body === '' ? undefined : body);
}
