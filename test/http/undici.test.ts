import { Readable } from 'node:stream';
import { Agent, Client, type Dispatcher, FormData, fetch, interceptors, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInterceptor } from '../../src/http/undici.js';
import { createTestRewt, type TestRewt } from '../../src/testing.js';
import { refusal, type Service, startService } from './service.js';

let test: TestRewt;
let service: Service;
let agent: Agent;
let dispatcher: Dispatcher;
beforeEach(async () => {
  test = await createTestRewt();
  service = await startService(test.member(), 'orders');
  agent = new Agent();
  dispatcher = agent.compose(
    createInterceptor(test.rewt, { audience: { [service.origin]: 'orders' }, issuer: 'billing' }),
  );
});
afterEach(async () => {
  await agent.destroy();
  await service.close();
  await test.close();
});

function refuse(times: number): void {
  service.answer = (_, response) => {
    if (service.arrivals.length <= times) response.writeHead(401, refusal).end('refused '.repeat(10_000));
    else response.end('fine');
  };
}

describe('an interceptor', () => {
  it('sends a token for the audience, the same one again', async () => {
    for (const path of ['/a', '/b?query']) {
      const { statusCode, body } = await request(`${service.origin}${path}`, { dispatcher });
      expect([statusCode, await body.json()]).toEqual([
        200,
        expect.objectContaining({ aud: 'orders', iss: 'billing' }),
      ]);
    }
    expect(service.arrivals.map(({ url }) => url)).toEqual(['/a', '/b?query']);
    expect(new Set(service.tokens()).size).toBe(1);
  });

  it.each([
    ['an object', { 'x-a': '1' }],
    ['a list', ['x-a', '1']],
    ['pairs', [['x-a', '1']]],
    ['a map', new Map([['x-a', '1']])],
    ['entries, which can be read once', new Map([['x-a', '1']]).entries()],
    ['nothing', undefined],
  ])('keeps headers that are %s', async (_form, headers) => {
    const { statusCode, body } = await request(service.origin, { dispatcher, headers: headers as never });
    await body.dump();
    expect(statusCode).toBe(200);
    if (headers !== undefined) expect(service.arrivals[0]?.headers['x-a']).toBe('1');
  });

  it.each([
    ['an object', { Authorization: 'Basic YTpi' }],
    ['a list', ['authorization', 'Basic YTpi']],
    ['a map', new Map([['AUTHORIZATION', 'Basic YTpi']])],
  ])("leaves the user's own Authorization in %s alone", async (_form, headers) => {
    const { body } = await request(service.origin, { dispatcher, headers: headers as never });
    await body.dump();
    expect(service.arrivals.map((arrival) => arrival.headers.authorization)).toEqual(['Basic YTpi']);
  });

  it('serves fetch', async () => {
    const response = await fetch(service.origin, { dispatcher, method: 'POST', body: 'text' });
    expect(response.status).toBe(200);
    expect(service.arrivals[0]?.body).toBe('text');
  });

  it('rejects with a StoreError where no token can be had, and sends nothing', async () => {
    await test.rewt.revoke();
    test.store.fail();
    test.clock.advance('2m');
    await expect(request(service.origin, { dispatcher })).rejects.toMatchObject({ code: 'ERR_REWT_STORE_DOWN' });
    expect(service.arrivals).toEqual([]);
  });

  it('can be aborted while it waits', async () => {
    const abort = new AbortController();
    const asked = request(service.origin, { dispatcher, signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toThrow(/abort/);
    expect(service.arrivals).toEqual([]);
  });
});

describe('a refused token', () => {
  const form = new FormData();
  form.set('name', 'value');
  it.each<[string, unknown, string | RegExp]>([
    ['no body', null, ''],
    ['a string', 'text', 'text'],
    ['a Buffer', Buffer.from('bytes'), 'bytes'],
    ['FormData', form, /name="name"\r\n\r\nvalue/],
  ])('is replaced once, and %s is sent again', async (_kind, body, sent) => {
    refuse(1);
    const answer = await request(service.origin, { dispatcher, method: 'POST', body: body as string });
    expect([answer.statusCode, await answer.body.text()]).toEqual([200, 'fine']);
    expect(service.arrivals).toHaveLength(2);
    for (const arrival of service.arrivals) expect(arrival.body).toMatch(sent);
  });

  it('is tried no third time', async () => {
    refuse(9);
    const { statusCode, body } = await request(service.origin, { dispatcher });
    expect([statusCode, (await body.text()).length]).toEqual([401, 80_000]);
    expect(service.arrivals).toHaveLength(2);
  });

  it.each([
    ['a stream', () => Readable.from(['text'])],
    [
      'an iterator',
      () =>
        (async function* () {
          yield 'text';
        })(),
    ],
  ])('is not replaced where the body was %s', async (_kind, body) => {
    refuse(9);
    const { statusCode } = await request(service.origin, { dispatcher, method: 'POST', body: body() as never });
    expect(statusCode).toBe(401);
    expect(service.arrivals).toHaveLength(1);
  });

  it('is what the user gets, whole, where the store cannot say better', async () => {
    service.answer = (_, response) => {
      test.store.fail();
      response.writeHead(401, refusal).end('refused '.repeat(10_000));
    };
    const { statusCode, body } = await request(service.origin, { dispatcher });
    expect([statusCode, (await body.text()).length]).toEqual([401, 80_000]);
    expect(service.arrivals).toHaveLength(1);
  });
});

describe('an origin', () => {
  let elsewhere: Service;
  beforeEach(async () => {
    elsewhere = await startService(test.member(), 'orders');
    service.answer = (_, response) => response.writeHead(302, { location: `${elsewhere.origin}/there` }).end();
  });
  afterEach(() => elsewhere.close());

  it.each([
    [
      'within',
      () => [
        createInterceptor(test.rewt, { audience: 'orders', to: service.origin }),
        interceptors.redirect({ maxRedirections: 3 }),
      ],
    ],
    [
      'around',
      () => [
        interceptors.redirect({ maxRedirections: 3 }),
        createInterceptor(test.rewt, { audience: 'orders', to: service.origin }),
      ],
    ],
  ])('to which a redirect leads is sent no token, with the interceptor %s that of redirects', async (_where, list) => {
    const { statusCode, body } = await request(service.origin, { dispatcher: agent.compose(list()) });
    await body.dump();
    expect(statusCode).toBe(401);
    expect([service.tokens().length, elsewhere.tokens()[0]]).toEqual([1, undefined]);
    expect(new Set(elsewhere.tokens())).toEqual(new Set([undefined]));
  });

  it('is not mistaken for another by a path that looks like one', async () => {
    elsewhere.answer = (_, response) => response.end();
    const { host } = new URL(service.origin);
    for (const path of [`//${host}/`, `http://${host}/`]) {
      await new Promise<void>((resolve, reject) => {
        dispatcher.dispatch(
          { origin: elsewhere.origin, path, method: 'GET' },
          {
            onRequestStart() {},
            onResponseStart() {},
            onResponseData() {},
            onResponseEnd: () => resolve(),
            onResponseError: (_, error) => reject(error),
          },
        );
      });
    }
    expect(elsewhere.tokens()).toEqual([undefined, undefined]);
  });

  it('has to be named where one audience is for all', () => {
    expect(() => createInterceptor(test.rewt, { audience: 'orders' })).toThrow(/^to: name the origins/);
  });

  it('that only the dispatcher knows is sent no token', async () => {
    elsewhere.answer = (_, response) => response.end();
    const client = new Client(elsewhere.origin);
    const composed = client.compose(createInterceptor(test.rewt, { audience: () => 'orders' }));
    const { body } = await composed.request({ path: '/', method: 'GET' });
    await body.dump();
    expect(elsewhere.tokens()).toHaveLength(1);
    await client.close();
  });
});
