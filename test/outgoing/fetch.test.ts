import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../src/index.js';
import { createFetch } from '../../src/outgoing/fetch.js';
import { createTestRewt, type TestRewt } from '../../src/testing.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type Service, startService } from './service.js';

let test: TestRewt;
let service: Service;
beforeEach(async () => {
  test = await createTestRewt();
  service = await startService(test.member(), 'orders');
});
afterEach(async () => {
  await service.close();
  await test.close();
});

/** How many tokens were signed, and not how often one was sent. */
function signings(): number {
  return new Set(service.tokens()).size;
}

describe('a fetch with tokens', () => {
  it('sends one for the audience, with the claims that were asked for', async () => {
    const fetch = createFetch(test.rewt, {
      audience: 'orders',
      issuer: 'billing',
      subject: 'ann',
      expiresIn: '1m',
      claims: { role: 'clerk' },
    });
    const response = await fetch(`${service.origin}/path?query`, { headers: { 'x-request': '1' } });
    const claims = (await response.json()) as Record<string, number>;
    expect(claims).toMatchObject({ aud: 'orders', iss: 'billing', sub: 'ann', role: 'clerk' });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(60);
    expect(service.arrivals[0]).toMatchObject({ url: '/path?query', headers: { 'x-request': '1' } });
  });

  it('sends the same one until shortly before its end', async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    for (const span of [0, '2m', '2m', 25]) {
      test.clock.advance(span);
      expect((await fetch(service.origin)).status).toBe(200);
    }
    expect(signings()).toBe(1);
    test.clock.advance(6);
    expect((await fetch(service.origin)).status).toBe(200);
    expect(signings()).toBe(2);
    expect(service.arrivals).toHaveLength(5);
  });

  it('sends a short one for four fifths of its life', async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders', expiresIn: 10 });
    await fetch(service.origin);
    test.clock.advance(6.5);
    await fetch(service.origin);
    expect(signings()).toBe(1);
    test.clock.advance(1.6);
    await fetch(service.origin);
    expect(signings()).toBe(2);
  });

  it.each(['rotate', 'revoke'] as const)(
    'sends another one after %s() by another member, the first time',
    async (verb) => {
      const fetch = createFetch(test.rewt, { audience: 'orders' });
      await fetch(service.origin);
      await test.member()[verb]();
      expect((await fetch(service.origin)).status).toBe(200);
      expect(service.arrivals).toHaveLength(2);
      expect(signings()).toBe(2);
    },
  );

  it('sends another one after a rotation on schedule', async () => {
    const long = await createTestRewt({ ttl: '10m', maxStaleness: 30 });
    const fetch = createFetch(long.rewt, { audience: 'orders' });
    service.answer = (_, response) => response.end();
    long.clock.advance('8m');
    await fetch(service.origin);
    long.clock.advance(100);
    await fetch(service.origin);
    expect(signings()).toBe(2);
    await long.close();
  });

  it('signs once for all who ask at the same time', async () => {
    const sign = vi.spyOn(test.rewt, 'sign');
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    await Promise.all(Array.from({ length: 20 }, () => fetch(service.origin)));
    expect(sign).toHaveBeenCalledTimes(1);
    expect(service.arrivals).toHaveLength(20);
  });

  it('signs one for each audience, and forgets the oldest of a thousand', async () => {
    const sign = vi.spyOn(test.rewt, 'sign');
    service.answer = (_, response) => response.end();
    const fetch = createFetch(test.rewt, { audience: ({ pathname }) => pathname, fetch: async () => new Response() });
    for (let number = 0; number < 1_001; number += 1) await fetch(`${service.origin}/${number}`);
    expect(sign).toHaveBeenCalledTimes(1_001);
    await fetch(`${service.origin}/1000`);
    await fetch(`${service.origin}/1`);
    expect(sign).toHaveBeenCalledTimes(1_001);
    await fetch(`${service.origin}/0`);
    expect(sign).toHaveBeenCalledTimes(1_002);
  });

  it('rejects with a StoreError where no token can be had, and sends nothing', async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    await fetch(service.origin);
    test.store.fail();
    expect((await fetch(service.origin)).status).toBe(200);
    test.clock.advance('2m');
    await expect(fetch(service.origin)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN', status: 503 });
    expect(service.arrivals).toHaveLength(2);
  });

  it("leaves the user's own Authorization alone", async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const own = { Authorization: 'Basic YTpi' };
    await fetch(service.origin, { headers: own });
    await fetch(new Request(service.origin, { headers: own }));
    await fetch(service.origin, { headers: [['authorization', 'Basic YTpi']] });
    expect(service.arrivals.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Basic YTpi'));
  });

  it('takes what fetch takes, and fails as it does', async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    expect((await fetch(new URL(service.origin))).status).toBe(200);
    const request = new Request(service.origin, { method: 'PUT', body: 'text', headers: { 'x-a': '1' } });
    expect((await fetch(request)).status).toBe(200);
    expect(service.arrivals[1]).toMatchObject({ method: 'PUT', body: 'text', headers: { 'x-a': '1' } });
    await expect(fetch('no url')).rejects.toThrow(TypeError);
    await expect(fetch(request)).rejects.toThrow(TypeError);
    await expect(fetch(service.origin, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    const sign = vi.spyOn(test.rewt, 'sign');
    const once = createFetch(test.rewt, { audience: () => 'another' });
    expect(await (await once('data:,text')).text()).toBe('text');
    expect(sign).not.toHaveBeenCalled();
  });
});

