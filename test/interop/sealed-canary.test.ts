/**
 * No secret of a sealed keyring, and no seal key, is found where a reader of Redis, of a file, of a
 * trace or of an output can look. The same places show the secret of a plain keyring.
 */
import { randomBytes } from 'node:crypto';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, it } from 'vitest';
import { fileStore, Rewt } from '../../src/index.js';
import { RESEAL } from '../../src/keyring/reseal.js';
import { instrumentRewt } from '../../src/observe/otel.js';
import { openSealed } from '../../src/seal/envelope.js';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { rewt as command } from '../cli/command.js';
import { disposedAfterEach } from '../support/disposals.js';
import { isInSync } from '../support/replication.js';
import { type RedisServer, serverGroup, until } from '../support/servers.js';

const disposals = disposedAfterEach();

/** What one place shows, in the end. */
type Sink = () => string | Promise<string>;

const filesIn = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');

/** Everything that the clients publish, replies too. */
function traced(): Sink {
  const seen: unknown[] = [];
  const note = (event: unknown) => void seen.push(event);
  for (const client of ['ioredis', 'node-redis']) {
    for (const operation of ['command', 'batch', 'connect']) {
      const tracing = tracingChannel<object, object>(`${client}:${operation}`);
      const handlers = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
      tracing.subscribe(handlers);
      disposals.push(() => tracing.unsubscribe(handlers));
    }
  }
  return () => inspect(seen, { depth: null, maxArrayLength: null, maxStringLength: null });
}

function published(): Sink {
  const seen: unknown[] = [];
  const note = (event: unknown) => void seen.push(event);
  for (const name of ['operation', 'refresh', 'rotated', 'revoked', 'resealed', 'degraded', 'warning', 'unannounced']) {
    channel(`rewt:${name}`).subscribe(note);
    disposals.push(() => channel(`rewt:${name}`).unsubscribe(note));
  }
  return () => inspect(seen, { depth: null });
}

/** What a server sends on, from a command that has no end. */
async function followed(server: RedisServer, word: 'MONITOR' | 'SYNC'): Promise<Sink> {
  const socket = connect(server.port, '127.0.0.1');
  disposals.push(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += String(chunk);
  });
  socket.write(`${word}\r\n`);
  await until(`${word} has begun`, async () => text !== '');
  return () => text;
}

const places = [
  'RDB file',
  'AOF',
  'MONITOR',
  'SLOWLOG',
  'replica',
  'replication stream',
  'CLIENT LIST',
  'announcements',
  'embedded store',
  'tracing channels',
  "rewt's channels",
  'spans',
  'inspect',
  'errors',
  'status()',
  'the command',
];

