/**
 * The fetch that is called below `createFetch`: Node's own, undici's on a dispatcher, one of
 * node-fetch's make, one with options of a framework.
 */
import { getEventListeners } from 'node:events';
import { request as nodeRequest } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, FormData, Request as UndiciRequest, fetch as undiciFetch } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryStore, Rewt } from '../../src/index.js';
import { createFetch } from '../../src/outgoing/fetch.js';
import { createTestRewt, type TestRewt } from '../../src/testing.js';
import { faultyStore } from '../support/faulty-store.js';
import { refusal, type Service, startService } from './service.js';

type Fetch = typeof globalThis.fetch;
type Init = Parameters<Fetch>[1];

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

/** Refuses the first request with a body that never ends, and answers the others. */
function refuseOnce(): void {
  service.answer = (_, response) => {
    if (service.arrivals.length > 1) return void response.end('fine');
    response.writeHead(401, refusal);
    Readable.from(endless()).pipe(response);
  };
}

function* endless(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(1_024);
}

/**
 * As node-fetch makes it: a body that is a stream of Node's, and no more than it has of everything
 * else.
 */
const nodeFetch = ((
  url: string,
  { method = 'GET', headers, body }: { method?: string; headers: Headers; body?: string },
) =>
  new Promise((resolve, reject) => {
    const sent = nodeRequest(url, { method, headers: Object.fromEntries(headers) }, (incoming) => {
      const { statusCode: status, headers: found } = incoming;
      const names = { get: (name: string) => found[name] ?? null };
      const text = async () => {
        let all = '';
        for await (const chunk of incoming) all += chunk;
        return all;
      };
      resolve({ status, url, redirected: false, headers: names, body: incoming, text });
    });
    sent.once('error', reject).end(body);
  })) as unknown as Fetch;

describe("undici's fetch on a dispatcher of the program's", () => {
  let agent: Agent;
  /** How many requests went through the dispatcher. */
  let dispatched: number;
  let fetch: Fetch;
  beforeEach(() => {
    agent = new Agent();
    dispatched = 0;
    const dispatcher = agent.compose((dispatch) => (options, handler) => {
      dispatched += 1;
      return dispatch(options, handler);
    });
    fetch = createFetch(test.rewt, {
      audience: { [service.origin]: 'orders' },
      fetch: (input, init) => undiciFetch(input, { ...(init as object), dispatcher }),
    });
  });
  afterEach(() => agent.destroy());

  it('carries a token', async () => {
    const response = await fetch(`${service.origin}/path?query`, { headers: { 'x-a': '1' } });
    expect(await response.json()).toMatchObject({ aud: 'orders' });
    expect([service.arrivals[0]?.url, service.arrivals[0]?.headers['x-a'], dispatched]).toEqual([
      '/path?query',
      '1',
      1,
    ]);
  });

  const form = new FormData();
  form.set('name', 'value');
  it.each<[string, unknown, string | RegExp]>([
    ['no body', undefined, ''],
    ['a string', 'text', 'text'],
    ['a Buffer', Buffer.from('bytes'), 'bytes'],
    ['FormData', form, /name="name"\r\n\r\nvalue/],
  ])('has a refused token replaced once, with %s, and reads nothing of the refusal', async (_kind, body, sent) => {
    refuseOnce();
    const response = await fetch(service.origin, { method: 'POST', body: body as string });
    expect([response.status, await response.text()]).toEqual([200, 'fine']);
    for (const arrival of service.arrivals) expect(arrival.body).toMatch(sent);
    expect([service.arrivals.length, dispatched]).toEqual([2, 2]);
  });

  it('takes a Request of another class', async () => {
    const request = new UndiciRequest(service.origin, { method: 'PUT', body: 'text' });
    expect((await fetch(request as never)).status).toBe(200);
    expect(service.arrivals[0]).toMatchObject({ method: 'PUT', body: 'text' });
  });
});

