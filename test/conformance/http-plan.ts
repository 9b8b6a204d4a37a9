/**
 * What the suites of HTTP are given and make: servers, tokens of each kind, and the table of whole
 * answers.
 */
import { createSecretKey } from 'node:crypto';
import { expect } from 'vitest';
import type { JwtClaims, Rewt } from '../../src/index.js';
import type { AuthOptions } from '../../src/middleware/options.js';
import { kidOf } from '../interop/fleet.js';
import { forge } from '../jwt/forge.js';
import type { RawAnswer } from '../middleware/raw-client.js';
import { knownSecrets } from '../support/known-ring.js';

/** The options of one route, on top of those of the whole server. */
export type RouteOptions = Omit<AuthOptions<unknown, JwtClaims>, 'schema'>;

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * What to build with a framework: each of `routes` is a path, and answers `{"claims": …}` with the
 * claims that the framework has there, or null.
 */
export interface ServerPlan {
  readonly rewt: Rewt;
  readonly options: RouteOptions;
  readonly routes: Readonly<Record<string, RouteOptions>>;
  /** Headers that other middleware sets on each answer, before `rewtAuth`. Default: none. */
  readonly before?: Readonly<Record<string, string>>;
}

export interface HttpFixture {
  /**
   * An error that reaches the framework's own error handler is answered with 500 and its message.
   */
  start(plan: ServerPlan): Promise<RunningServer>;
  /**
   * Whether other middleware of this framework can set headers on an answer of `rewtAuth`. Default:
   * true.
   */
  readonly hasOthers?: boolean;
  /** Reads a header of the request that `token`, `authorize` and `onRefused` are given. */
  headerOf(request: never, name: string): string | undefined;
}

export const bare = 'Bearer realm="orders"';
/** The whole answer, by name: status, challenge, error in the body. */
export const answers = {
  missing: [401, bare, 'unauthorized'],
  malformed: [400, `${bare}, error="invalid_request"`, 'invalid_request'],
  refused: [401, `${bare}, error="invalid_token"`, 'invalid_token'],
  forbidden: [403, `${bare}, error="insufficient_scope"`, 'insufficient_scope'],
  scoped: [403, `${bare}, error="insufficient_scope", scope="orders:write orders:read"`, 'insufficient_scope'],
  unavailable: [503, undefined, 'temporarily_unavailable'],
} as const;

/** A token of each kind, by the name that stands in the table. */
export function tokens(): Record<string, string> {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const honest = { sub: 'ann', aud: 'orders', iat: nowSeconds, exp: nowSeconds + 60 };
  const header = { alg: 'HS256', typ: 'JWT', kid: kidOf(knownSecrets.current) };
  const signed = (claims: object | string, secret = knownSecrets.current, head: object = header) =>
    forge(head, typeof claims === 'string' ? claims : JSON.stringify(claims), createSecretKey(Buffer.from(secret)));
  const good = signed(honest);
  return {
    GOOD: good,
    ADMIN: signed({ ...honest, role: 'admin' }),
    EXPIRED: signed({ ...honest, exp: nowSeconds - 60 }),
    EARLY: signed({ ...honest, nbf: nowSeconds + 50 }),
    ELSEWHERE: signed({ ...honest, aud: 'billing' }),
    FORGED: signed(honest, 'a-secret-that-nobody-in-this-namespace-has--'),
    NONE: signed(honest, knownSecrets.current, { ...header, alg: 'none' }),
    UNSIGNED: good.slice(0, good.lastIndexOf('.') + 1),
    TEXT: signed('just a text'),
    NO_CLAIMS: signed('null'),
    UNKNOWN: signed(honest, undefined, { ...header, kid: 'unknown-kid' }),
    LONG: 'a'.repeat(12_000),
  };
}

/** The name of an answer; claims, or null for none, of a request that went on. */
export type Wanted = keyof typeof answers | object | null;

export function expectAnswer({ status, headers, body }: RawAnswer, wanted: Wanted): void {
  if (typeof wanted !== 'string') {
    expect({ status, ...JSON.parse(body) }).toEqual({
      status: 200,
      claims: wanted === null ? null : expect.objectContaining(wanted),
    });
    expect(headers['www-authenticate']).toBeUndefined();
    return;
  }
  const [wantedStatus, challenge, error] = answers[wanted as keyof typeof answers];
  expect({ status, body: JSON.parse(body), challenge: headers['www-authenticate'] }).toEqual({
    status: wantedStatus,
    body: { error },
    challenge,
  });
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/);
  expect(headers['retry-after']).toBe(wantedStatus === 503 ? '2' : undefined);
}