describe('an origin', () => {
  let elsewhere: Service;
  beforeEach(async () => {
    elsewhere = await startService(test.member(), 'orders');
  });
  afterEach(() => elsewhere.close());

  it.each([301, 302, 303, 307, 308])('to which a redirect (%i) leads is sent no token', async (status) => {
    service.answer = (_, response) => response.writeHead(status, { location: `${elsewhere.origin}/there` }).end();
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const response = await fetch(service.origin, { method: 'POST', body: 'text' });
    expect([response.status, response.redirected]).toEqual([401, true]);
    // Nor is its refusal a reason to send another token to the first.
    expect([service.tokens().length, elsewhere.tokens()]).toEqual([1, [undefined]]);
  });

  it('is the one that the program named when it called, whatever it does with its objects meanwhile', async () => {
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const url = new URL(service.origin);
    const init = { method: 'POST', body: 'text' };
    const sent = ['/1', '/2', '/3'].map((path) => {
      url.pathname = path;
      return fetch(url, init);
    });
    url.port = new URL(elsewhere.origin).port;
    init.method = 'DELETE';
    await Promise.all(sent);
    expect(service.arrivals.map(({ url: path }) => path).sort()).toEqual(['/1', '/2', '/3']);
    expect(elsewhere.arrivals).toEqual([]);
    // Asked twice, it would say something else.
    let asked = 0;
    const fickle = { toString: () => (asked++ === 0 ? service.origin : elsewhere.origin) };
    await fetch(fickle as never);
    expect(elsewhere.arrivals).toEqual([]);
  });

  it('gets all of an init that is no plain object', async () => {
    service.answer = (_, response) => response.writeHead(302, { location: elsewhere.origin }).end();
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    class Init {
      get redirect() {
        return 'error' as const;
      }
    }
    await expect(fetch(service.origin, new Init())).rejects.toThrow(TypeError);
    expect(elsewhere.arrivals).toEqual([]);
    service.answer = (_, response) => response.end();
    await fetch(service.origin, new Request(service.origin, { method: 'PUT', body: 'text' }));
    expect(service.arrivals.at(-1)).toMatchObject({ method: 'PUT', headers: { authorization: expect.any(String) } });
  });

  it('that a redirect stays in is sent the token', async () => {
    service.answer = ({ url }, response) => {
      if (url === '/') response.writeHead(302, { location: '/there' }).end();
      else response.end();
    };
    await createFetch(test.rewt, { audience: 'orders' })(service.origin);
    expect(service.arrivals.map(({ url }) => url)).toEqual(['/', '/there']);
    expect(signings()).toBe(1);
    expect(service.tokens()[1]).toBeTypeOf('string');
  });

  it.each([
    ['a map', () => ({ audience: { [service.origin]: 'orders' } })],
    ['a list', () => ({ audience: 'orders', to: [service.origin] })],
    ['one', () => ({ audience: 'orders', to: `${service.origin}/` })],
    ['a function', () => ({ audience: ({ origin }: URL) => (origin === service.origin ? 'orders' : undefined) })],
  ])('that is not named by %s is sent no token', async (_how, options) => {
    const fetch = createFetch(test.rewt, options());
    expect((await fetch(service.origin)).status).toBe(200);
    expect((await fetch(elsewhere.origin)).status).toBe(401);
    expect(elsewhere.tokens()).toEqual([undefined]);
  });

  it('beyond this machine is sent none without encryption, unless asked for', async () => {
    const inner = vi.fn(async () => new Response());
    const fetch = createFetch(test.rewt, { audience: 'orders', fetch: inner });
    for (const url of ['http://orders.example/', 'http://localhost.example/', 'http://128.0.0.1/', 'http://[::2]/']) {
      await expect(fetch(url)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'plainHttp' });
    }
    expect(inner).not.toHaveBeenCalled();
    for (const url of ['https://orders.example/', 'http://localhost/', 'http://[::1]:1/', 'http://127.1.2.3/'])
      await fetch(url);
    expect(inner).toHaveBeenCalledTimes(4);
    await createFetch(test.rewt, { audience: 'orders', fetch: inner, plainHttp: true })('http://orders.example/');
    expect(inner).toHaveBeenCalledTimes(5);
  });
});