describe("a fetch of node-fetch's make", () => {
  it.each([undefined, 'text'])('has a refused token replaced once, where the body is %s', async (body) => {
    refuseOnce();
    const fetch = createFetch(test.rewt, { audience: 'orders', fetch: nodeFetch });
    const response = await fetch(service.origin, body === undefined ? {} : { method: 'POST', body });
    expect([response.status, await response.text()]).toEqual([200, 'fine']);
    expect(service.arrivals.map((arrival) => arrival.body)).toEqual([body ?? '', body ?? '']);
  });

  it('is sent the form of the package form-data once, which is a stream', async () => {
    service.answer = (_, response) => response.writeHead(401, refusal).end();
    const form = Object.assign(Readable.from(['text']), { [Symbol.toStringTag]: 'FormData' });
    const streaming = (async () => new Response(null, { status: 401, headers: refusal })) as Fetch;
    let sent = 0;
    const counted: Fetch = (...request) => {
      sent += 1;
      return streaming(...request);
    };
    const fetch = createFetch(test.rewt, { audience: 'orders', fetch: counted });
    expect((await fetch(service.origin, { method: 'POST', body: form } as never)).status).toBe(401);
    expect(sent).toBe(1);
  });
});

describe('what the fetch below understands', () => {
  class Options {
    readonly agent = 'agent';
    get next() {
      return { revalidate: 60 };
    }
  }
  const plain = { next: { revalidate: 60 }, agent: 'agent', dispatcher: 'dispatcher', cf: {} };

  it.each([
    ['an object', plain, plain],
    ['an object without a prototype', Object.assign(Object.create(null), plain), plain],
    ['an object of a class', new Options(), { agent: 'agent', next: { revalidate: 60 } }],
  ])('reaches it from %s, with a token and without', async (_kind, init, wanted) => {
    const found: Init[] = [];
    const below = (async (_, init) => {
      found.push(init);
      return new Response();
    }) as Fetch;
    const fetch = createFetch(test.rewt, { audience: { 'https://orders.example': 'orders' }, fetch: below });
    await fetch('https://orders.example/', init as Init);
    await fetch('https://elsewhere.example/', init as Init);
    expect(found).toEqual([expect.objectContaining(wanted), expect.objectContaining(wanted)]);
    expect(found.map((one) => new Headers(one?.headers).has('authorization'))).toEqual([true, false]);
  });
});

describe('a request that is none', () => {
  const messageOf = (sent: Promise<unknown>): Promise<unknown> =>
    sent.then(
      () => 'sent',
      (error: Error) => `${error.name}: ${error.message}`,
    );

  it.each<[string, (url: string) => unknown[]]>([
    ['text as options', (url) => [url, 'x']],
    ['a number as options', (url) => [url, 5]],
    ['null', () => [null]],
    ['undefined', () => [undefined]],
    ['a symbol', () => [Symbol('url')]],
  ])('(%s) is refused in the words of the fetch below, and sent no token', async (_kind, make) => {
    const request = make(service.origin) as Parameters<Fetch>;
    const wanted = await messageOf(globalThis.fetch(...request));
    expect(wanted).toMatch(/^TypeError: /);
    expect(await messageOf(createFetch(test.rewt, { audience: 'orders' })(...request))).toBe(wanted);
    expect(service.arrivals).toEqual([]);
  });
});

describe('a refusal of a fetch below that does not say where it comes from', () => {
  it('is what the caller gets, and no other token is sent', async () => {
    let sent = 0;
    const below = async () => {
      sent += 1;
      const answer = new Response('refused', { status: 401, headers: refusal });
      return Object.defineProperties(answer, { redirected: { value: true }, url: { value: '' } });
    };
    const response = await createFetch(test.rewt, { audience: 'orders', fetch: below })(service.origin);
    expect([response.status, await response.text(), sent]).toEqual([401, 'refused', 1]);
  });
});

