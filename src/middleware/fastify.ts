/**
 * `rewt/fastify`: a plugin. `fastify.rewtAuth()` makes hooks, and the claims are in `request.rewt`.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JwtClaims } from '../jwt/registered-claims.js';
import { type Bearer, createBearer } from './bearer.js';
import { nodeCredentials } from './credentials.js';
import { type AuthOptions, readName, type TokenVerifier, takenName } from './options.js';
import { besideOthers, bodyHeaders, CHALLENGE, ErrorResponse } from './responses.js';

export type { AuthOptions, TokenVerifier } from './options.js';
export type { Answer, ErrorName, ErrorResponse } from './responses.js';

/**
 * The claims in `request.rewt`. Declare yours once:
 * `declare module 'rewt/fastify' { interface AuthClaims { tenant: string } }`.
 */
export interface AuthClaims extends JwtClaims {}

/** Options of `rewtAuth`, and of the hooks that it makes. */
export type FastifyAuthOptions = AuthOptions<FastifyRequest, AuthClaims>;

/** Options of the plugin. */
export interface FastifyAuthPluginOptions extends FastifyAuthOptions {
  /** The Rewt that verifies the tokens. */
  rewt: TokenVerifier;
  /**
   * Names the decorators, for a second keyring in one server. With `'partner'`,
   * `fastify.partnerAuth()` makes the hooks, and the claims are in `request.partner`. Default:
   * `'rewt'`.
   */
  name?: string | undefined;
}

/** A hook for `onRequest`, `preValidation` or `preHandler`. */
export type FastifyAuthHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Makes a hook that lets a request pass if its token verifies. The given options replace those
     * of the plugin. @throws {OptionError}
     */
    rewtAuth(overrides?: FastifyAuthOptions): FastifyAuthHook;
  }
  interface FastifyRequest {
    /** The claims of the verified token; undefined if the route requires none. */
    rewt: AuthClaims | undefined;
  }
}

/**
 * Registers the plugin: `fastify.register(rewtAuth, { rewt, …options })`. A route or an instance is
 * protected only if it uses the hook.
 *
 * Async, because an error thrown by a plugin with a callback would end the process. @throws
 * {OptionError} in the promise.
 *
 * @example
 * ```ts
 * import rewtAuth from 'rewt/fastify';
 *
 * await fastify.register(rewtAuth, { rewt, audience: 'orders' });
 * fastify.get('/me', { onRequest: fastify.rewtAuth() }, async ({ rewt }) => ({ sub: rewt?.sub }));
 * ```
 */
export async function rewtAuth(fastify: FastifyInstance, options: FastifyAuthPluginOptions): Promise<void> {
  // The named options are Fastify's: `register` accepts them beside the options of any plugin.
  const {
    rewt,
    name = 'rewt',
    prefix: _,
    logLevel: __,
    logSerializers: ___,
    ...given
  } = options as typeof options & RegisterOptions;
  // Reports a wrong option at `register`, before any route is added.
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

// Set as the package fastify-plugin does: the instance that registers the plugin gets the
// decorators too.
Object.assign(rewtAuth, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'rewt',
  [Symbol.for('plugin-meta')]: { name: 'rewt', fastify: '>=4' },
});

export default rewtAuth;

/**
 * Properties that Fastify sets on each request. `hasRequestDecorator` of older versions knows only
 * those of the prototype.
 */
const setOnRequests: readonly string[] = [
  'id',
  'params',
  'raw',
  'query',
  'log',
  'body',
  'validationError',
] satisfies (keyof FastifyRequest)[];

/**
 * Checks if a request has this property without rewt. Its value would come from the client, such as
 * `headers`, or could not be set.
 */
function isRequestProperty(fastify: FastifyInstance, name: string): boolean {
  return fastify.hasRequestDecorator(name) || setOnRequests.includes(name);
}

function bearerOf(rewt: TokenVerifier, options: object): Bearer<FastifyRequest, AuthClaims> {
  return createBearer(rewt, options, ({ raw }) => nodeCredentials(raw));
}

function createHook(rewt: TokenVerifier, name: string, options: object): FastifyAuthHook {
  const { decide } = bearerOf(rewt, options);
  return function rewtAuth(request, reply, done) {
    const fail = (error: unknown): void => done(error as Error);
    const settle = (outcome: AuthClaims | ErrorResponse | undefined): void => {
      try {
        if (outcome instanceof ErrorResponse) return void answerOnFastify(reply, outcome);
        (request as unknown as Record<string, unknown>)[name] = outcome;
        done();
      } catch (thrown) {
        fail(thrown);
      }
    };
    decide(request, settle, fail);
  };
}

function answerOnFastify(reply: FastifyReply, { status, headers, body }: ErrorResponse): void {
  // Another handler, such as a timeout, has answered meanwhile.
  if (reply.sent) return;
  reply.code(status);
  for (const header of bodyHeaders) reply.removeHeader(header);
  for (const [header, value] of Object.entries(headers)) {
    reply.header(header, header === CHALLENGE ? besideOthers(reply.getHeader(header), value) : value);
  }
  // For '' Fastify would set a content-type.
  reply.send(body === '' ? undefined : body);
}