describe('the options', () => {
  it.each<[unknown, string]>([
    [{}, 'audience'],
    [{ audience: '' }, 'audience'],
    [{ audience: {} }, 'audience'],
    [{ audience: ['orders'] }, 'audience'],
    [{ audience: { 'https://orders.example/path': 'orders' } }, 'audience'],
    [{ audience: { 'orders.example': 'orders' } }, 'audience'],
    [{ audience: { 'https://orders.example': '' } }, 'audience'],
    [{ audience: { 'https://*.example': 'orders' } }, 'audience'],
    [{ audience: { 'https://${ORDERS}': 'orders' } }, 'audience'],
    [{ audience: 'orders', to: 'https://*.example' }, 'to'],
    [{ audience: 'orders', to: 'orders' }, 'to'],
    [{ audience: 'orders', claims: { aud: 'mail' } }, 'audience'],
    [{ audience: 'orders', claims: { iss: 'shop' }, issuer: 'shop' }, 'issuer'],
    [{ audience: 'orders', claims: { exp: 1 }, expiresIn: '1m' }, 'expiresIn'],
    [{ audience: 'orders', to: [] }, 'to'],
    [{ audience: 'orders', to: 'https://a:b@orders.example' }, 'to'],
    [{ audience: undefined }, 'audience'],
    [{ audience: 'orders', issuer: 1 }, 'issuer'],
    [{ audience: 'orders', issuer: undefined }, 'issuer'],
    [{ audience: 'orders', expiresIn: '60' }, 'expiresIn'],
    [{ audience: 'orders', claims: 'sub' }, 'claims'],
    [{ audience: 'orders', claims: { sub: 42 } }, 'claims'],
    [{ audience: 'orders', claims: { big: 1n } }, 'claims'],
    [{ audience: 'orders', plainHttp: 'yes' }, 'plainHttp'],
    [{ audience: 'orders', fetch: {} }, 'fetch'],
    [{ audience: 'orders', isuer: 'billing' }, 'isuer'],
  ])('%o are refused', (options, option) => {
    expect(() => createFetch(test.rewt, options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option }),
    );
  });

  it.each(['https://orders.example', 'http://[::1]:8080', 'https://xn--bcher-kva.example', 'https://bücher.example'])(
    'may name the origin %s',
    (origin) => {
      expect(() => createFetch(test.rewt, { audience: { [origin]: 'orders' } })).not.toThrow();
    },
  );

  it('need a Rewt before them', () => {
    expect(() => createFetch({} as never, { audience: 'orders' })).toThrow(
      expect.objectContaining({ code: 'ERR_REWT_OPTION', option: 'rewt' }),
    );
  });

  it('may have a function that gives no audience where it should, which is said', async () => {
    const fetch = createFetch(test.rewt, { audience: () => '' });
    await expect(fetch(service.origin)).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'audience' });
  });
});

describe('on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  it('a revocation by another member is noticed before the next request', async () => {
    // A busy machine may take its time to load a client.
    const options = { redisConn: `redis://127.0.0.1:${server.port}`, storeTimeout: 20 };
    await using caller = new Rewt(options);
    await using callee = new Rewt(options);
    const far = await startService(callee, 'orders');
    try {
      const fetch = createFetch(caller, { audience: 'orders' });
      expect((await fetch(far.origin)).status).toBe(200);
      expect((await fetch(far.origin)).status).toBe(200);
      await callee.revoke();
      // By push; should it be late, by the refusal. Either way the user notices nothing.
      expect((await fetch(far.origin)).status).toBe(200);
      expect(new Set(far.tokens()).size).toBe(2);
      while (caller.status().push.state === 'connecting') await sleep(10);
      await callee.rotate({ force: true });
      while (caller.status().keyring?.signing !== callee.status().keyring?.signing) await sleep(10);
      const before = far.arrivals.length;
      expect((await fetch(far.origin)).status).toBe(200);
      expect(far.arrivals.length).toBe(before + 1);
      expect(new Set(far.tokens()).size).toBe(3);
    } finally {
      await far.close();
    }
  });
});
