/**
 * What becomes of a refused request: the hook `onRefused`, and headers that other middleware has
 * set. One suite for every framework.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { ask } from '../middleware/raw-client.js';
import type { FaultyStore } from '../support/faulty-store.js';
import { knownSecrets, knownStore } from '../support/known-ring.js';
import { bare, expectAnswer, type HttpFixture, type RouteOptions, type RunningServer } from './http-plan.js';

/** Headers of other middleware, which describe the body of another answer, or belong to any. */
const before = {
  'Content-Length': '5',
  'Content-Encoding': 'gzip',
  'Content-Language': 'de',
  'Content-Range': 'bytes 0-4/5',
  'Content-Type': 'text/html',
  ETag: '"other"',
  'Last-Modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
  'Cache-Control': 'public, max-age=60',
  'WWW-Authenticate': 'Basic realm="other"',
  'Access-Control-Allow-Origin': 'https://shop.example',
  'X-Frame-Options': 'DENY',
};

/** Statuses of answers that have no body. */
const BODILESS = [204, 205, 304] as const;

export function refusedConformance(
  { start, headerOf, hasOthers = true }: HttpFixture,
  known: Record<string, string>,
): void {
  const header = (request: unknown, name: string) => headerOf(request as never, name);
  /** What `/logs` has seen of its refused requests. */
  const log: unknown[] = [];
  const routes: Record<string, RouteOptions> = {
    '/usual': {},
    '/logs': {
      authorize: ({ role }) => role === 'admin',
      onRefused: ({ status, error, cause }, request) =>
        void log.push([status, error, (cause as { code?: string } | undefined)?.code, header(request, 'x-id')]),
    },
    '/problem': {
      onRefused: async (refusal) => ({
        ...refusal,
        headers: { ...refusal.headers, 'Content-Type': 'application/problem+json' },
        body: JSON.stringify({ title: refusal.error, status: refusal.status }),
      }),
    },
    '/login': {
      onRefused: ({ error }, request) =>
        error === 'unauthorized'
          ? { status: 302, headers: { Location: `/login?id=${header(request, 'x-id')}` } }
          : null,
    },
    ...Object.fromEntries(
      BODILESS.map((status) => [`/${status}`, { onRefused: (refusal) => ({ ...refusal, status }) }] as const),
    ),
    '/length': {
      onRefused: () => ({
        status: 401,
        headers: { 'Content-Length': '3', 'Transfer-Encoding': 'chunked' },
        body: 'hello',
      }),
    },
    '/maybe': { optional: true, onRefused: () => ({ status: 418, body: 'tea' }) },
    '/hook-throws': {
      onRefused: () => {
        throw new Error('thrown by onRefused');
      },
    },
    '/hook-rejects': { onRefused: () => Promise.reject(new Error('rejected by onRefused')) },
    '/hook-text': { onRefused: (() => 'text') as never },
    '/hook-true': { onRefused: (() => true) as never },
    '/hook-status': { onRefused: (() => ({ status: 99 })) as never },
    '/hook-no-status': { onRefused: (() => ({ body: 'text' })) as never },
    '/hook-object': { onRefused: (() => ({ status: 401, body: {} })) as never },
    '/hook-unknown': { onRefused: (() => ({ statusCode: 401 })) as never },
    '/hook-splits': { onRefused: () => ({ status: 302, headers: { location: '/a\r\nSet-Cookie: a=b' } }) },
  };

  describe('a refused request', () => {
    let rewt: Rewt;
    let store: FaultyStore;
    let plain: RunningServer;
    let other: RunningServer | undefined;

    beforeAll(async () => {
      store = (await knownStore({ rewt: knownSecrets })) as FaultyStore;
      rewt = new Rewt({ store, maxStaleness: 0, ttl: 3600 });
      const plan = { rewt, options: { audience: 'orders', realm: 'orders' }, routes };
      plain = await start(plan);
      if (hasOthers) other = await start({ ...plan, before });
    });
    afterAll(async () => {
      await plain?.close();
      await other?.close();
      await rewt?.close();
    });

    const send = (path: string, lines: readonly string[]) =>
      ask(plain.port, {
        path,
        lines: lines.map((line) => line.replace(/\$([A-Z_]+)/g, (_, name) => known[name] ?? '')),
      });

    it('tells onRefused of each refused request with why, and answers as usual if it gives nothing', async () => {
      log.length = 0;
      expectAnswer(await send('/logs', ['X-Id: 1']), 'missing');
      expectAnswer(await send('/logs', ['X-Id: 2', 'Authorization: Bearer a b']), 'malformed');
      expectAnswer(await send('/logs', ['X-Id: 3', 'Authorization: Bearer $EXPIRED']), 'refused');
      expectAnswer(await send('/logs', ['X-Id: 4', 'Authorization: Bearer $GOOD']), 'forbidden');
      expectAnswer(await send('/logs', ['X-Id: 5', 'Authorization: Bearer $ADMIN']), { role: 'admin' });
      store.reads = 'down';
      expectAnswer(await send('/logs', ['X-Id: 6', 'Authorization: Bearer $GOOD']), 'unavailable');
      store.reads = 'up';
      expect(log).toEqual([
        [401, 'unauthorized', undefined, '1'],
        [400, 'invalid_request', undefined, '2'],
        [401, 'invalid_token', 'ERR_REWT_EXPIRED', '3'],
        [403, 'insufficient_scope', undefined, '4'],
        [503, 'temporarily_unavailable', 'ERR_REWT_STORE_DOWN', '6'],
      ]);
    });

    it('answers what onRefused gives: another body, a redirect, or as usual', async () => {
      const problem = await send('/problem', ['Authorization: Bearer $EXPIRED']);
      expect(problem).toMatchObject({ status: 401, body: '{"title":"invalid_token","status":401}' });
      expect(problem.headers).toMatchObject({
        // Fastify adds its charset.
        'content-type': expect.stringMatching(/^application\/problem\+json/),
        'www-authenticate': `${bare}, error="invalid_token"`,
        'cache-control': 'no-store',
      });
      const login = await send('/login', ['X-Id: 7']);
      expect(login).toMatchObject({ status: 302, headers: { location: '/login?id=7' }, body: '' });
      expect(login.headers['www-authenticate']).toBeUndefined();
      expectAnswer(await send('/login', ['Authorization: Bearer $EXPIRED']), 'refused');
    });

    it.each(BODILESS)('has no body, and none is described, if onRefused answers %i with one', async (status) => {
      for (const { port } of [plain, ...(other === undefined ? [] : [other])]) {
        const answer = await ask(port, { path: `/${status}` });
        expect(answer).toMatchObject({ status, body: '', headers: { 'cache-control': 'no-store' } });
        expect(answer.headers['www-authenticate']).toContain(bare);
        expect(answer.headers).not.toHaveProperty('content-type');
        expect(answer.headers['content-length'] ?? '0').toBe('0');
      }
    });

    it('has the length of its body, whatever length the headers that onRefused gives name', async () => {
      const { status, headers, body } = await send('/length', []);
      expect({ status, body }).toEqual({ status: 401, body: 'hello' });
      expect(headers['content-length'] ?? '5').toBe('5');
    });

    it('asks onRefused only about what is refused', async () => {
      expectAnswer(await send('/maybe', []), null);
      expectAnswer(await send('/maybe', ['Authorization: Bearer $GOOD']), { sub: 'ann' });
      const refused = await send('/maybe', ['Authorization: Bearer junk']);
      expect(refused).toMatchObject({ status: 418, body: 'tea' });
      expect(refused.headers['content-type']).toBe('text/plain; charset=utf-8');
    });

    it.each([
      '/hook-throws',
      '/hook-rejects',
      '/hook-text',
      '/hook-true',
      '/hook-status',
      '/hook-no-status',
      '/hook-object',
      '/hook-unknown',
      '/hook-splits',
    ])('hands to the framework that onRefused of %s has failed', async (path) => {
      const { status, headers, body } = await send(path, []);
      expect({ status, body }).toEqual({ status: 500, body: expect.stringContaining('onRefused') });
      expect(headers).not.toHaveProperty('set-cookie');
    });

    // A web handler returns a separate answer: no other middleware has touched it.
    if (!hasOthers) return;
    describe('after other middleware has set headers', () => {
      const askOther = (path: string) => ask(other?.port ?? 0, { path, lines: ['X-Id: 7'] });

      it.each([
        ['a refusal', '/usual', 401, '{"error":"unauthorized"}', /^application\/json/],
        [
          'an answer of onRefused',
          '/problem',
          401,
          '{"title":"unauthorized","status":401}',
          /^application\/problem\+json/,
        ],
      ])('%s has its own, adds its challenge, and leaves the others', async (_what, path, status, body, type) => {
        const answer = await askOther(path);
        expect(answer).toMatchObject({ status, body });
        const { 'content-length': length, ...headers } = answer.headers;
        expect(length ?? String(body.length)).toBe(String(body.length));
        expect(headers).toMatchObject({
          'content-type': expect.stringMatching(type),
          'cache-control': 'no-store',
          'access-control-allow-origin': 'https://shop.example',
          'x-frame-options': 'DENY',
        });
        expect(headers['www-authenticate']?.split(/ & |, (?=Bearer)/)).toEqual(['Basic realm="other"', bare]);
        for (const name of ['content-encoding', 'content-language', 'content-range', 'etag', 'last-modified']) {
          expect(headers).not.toHaveProperty(name);
        }
      });

      it('a redirect has no body, and is no longer what they say', async () => {
        const answer = await askOther('/login');
        expect(answer).toMatchObject({ status: 302, headers: { location: '/login?id=7' }, body: '' });
        expect(answer.headers['content-length'] ?? '0').toBe('0');
      });
    });
  });
}