it.each([
  ['sealed', true],
  ['plain', false],
])(`of a keyring that is %s: ${places.length} places`, async (_, isSealed) => {
  const servers = serverGroup();
  disposals.push(() => servers.stop());
  const folder = mkdtempSync(join(tmpdir(), 'rewt-canary-'));
  disposals.push(() => rmSync(folder, { recursive: true, force: true }));
  // Compressed, nothing would be found.
  const data = [
    '--dir',
    folder,
    '--rdbcompression',
    'no',
    '--appendonly',
    'yes',
    '--slowlog-log-slower-than',
    '0',
    '--slowlog-max-len',
    '10000',
  ];
  const server = await servers.start(data);
  const replica = await servers.start(['--replicaof', `127.0.0.1 ${server.port}`]);
  const embedded = join(folder, 'embedded');

  const sealKey = createSealKey(randomBytes);
  const key = readSealKey(sealKey, 'key');
  const seals = isSealed ? { sealKey } : {};
  const sinks = new Map<string, Sink>();
  sinks.set('MONITOR', await followed(server, 'MONITOR'));
  sinks.set('replication stream', await followed(server, 'SYNC'));
  sinks.set('tracing channels', traced());
  sinks.set("rewt's channels", published());
  const spans = new InMemorySpanExporter();
  disposals.push(
    instrumentRewt({ tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }) }),
  );

  const ioredis = new Redis(server.port, '127.0.0.1');
  disposals.push(() => ioredis.disconnect());
  const redis = await createClient({ url: server.url }).connect();
  disposals.push(() => redis.destroy());
  const store = fileStore({ path: embedded });
  disposals.push(() => store.close());
  const members = [{ redisConn: ioredis }, { redisConn: redis }, { store }].map(
    (place, at) => new Rewt({ ...place, ...seals, memberName: `orders-${at}`, storeTimeout: 10 }),
  );
  for (const member of members) disposals.push(() => member.close());

  const canaries = new Set(isSealed ? [sealKey, sealKey.slice('rewtsk_'.length)] : []);
  const ringsOf = async (): Promise<string[]> => {
    const { ring } = await store.read('rewt', { timeoutMs: 5_000 });
    return [await server.cli('GET', '{rewt:rewt-secret}:ring'), ring ?? ''];
  };
  const plant = async (): Promise<void> => {
    for (const ring of await ringsOf()) {
      const text = isSealed ? openSealed(ring.trim(), new Map([[key.id, key]]), 'rewt:rewt-secret') : ring;
      for (const [, secret = ''] of text.matchAll(/"secret":"([^"]+)"/g)) canaries.add(secret);
    }
  };
  for (const member of members) await member.verify(await member.sign({ sub: 'ann' }));
  await plant();
  for (const act of [
    (rewt: Rewt) => rewt.rotate({ force: true }),
    (rewt: Rewt) => rewt.revoke({ reason: 'a test' }),
    async (rewt: Rewt) => isSealed && rewt[RESEAL]({}),
  ]) {
    for (const member of members) await act(member);
    await plant();
  }
  // A member with a seal key would revoke a plain keyring.
  const stranger = isSealed ? new Rewt({ redisConn: redis, sealKey: createSealKey(randomBytes) }) : members[0];
  const failed = stranger?.verify('a.b.c');
  const error: unknown = await failed?.catch((reason) => reason);
  const env = { REWT_URL: server.url, ...(isSealed ? { REWT_SEAL_KEY: sealKey } : {}) };
  const runs = await Promise.all(
    [['status'], ['status', '--json'], ['list', '--json'], ['doctor', '--json'], ['sign', '{}']].map((words) =>
      command(words, { env }),
    ),
  );
  await server.cli('SAVE');
  await until('the replica has all of it', () => isInSync(replica, server));

  sinks.set('RDB file', () => readFileSync(join(folder, 'dump.rdb'), 'latin1'));
  sinks.set('AOF', () => filesIn(join(folder, 'appendonlydir')));
  sinks.set('SLOWLOG', () => server.cli('SLOWLOG', 'GET', '-1'));
  sinks.set(
    'replica',
    async () => (await replica.cli('GET', 'rewt:rewt-secret')) + (await replica.cli('GET', '{rewt:rewt-secret}:ring')),
  );
  sinks.set('CLIENT LIST', () => server.cli('CLIENT', 'LIST'));
  sinks.set('announcements', () => server.cli('ZRANGE', 'rewt-fleet:{rewt:rewt-secret}', '0', '-1'));
  sinks.set('embedded store', () => filesIn(embedded));
  sinks.set('spans', () => inspect(spans.getFinishedSpans(), { depth: 6 }));
  sinks.set('inspect', () => inspect(members, { depth: 12, showHidden: true, getters: true }));
  sinks.set('errors', () => inspect(error, { depth: null, showHidden: true }));
  sinks.set('status()', () => JSON.stringify(members.map((member) => member.status())));
  sinks.set('the command', () => runs.map(({ stdout, stderr }) => stdout + stderr).join('\n'));

  expect([...sinks.keys()].sort()).toEqual([...places].sort());
  expect(canaries.size).toBeGreaterThan(8);
  const found: string[] = [];
  for (const [name, show] of sinks) {
    const text = await show();
    expect(`${name}: ${text.length > 20}`).toBe(`${name}: true`);
    if ([...canaries].some((canary) => text.includes(canary))) found.push(name);
  }
  const readByWhoReadsRedis = [
    'AOF',
    'MONITOR',
    'RDB file',
    'embedded store',
    'replica',
    'replication stream',
    'tracing channels',
  ];
  expect(found.sort()).toEqual(isSealed ? [] : expect.arrayContaining(readByWhoReadsRedis));
});
