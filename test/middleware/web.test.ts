/** `rewt/web` on the web's Request, behind node:http. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { memoryStore, type RegisteredClaims, Rewt } from '../../src/index.js';
import { rewtAuth } from '../../src/middleware/web.js';
import { httpConformance } from '../conformance/http.js';
import { serve } from './listening.js';

httpConformance('rewt/web', {
  start({ rewt, options, routes }) {
    const auth = rewtAuth(rewt, options as object);
    const guards = new Map(Object.entries(routes).map(([path, own]) => [path, auth.with(own)]));
    /** As a handler of Next.js, Remix, SvelteKit or a service worker is written. */
    async function GET(request: Request): Promise<Response> {
      const guard = guards.get(new URL(request.url).pathname) ?? auth;
      const { response, claims } = await guard(request);
      return response ?? Response.json({ claims: claims ?? null });
    }
    return serve(async (incoming, outgoing) => {
      const pairs = Array.from({ length: incoming.rawHeaders.length / 2 }, (_, at) =>
        incoming.rawHeaders.slice(2 * at, 2 * at + 2),
      );
      const request = new Request(`http://127.0.0.1${incoming.url}`, {
        method: incoming.method ?? 'GET',
        headers: pairs.filter(([name = '']) => !/^(host|connection)$/i.test(name)) as [string, string][],
      });
      const answer = await GET(request).catch((error: Error) => new Response(error.message, { status: 500 }));
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
  },
  headerOf: ({ headers }: Request, name) => headers.get(name) ?? undefined,
  // Its answer is a separate Response.
  hasOthers: false,
});

describe('rewt/web', () => {
  const rewt = new Rewt({ store: memoryStore() });

  it('gives a separate Response for each request', async () => {
    const auth = rewtAuth(rewt);
    const first = await auth(new Request('http://localhost/'));
    const second = await auth(new Request('http://localhost/'));
    expect(await first.response?.text()).toBe(await second.response?.text());
  });

  it('has types that know whether there are claims', () => {
    interface Mine {
      tenant: string;
    }
    const auth = rewtAuth<Mine>(rewt, { authorize: ({ tenant }, request: Request) => tenant === request.url });
    type Admission = Awaited<ReturnType<typeof auth>>;
    expectTypeOf<Extract<Admission, { response?: undefined }>['claims']>().toEqualTypeOf<Mine & RegisteredClaims>();
    expectTypeOf<Extract<Admission, { response: object }>['response']>().toEqualTypeOf<Response>();
    const maybe = rewtAuth<Mine>(rewt, { optional: true });
    type Maybe = Awaited<ReturnType<typeof maybe>>;
    expectTypeOf<Extract<Maybe, { response?: undefined }>['claims']>().toEqualTypeOf<
      (Mine & RegisteredClaims) | undefined
    >();
    const fitted = auth.with({ schema: z.object({ role: z.string() }), authorize: ({ role }) => role !== '' });
    type Fitted = Awaited<ReturnType<typeof fitted>>;
    expectTypeOf<Extract<Fitted, { response?: undefined }>['claims']['role']>().toEqualTypeOf<string>();
    expect(auth.name).toBe('rewtAuth');
  });
});
