/** `rewt/node` on plain node:http. */

import type { IncomingMessage } from 'node:http';
import { connect, createServer as createSecondServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { memoryStore, type RegisteredClaims, Rewt } from '../../src/index.js';
import { rewtAuth } from '../../src/middleware/node.js';
import { httpConformance } from '../conformance/http.js';
import { serve } from './listening.js';
import { ask } from './raw-client.js';

httpConformance('rewt/node', {
  start({ rewt, options, routes, before = {} }) {
    const auth = rewtAuth(rewt, options as object);
    const guards = new Map(Object.entries(routes).map(([path, own]) => [path, auth.with(own)]));
    return serve(async (request, response) => {
      for (const [name, value] of Object.entries(before)) response.setHeader(name, value);
      try {
        const guard = guards.get(request.url ?? '') ?? auth;
        const { answered, claims } = await guard(request, response);
        if (!answered) response.end(JSON.stringify({ claims: claims ?? null }));
      } catch (error) {
        response.writeHead(500).end((error as Error).message);
      }
    });
  },
  headerOf: ({ headers }: IncomingMessage, name) => headers[name] as string | undefined,
});

describe('rewt/node', () => {
  const rewt = new Rewt({ store: memoryStore() });

  it('rejects a request with more headers than Node keeps: a dropped one may be a second Authorization', async () => {
    const auth = rewtAuth(rewt);
    const server = await serve(async (request, response) => {
      const { answered } = await auth(request, response);
      if (!answered) response.end();
    });
    const authorization = `Authorization: Bearer ${await rewt.sign({})}`;
    const statusOf = async (count: number, ...more: string[]) =>
      (await ask(server.port, { path: '/', lines: [authorization, ...Array(count).fill('a: b'), ...more] })).status;
    expect(await statusOf(900)).toBe(200);
    // Newer versions of Node answer 431 by themselves.
    const refused = [400, 431];
    for (const count of [0, 900, 990, 1_000, 1_010, 2_000])
      expect(await statusOf(count, authorization)).toBeOneOf(refused);
    await server.close();
  });

  it('works on HTTP/2', async () => {
    const auth = rewtAuth(rewt);
    const server = createSecondServer(async (request, response) => {
      const { answered, claims } = await auth(request, response);
      if (!answered) response.end(JSON.stringify(claims));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const token = await rewt.sign({ sub: 'ann' });
    const statusOf = async (headers: Record<string, string>) => {
      const stream = session.request({ ':path': '/', ...headers }).resume();
      const status = await new Promise((resolve) => stream.once('response', (got) => resolve(got[':status'])));
      await new Promise((resolve) => stream.once('close', resolve));
      return status;
    };
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${token}` })).toBe(200);
    session.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('has types that know whether there are claims', async () => {
    interface Mine {
      tenant: string;
    }
    const auth = rewtAuth<Mine>(rewt, {
      authorize: ({ tenant }, request: IncomingMessage) => tenant === request.method,
    });
    type Admission = Awaited<ReturnType<typeof auth>>;
    expectTypeOf<Extract<Admission, { answered: false }>['claims']>().toEqualTypeOf<Mine & RegisteredClaims>();
    const maybe = auth.with({ optional: true });
    type Maybe = Awaited<ReturnType<typeof maybe>>;
    expectTypeOf<Extract<Maybe, { answered: false }>['claims']>().toEqualTypeOf<
      (Mine & RegisteredClaims) | undefined
    >();
    const fitted = rewtAuth(rewt, { schema: z.object({ role: z.string() }) });
    type Fitted = Awaited<ReturnType<typeof fitted>>;
    expectTypeOf<Extract<Fitted, { answered: false }>['claims']['role']>().toEqualTypeOf<string>();
    expect(auth.name).toBe('rewtAuth');
  });
});
