/** What a member asks the ring for, and what goes on while it has not got it. On turned clocks. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WarningMessage } from '../../src/index.js';
import { turnedMembers } from '../support/turned-members.js';
import { pass, settle, times } from '../support/turned-time.js';

/** Soft age 1 s, lead 2 s. */
const quick = { ...times, ttl: 8, tokenLifetime: 4, maxStaleness: 2, clockTolerance: 1 };

const keyring = turnedMembers();
const { member } = keyring;
const warnings: WarningMessage[] = [];
const listen = (message: unknown): void => void warnings.push(message as WarningMessage);

beforeEach(() => {
  warnings.length = 0;
  subscribe('rewt:warning', listen);
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  unsubscribe('rewt:warning', listen);
  vi.restoreAllMocks();
});

describe('a gateway with the default maxStaleness beside secrets that turn every eight seconds', () => {
  it('accepts good tokens for all of its maxStaleness without the store', async () => {
    const { rewt: fleet } = member(quick);
    const { rewt: gateway, store } = member({ ttl: undefined });
    await gateway.verify(await fleet.sign({ n: 0 }));
    await pass(1_000);
    await gateway.verify(await fleet.sign({ n: 0 }));
    store.reads = 'down';
    for (let second = 0; second < 58; second += 1) {
      const { value, error } = await settle(gateway.verify(await fleet.sign({ second })));
      expect(value, `${second} s: ${error?.code}`).toMatchObject({ second });
      await pass(1_000);
    }
    expect(warnings).toEqual([]);
  });

  it('asks for the ttl that this needs, and for no more overlap', async () => {
    const { rewt: fleet } = member(quick);
    await fleet.sign({});
    const { rewt: gateway } = member({ ttl: undefined, tokenLifetime: 900 });
    await gateway.verify(await fleet.sign({}));
    await pass(0);
    expect(gateway.status().keyring).toMatchObject({ ttl: 120, overlap: 7, generation: 2, epoch: 0 });
  });

  it('asks again after a maxStaleness, once it may write', async () => {
    const { rewt: fleet } = member(quick);
    const { rewt: gateway, store } = member({ ttl: undefined });
    store.swaps = 'down';
    for (let second = 0; second < 50; second += 1) {
      await gateway.verify(await fleet.sign({}));
      await pass(1_000);
    }
    store.swaps = 'up';
    for (let second = 0; second < 12; second += 1) {
      await gateway.verify(await fleet.sign({}));
      await pass(1_000);
    }
    expect(gateway.status().keyring).toMatchObject({ ttl: 120 });
  });
});

it('a gateway that may not write verifies all the same, and warns once', async () => {
  const { rewt: fleet } = member(quick);
  const { rewt: gateway, store } = member({ ttl: undefined });
  store.swaps = 'down';
  for (let second = 0; second < 200; second += 1) {
    const token = await fleet.sign({ second });
    expect(await settle(gateway.verify(token))).toMatchObject({ value: { second } });
    await pass(1_000);
  }
  expect(warnings).toEqual([
    { namespace: 'rewt', code: 'REWT_TTL_TOO_SHORT', message: expect.stringContaining('at least 120 s') },
  ]);
  // One attempt in a maxStaleness.
  expect(store.swapCount).toBeLessThanOrEqual(5);
});

it('a gateway whose writes get no answer makes no caller wait for them', async () => {
  const { rewt: fleet } = member(quick);
  const { rewt: gateway, store } = member({ ttl: undefined });
  await fleet.sign({});
  store.swapTravelMs = 900;
  expect((await settle(gateway.verify(await fleet.sign({})))).ms).toBeLessThanOrEqual(2);
});

it('a gateway whose writes are refused uses its copy as if it had asked for nothing', async () => {
  const { rewt: fleet } = member(quick);
  const { rewt: gateway, store } = member({ ttl: undefined });
  store.swaps = 'down';
  const token = await fleet.sign({});
  await gateway.verify(token);
  await pass(50);
  const { readCount, swapCount } = store;
  expect(swapCount).toBe(1);
  expect(gateway.verifySync(token)).toBeDefined();
  store.replyMs = 500;
  expect((await settle(gateway.verify(token))).ms).toBeLessThanOrEqual(2);
  expect(store.readCount).toBe(readCount);
});

it('a gateway that is closed while it reads asks for nothing', async () => {
  await member(quick).rewt.ready();
  const { rewt: gateway, store } = member({ ttl: undefined });
  store.replyMs = 100;
  const reading = settle(gateway.ready());
  await pass(10);
  await gateway.close();
  await pass(1_000);
  await reading;
  expect([store.readCount, store.swapCount]).toEqual([1, 0]);
});

it('a gateway that is closed before its write is refused warns of nothing', async () => {
  await member(quick).rewt.ready();
  const { rewt: gateway, store } = member({ ttl: undefined });
  store.swaps = 'down';
  store.replyMs = 100;
  const reading = settle(gateway.ready());
  await pass(150);
  await gateway.close();
  await pass(1_000);
  await reading;
  expect([store.readCount, store.swapCount]).toEqual([2, 1]);
  expect(warnings).toEqual([]);
});

it('a member whose maxStaleness fits the keyring writes nothing', async () => {
  const { rewt: fleet } = member(quick);
  const { rewt: strict, store } = member({ ttl: undefined, maxStaleness: 0 });
  const { rewt: alike, store: other } = member({ ttl: undefined, maxStaleness: 4 });
  for (const rewt of [strict, alike]) await rewt.verify(await fleet.sign({}));
  await pass(0);
  expect([store.swapCount, other.swapCount]).toEqual([0, 0]);
});

it('sign() that waits for a larger overlap takes a copy that has it, even if its read gets no reply', async () => {
  await member({ tokenLifetime: 10 }).rewt.ready();
  const { rewt, store } = member({ tokenLifetime: 900 });
  await rewt.ready();
  store.reads = 'hung';
  const signing = settle(rewt.sign({ sub: 'a' }));
  await pass(1);
  store.reads = 'up';
  // Written by what came meanwhile, with all that this member needs.
  await rewt.rotate({ force: true });
  expect(rewt.status().keyring).toMatchObject({ overlap: 965 });
  expect((await signing).error).toBeUndefined();
});
