/** Which answers refuse a token, and what a fetch does after one of them. */

import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { isRefusedToken } from '../../src/outgoing/challenge.js';
import { createFetch } from '../../src/outgoing/fetch.js';
import { createTestRewt, type TestRewt } from '../../src/testing.js';
import { refusal, type Service, startService } from './service.js';

it.each<[challenges: string | string[] | null, refused: boolean]>([
  ['Bearer error="invalid_token"', true],
  ['Bearer realm="orders", error="invalid_token", error_description="expired"', true],
  ['bearer ERROR=invalid_token', true],
  ['Bearer error = "invalid_token"', true],
  ['Basic realm="a, b", Bearer realm="\\"x", error="invalid_token"', true],
  [['Basic realm="a"', 'Bearer error="invalid_token"'], true],
  ['Negotiate abc==, Bearer error="invalid_token"', true],
  ['Bearer, Bearer error="invalid_token"', true],
  ['Bearer', false],
  ['Bearer realm="error=\\"invalid_token\\""', false],
  ['Bearer error="insufficient_scope"', false],
  ['Bearer error="invalid_request"', false],
  ['Bearer xerror="invalid_token"', false],
  ['DPoP error="invalid_token"', false],
  ['Bearer realm="x", DPoP error="invalid_token"', false],
  ['invalid_token', false],
  ['', false],
  [null, false],
])('the challenge %o of a 401 refuses the token: %s', (challenges, refused) => {
  expect(isRefusedToken(401, challenges)).toBe(refused);
  expect(isRefusedToken(403, challenges)).toBe(false);
});

it('a challenge of 16,000 quotes and backslashes refuses no token', () => {
  expect(isRefusedToken(401, '"\\'.repeat(8_000))).toBe(false);
});

describe('a refused token', () => {
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

  /** Refuses the first `times` requests. */
  function refuse(times: number, headers: Record<string, string> = refusal, status = 401): void {
    service.answer = (_, response) => {
      if (service.arrivals.length <= times) response.writeHead(status, headers).end('refused');
      else response.end('fine');
    };
  }

  const form = new FormData();
  form.set('name', 'value');
  it.each<[string, unknown, string | RegExp]>([
    ['no body', undefined, ''],
    ['a string', 'text', 'text'],
    ['a Buffer', Buffer.from('bytes'), 'bytes'],
    ['an ArrayBuffer', new TextEncoder().encode('buffer').buffer, 'buffer'],
    ['URLSearchParams', new URLSearchParams({ a: 'b' }), 'a=b'],
    ['FormData', form, /name="name"\r\n\r\nvalue/],
    ['a Blob', new Blob(['blob']), 'blob'],
  ])('is replaced once, and %s is sent again', async (_kind, body, sent) => {
    refuse(1);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const init = body === undefined ? {} : { method: 'POST', body: body as string };
    expect(await (await fetch(service.origin, init)).text()).toBe('fine');
    expect(service.arrivals).toHaveLength(2);
    for (const arrival of service.arrivals) expect(arrival.body).toMatch(sent);
    expect(service.arrivals[1]?.method).toBe(service.arrivals[0]?.method);
  });

  it('is replaced also where the request is a Request', async () => {
    refuse(1);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const request = new Request(service.origin, { method: 'POST', body: 'text', headers: { 'x-a': '1' } });
    expect(await (await fetch(request)).text()).toBe('fine');
    expect(service.arrivals.map(({ body, headers }) => [body, headers['x-a']])).toEqual(Array(2).fill(['text', '1']));
  });

  it('is replaced by one that the store says is right, where this member did not know of a revocation', async () => {
    // As at the far end of a network, and without push: a copy is believed for two seconds.
    const far = new Rewt({ store: { ...test.store, local: false } });
    await far.ready();
    const fetch = createFetch(far, { audience: 'orders' });
    expect((await fetch(service.origin)).status).toBe(200);
    await test.rewt.revoke();
    expect((await fetch(service.origin)).status).toBe(200);
    expect(service.arrivals).toHaveLength(3);
    expect(signings()).toBe(2);
    await far.close();
  });

  it('is not sent again, though nothing else is wrong with it', async () => {
    refuse(1);
    const fetch = createFetch(test.rewt, {
      audience: 'orders',
      fetch: async (...request) => {
        test.clock.advance(2);
        return globalThis.fetch(...request);
      },
    });
    expect(await (await fetch(service.origin)).text()).toBe('fine');
    expect(signings()).toBe(2);
    await fetch(service.origin);
    expect(service.tokens()[2]).toBe(service.tokens()[1]);
  });

  it('is tried no third time', async () => {
    refuse(9);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const response = await fetch(service.origin);
    expect([response.status, await response.text()]).toEqual([401, 'refused']);
    expect(service.arrivals).toHaveLength(2);
  });

  it.each<[string, number, Record<string, string>]>([
    ['a 401 without a reason', 401, { 'www-authenticate': 'Bearer' }],
    ['a 401 of another scheme', 401, { 'www-authenticate': 'Basic realm="error=invalid_token"' }],
    ['a 401 without a challenge', 401, {}],
    ['a 403', 403, { 'www-authenticate': 'Bearer error="insufficient_scope"' }],
    ['a 503', 503, {}],
  ])('is not what %s says', async (_what, status, headers) => {
    refuse(9, headers, status);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    expect((await fetch(service.origin)).status).toBe(status);
    expect(service.arrivals).toHaveLength(1);
  });

  it('is not replaced where the body was a stream', async () => {
    refuse(9);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    const streams = [Readable.toWeb(Readable.from(['text'])), Readable.from(['text'])];
    for (const body of streams) {
      const response = await fetch(service.origin, { method: 'POST', body, duplex: 'half' } as never);
      expect(response.status).toBe(401);
    }
    expect(service.arrivals).toHaveLength(2);
  });

  it('is what the user gets where the store cannot say better', async () => {
    refuse(9);
    const fetch = createFetch(test.rewt, { audience: 'orders' });
    service.answer = (_, response) => {
      test.store.fail();
      response.writeHead(401, refusal).end('refused');
    };
    const response = await fetch(service.origin);
    expect([response.status, await response.text()]).toEqual([401, 'refused']);
    expect(service.arrivals).toHaveLength(1);
  });
});
