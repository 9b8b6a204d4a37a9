/**
 * Members of one fresh namespace on a real Redis, with times short enough to watch, and what an
 * operator sees of it.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { Rewt } from '../../src/index.js';
import type { RewtOptions } from '../../src/options.js';
import type { RedisServer } from '../support/servers.js';

/**
 * Seconds. The soft age is half of `maxStaleness`; the store timeout is none that a busy machine
 * could reach.
 */
export const times = { ttl: 60, tokenLifetime: 20, maxStaleness: 0.6, clockTolerance: 0.2, storeTimeout: 5 };

/** For `vi.waitFor`: often enough to lose no time, long enough for a busy machine. */
export const soon = { interval: 20, timeout: 90_000 };

export interface Fleet {
  readonly namespace: string;
  /** The names of K and R, spelt out rather than asked of rewt: others rely on them. */
  readonly key: string;
  readonly ring: string;
  member(options?: RewtOptions): Rewt;
  /** K's value, as any other program reads it. */
  secret(): Promise<string>;
  /** When Redis drops K, in milliseconds of its clock. */
  expiresAtMs(): Promise<number>;
  close(): Promise<void>;
}

export function createFleet(server: RedisServer): Fleet {
  const namespace = `fleet-${randomUUID()}`;
  const key = `${namespace}:rewt-secret`;
  const members: Rewt[] = [];
  return {
    namespace,
    key,
    ring: `{${key}}:ring`,
    member(options = {}) {
      const rewt = new Rewt({ redisConn: server.url, redisNamespace: namespace, ...times, ...options });
      members.push(rewt);
      return rewt;
    },
    secret: () => server.cli('GET', key),
    async expiresAtMs() {
      const script = "local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 + redis.call('PTTL', KEYS[1])";
      return Number(await server.cli('EVAL', script, '1', key));
    },
    async close() {
      await Promise.all(members.map((rewt) => rewt.close()));
    },
  };
}

/** The error that a call ends with, or null. */
export function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  );
}

/** The code of the error that a call ends with, or 'no error'. */
export function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'no error',
    (error) => error.code,
  );
}

/** The kid by protocol.md's formula, not by rewt's code. */
export function kidOf(secret: string): string {
  return createHmac('sha256', secret).update('rewt kid').digest().subarray(0, 8).toString('base64url');
}

/**
 * Verifies until it ends with an error, which it gives back; nothing is accepted that came later
 * than `withinMs` after `sinceMs`.
 */
export async function verifyUntilError(rewt: Rewt, token: string, withinMs: number, sinceMs: number): Promise<unknown> {
  for (;;) {
    const begunMs = performance.now();
    const error = await errorOf(rewt.verify(token));
    if (error !== null) return error;
    expect(begunMs - sinceMs).toBeLessThan(withinMs);
    await setTimeout(10);
  }
}

/** A token as the holder of `secret` would sign it, however weak that is. */
export function forge(secret: Buffer): string {
  const signedPart = ['{"alg":"HS256","typ":"JWT"}', '{"by":"mallory"}']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
  return `${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`;
}
