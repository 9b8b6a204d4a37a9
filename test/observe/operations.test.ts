/** What `rewt:operation` and `rewt:refresh` say of each call. */

import { createHmac } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions } from '../../src/index.js';
import { faultyStore } from '../support/faulty-store.js';
import { pass, times, turnTime } from '../support/turned-time.js';

const names = ['rewt:operation', 'rewt:refresh'];
let told: [string, Record<string, unknown>][] = [];
const listen = (message: unknown, name: string | symbol): void => {
  told.push([String(name), message as Record<string, unknown>]);
};
const operations = () => told.filter(([name]) => name === 'rewt:operation').map(([, message]) => message);

beforeEach(() => {
  turnTime();
  told = [];
  for (const name of names) subscribe(name, listen);
});
afterEach(() => {
  for (const name of names) unsubscribe(name, listen);
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}, register = memoryStore()) {
  const store = faultyStore(register);
  return { rewt: new Rewt({ ...times, store, ...options } as RewtOptions), store, register };
}

describe('a call that goes well', () => {
  it('is told with its outcome, how long it took, and whose secret it was', async () => {
    const { rewt, store } = member();
    store.replyMs = 20;
    const signing = rewt.sign({});
    await pass(40);
    const token = await signing;
    await rewt.verify(token);
    const of = { namespace: 'rewt', outcome: 'ok', fault: null };
    expect(operations()).toEqual([
      { ...of, operation: 'sign', durationMs: 40, secret: null },
      { ...of, operation: 'verify', durationMs: 0, secret: 'current' },
    ]);
    // Read, and written, since there was nothing.
    expect(told[0]).toEqual(['rewt:refresh', { namespace: 'rewt', outcome: 'ok', durationMs: 40 }]);
  });

  it('is told with a callback, and without a promise, as with one', async () => {
    const { rewt } = member();
    await rewt.ready();
    const token = rewt.signSync({});
    rewt.verifySync(token);
    await new Promise<void>((resolve) => rewt.verify(token, () => resolve()));
    await rewt.verifyComplete(token);
    expect(operations().map(({ operation, secret }) => [operation, secret])).toEqual([
      ['sign', null],
      ['verify', 'current'],
      ['verify', 'current'],
      ['verify', 'current'],
    ]);
  });

  it('names a secret that has retired, one that signs already elsewhere, and one without a name', async () => {
    const { rewt, register } = member();
    const retired = await rewt.sign({});
    await rewt.rotate({ force: true });
    await rewt.verify(retired);
    const secret = (await register.read('rewt', { timeoutMs: 1_000 })).key?.value ?? '';
    const signedPart = [{ alg: 'HS256', typ: 'JWT' }, { exp: 1_800_000_100 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    await rewt.verify(`${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`);
    const { rewt: other, store } = member({}, register);
    await other.ready();
    await rewt.rotate({ force: true });
    store.reads = 'down';
    await other.verify(await rewt.sign({}));
    expect(operations().filter(({ operation }) => operation === 'verify')).toMatchObject([
      { secret: 'retired' },
      { secret: 'unnamed' },
      { secret: 'next' },
    ]);
  });

  it('is told of rotations and revocations too', async () => {
    const { rewt } = member();
    await rewt.ready();
    await rewt.rotate({ force: true });
    await rewt.revoke();
    expect(operations().map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['rotate', 'ok'],
      ['revoke', 'ok'],
    ]);
  });
});

describe('a call that fails', () => {
  it('is told with the code of its error, and whose fault it was', async () => {
    const { rewt, store } = member();
    const token = await rewt.sign({});
    await expect(rewt.verify(`${token}x`)).rejects.toThrow();
    await expect(rewt.sign({}, { expiresIn: '9 days' })).rejects.toThrow();
    await expect(rewt.rotate()).rejects.toThrow();
    store.reads = 'down';
    await pass(61_000);
    await expect(rewt.verify(token)).rejects.toThrow();
    expect(() => rewt.verifySync(token)).toThrow();
    expect(operations().slice(1)).toMatchObject([
      { operation: 'verify', outcome: 'ERR_REWT_MALFORMED', fault: 'token', secret: null },
      { operation: 'sign', outcome: 'ERR_REWT_OPTION', fault: 'caller' },
      { operation: 'rotate', outcome: 'ERR_REWT_ROTATION_REFUSED', fault: 'caller' },
      { operation: 'verify', outcome: 'ERR_REWT_STORE_DOWN', fault: 'store' },
      { operation: 'verify', outcome: 'ERR_REWT_COPY_NOT_FRESH', fault: 'store' },
    ]);
    expect(told.filter(([name]) => name === 'rewt:refresh').at(-1)?.[1]).toMatchObject({
      outcome: 'ERR_REWT_STORE_DOWN',
    });
  });
});

it('nothing is published without a subscriber, and no time is taken', async () => {
  for (const name of names) unsubscribe(name, listen);
  const { rewt } = member();
  await rewt.ready();
  const clock = vi.spyOn(performance, 'now');
  await rewt.verify(await rewt.sign({}));
  // One reading for each call.
  expect(clock).toHaveBeenCalledTimes(2);
  expect(told).toEqual([]);
});
