/** What is made of the outcomes of the plain read, and that it shows K and R of one instant. */

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { parseRing } from '../../../src/keyring/ring.js';
import { connectRedis } from '../../../src/stores/redis/clients/from-url.js';
import type { Outcomes } from '../../../src/stores/redis/clients/port.js';
import { asStoreError } from '../../../src/stores/redis/errors.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { locatePlainly, plainRead, readPlainly } from '../../../src/stores/redis/plain-read.js';
import { startRedis } from '../../support/servers.js';

const master = 'role:master\r\nconnected_slaves:0\r\n';
const replica = 'role:slave\r\n';
const time = ['1700000000', '250000'];
const noPermission = new Error("NOPERM User u has no permissions to run the 'info' command");

/** The outcomes of one name of R, changed at some places. */
function outcomes(changed: Readonly<Record<number, Outcomes[number]>> = {}): Outcomes {
  const usual = [master, 'ring', time, 'a secret', '5000', time, 'ring', master];
  return usual.map((outcome, index) => (index in changed ? (changed[index] as Outcomes[number]) : outcome));
}

function found(changed?: Readonly<Record<number, Outcomes[number]>>) {
  const entries = readPlainly(outcomes(changed), ['R']);
  if (entries instanceof Error) throw entries;
  return entries;
}

it('shows K with its end, and R', () => {
  expect(found()).toEqual({
    nowMs: 1_700_000_000_250,
    key: { value: 'a secret', expiresAtMs: 1_700_000_005_250 },
    rings: new Map([['R', 'ring']]),
    ...{ roleUnknown: null, mayBeDeposed: false, tookMs: 0, isTorn: false },
  });
  expect(plainRead('K', ['R'])).toHaveLength(outcomes().length);
});

it.each([1, 6])('is torn if R is another one at %i', (at) => {
  expect(found({ [at]: 'another ring' }).isTorn).toBe(true);
  expect(found({ [at]: null }).isTorn).toBe(true);
});

it.each([0, 7])('is READONLY if the INFO at %i is that of a replica', (at) => {
  expect(readPlainly(outcomes({ [at]: replica }), ['R'])).toMatchObject({ message: 'READONLY' });
});

it.each([0, 7])('does not know the role if the INFO at %i is denied', (at) => {
  expect(found({ [at]: noPermission }).roleUnknown).toMatchObject({
    code: 'ERR_REWT_STORE_DENIED',
    message: expect.stringContaining('+info'),
  });
});

it.each([0, 7])('may be deposed if the INFO at %i shows no replica of those that it needs', (at) => {
  expect(found({ [at]: `${master}min_slaves_good_slaves:0\r\n` }).mayBeDeposed).toBe(true);
  expect(found({ [at]: `${master}min_slaves_good_slaves:1\r\n` }).mayBeDeposed).toBe(false);
});

it.each([1, 2, 3, 4, 5, 6])('is the error of the command at %i', (at) => {
  const loading = new Error('LOADING Redis is loading the dataset in memory');
  expect(readPlainly(outcomes({ [at]: loading }), ['R'])).toBe(loading);
});

it('is the error that stands for all commands', () => {
  const lost = new Error('connection lost');
  expect(readPlainly([lost], ['R'])).toBe(lost);
});

it.each([[[]], [outcomes({ 2: 'soon' })], [outcomes({ 4: 'soon' })], [outcomes({ 5: null })]])(
  'is no answer if the replies are of another kind: %j',
  (replies) => {
    expect(() => readPlainly(replies as Outcomes, ['R'])).toThrow(/not the answer/);
  },
);

it('of two names, one may be denied, but not both', () => {
  const denied = new Error('NOPERM No permissions to access a key');
  const withTwo = (old: Outcomes[number], now: Outcomes[number]): Outcomes =>
    [master, now, old, time, 'a secret', '-1', time, now, old, master] as Outcomes;
  const names = redisNames('n', 'app:');
  const rings = [names.ring, names.before?.ring ?? ''];
  const entries = readPlainly(withTwo(denied, 'ring'), rings);
  if (entries instanceof Error) throw entries;
  expect(locatePlainly(names, entries)).toMatchObject({ ring: 'ring', isBefore: false });
  expect(asStoreError(readPlainly(withTwo(denied, denied), rings)).code).toBe('ERR_REWT_STORE_DENIED');
  const hidden = readPlainly(withTwo(denied, null), rings);
  if (hidden instanceof Error) throw hidden;
  expect(() => locatePlainly(names, hidden)).toThrow(/rewt move/);
  const both = readPlainly(withTwo('old', 'new'), rings);
  if (both instanceof Error) throw both;
  expect(locatePlainly(names, both)).toMatchObject({ ring: 'old', beside: 'new', isBefore: true });
});

it('shows K beside the ring that it belongs to, wherever between its commands a member writes', async () => {
  const server = await startRedis();
  const namespace = randomUUID();
  const { key, ring } = redisNames(namespace);
  const port = connectRedis(server.url);
  const writer = new Rewt({ redisConn: server.url, redisNamespace: namespace, push: false, storeTimeout: 20 });
  try {
    await writer.ready();
    const commands = plainRead(key, [ring]);
    const shown: string[] = [];
    for (let cut = 0; cut <= commands.length; cut += 1) {
      const before = await port.send(commands.slice(0, cut), key);
      await writer.revoke();
      const entries = readPlainly([...before, ...(await port.send(commands.slice(cut), key))], [ring]);
      if (entries instanceof Error) throw entries;
      const text = entries.rings.get(ring) ?? '';
      const isPair = entries.key?.value === parseRing(text).current.secret;
      shown.push(entries.isTorn ? 'torn' : isPair ? 'pair' : 'a secret beside the ring of another');
    }
    expect(shown).toEqual(['pair', 'pair', 'torn', 'torn', 'torn', 'torn', 'torn', 'pair', 'pair']);
  } finally {
    await Promise.all([writer.close(), port.close()]);
    await server.stop();
  }
});