describe("the caller's signal", () => {
  const far = faultyStore(memoryStore());
  const rewt = new Rewt({ store: far, storeTimeout: 5 });
  afterEach(() => {
    far.reads = 'up';
  });

  it.each([
    ['in the options', (url: string, signal: AbortSignal) => [url, { signal }] as Parameters<Fetch>],
    ['in a Request', (url: string, signal: AbortSignal) => [new Request(url, { signal })] as Parameters<Fetch>],
  ])('%s ends the wait for a token of a store that does not answer', async (_where, request) => {
    far.reads = 'hung';
    const fetch = createFetch(new Rewt({ store: far, storeTimeout: 60 }), { audience: 'orders' });
    const begun = performance.now();
    const asked = fetch(...request(service.origin, AbortSignal.timeout(200)));
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(service.arrivals).toEqual([]);
  });

  it('ends the wait for a token in place of a refused one', async () => {
    const end = new AbortController();
    service.answer = (_, response) => {
      far.reads = 'hung';
      response.writeHead(401, refusal).end();
      setTimeout(() => end.abort(new Error('enough')), 100);
    };
    const fetch = createFetch(rewt, { audience: 'orders' });
    await expect(fetch(service.origin, { signal: end.signal })).rejects.toThrow('enough');
    expect(service.arrivals).toHaveLength(1);
  });

  it('of twelve requests at the same time has one listener, and none after them', async () => {
    const { signal } = new AbortController();
    const abandoned = new AbortController();
    const fetch = createFetch(test.rewt, { audience: 'orders', fetch: async () => new Response() });
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    try {
      for (const audience of ['first', 'second']) {
        const sent = Array.from({ length: 12 }, () => fetch(`${service.origin}/${audience}`, { signal }));
        expect(getEventListeners(signal, 'abort')).toHaveLength(1);
        await Promise.all(sent);
        expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      }
      await sleep(10);
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', onWarning);
    }
    // An abort ends each of them, and leaves as little.
    far.reads = 'hung';
    const hung = createFetch(new Rewt({ store: far, storeTimeout: 5 }), { audience: 'orders' });
    const ended = Promise.allSettled(
      Array.from({ length: 12 }, () => hung(service.origin, { signal: abandoned.signal })),
    );
    abandoned.abort(new Error('enough'));
    for (const { reason } of (await ended) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ message: 'enough' });
    expect(getEventListeners(abandoned.signal, 'abort')).toHaveLength(0);
  });

  it.each(['before the call', 'after it'])(
    'aborted %s ends a request whose token fails later, and nothing else',
    async (when) => {
      far.reads = 'hung';
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', onUnhandled);
      try {
        const end = new AbortController();
        if (when === 'before the call') end.abort(new Error('enough'));
        const fetch = createFetch(new Rewt({ store: far, storeTimeout: 0.05 }), { audience: 'orders' });
        const sent = fetch(service.origin, { signal: end.signal });
        end.abort(new Error('enough'));
        await expect(sent).rejects.toThrow('enough');
        await sleep(200);
        expect(unhandled).toEqual([]);
        expect(getEventListeners(end.signal, 'abort')).toHaveLength(0);
      } finally {
        process.off('unhandledRejection', onUnhandled);
      }
    },
  );

  it('leaves no listener behind', async () => {
    const signal = new AbortController().signal;
    const counts = { added: 0, removed: 0 };
    const watched = Object.assign(signal, {
      addEventListener: (...listener: Parameters<AbortSignal['addEventListener']>) => {
        counts.added += 1;
        AbortSignal.prototype.addEventListener.apply(signal, listener);
      },
      removeEventListener: (...listener: Parameters<AbortSignal['removeEventListener']>) => {
        counts.removed += 1;
        AbortSignal.prototype.removeEventListener.apply(signal, listener);
      },
    });
    const fetch = createFetch(test.rewt, { audience: 'orders', fetch: async () => new Response() });
    await fetch(service.origin, { signal: watched });
    expect(counts).toEqual({ added: 1, removed: 1 });
  });
});
