/**
 * What clients do with commands that no call waits for any more, or whose answer was lost: send
 * them later, or twice. A swap happens in time, and once.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import type { CallLimits, Store, SwapAnswer } from '../../../src/stores/store.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { patientClients, patientClusterClients } from '../../support/patient-clients.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import type { ConnectedClient } from '../../support/redis-clients.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const generous = { timeoutMs: 20_000 };
const brief = { timeoutMs: 150 };
const [before, wanted, others] = ['before', 'wanted', 'others'].map((name) => name.padEnd(32, '-')) as [
  before: string,
  wanted: string,
  others: string,
];

let server: RedisServer;
const disposals = disposedAfterEach();
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

/** A namespace that holds something, and a swap for it. */
interface Setup {
  readonly store: Store;
  readonly namespace: string;
  readonly keys: readonly [key: string, ring: string];
  swap(limits: CallLimits): Promise<SwapAnswer>;
  /** The last instant of that swap on the server's clock. */
  lastMs(limits: CallLimits): number;
}

async function setUp({ client, close }: ConnectedClient, on: RedisServer, tag = randomUUID()): Promise<Setup> {
  const port = readRedisPort(client);
  const store = redisStore(port);
  disposals.push(close, () => store.close());
  const namespace = `{${tag}}${randomUUID()}`;
  const { key, ring } = redisNames(namespace, port.keyPrefix);
  await on.cli('MSET', key, before, ring, 'ring before');
  const { version, nowMs } = await store.read(namespace, generous);
  const state = {
    key: { value: wanted, expiresAtMs: nowMs + 60_000 },
    ring: { text: 'ring wanted', expiresAtMs: nowMs + 90_000 },
  };
  const lastMs = ({ timeoutMs }: CallLimits): number => nowMs + timeoutMs;
  return {
    store,
    namespace,
    keys: [key, ring],
    swap: (limits) => store.swap(namespace, version, state, { ...limits, notAfterMs: lastMs(limits) }),
    lastMs,
  };
}

async function throughProxy(
  connect: (port: number) => Promise<ConnectedClient>,
): Promise<Setup & { proxy: NetworkProxy }> {
  const proxy = await startProxy(server.port);
  disposals.push(proxy.stop);
  return { proxy, ...(await setUp(await connect(proxy.port), server)) };
}

async function timeOf(on: RedisServer): Promise<number> {
  const [seconds, micros] = (await on.cli('TIME')).split('\n');
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

/** Whether the server has been sent a draft since its statistics began, late or not. */
async function hasSeenDraft(on: RedisServer): Promise<boolean> {
  return (await on.cli('INFO', 'commandstats')).includes('cmdstat_set:');
}

const outages: readonly (readonly [what: string, begin: (proxy: NetworkProxy) => Promise<void>])[] = [
  ['no server could be reached', (proxy) => proxy.cut()],
  ['it was on its way', (proxy) => proxy.hold()],
];

describe.each(patientClients)('through a patient %s', (name, connect) => {
  it.each(outages)('a swap that was given up while %s does not happen when the server is back', async (_, begin) => {
    // A client that has not noticed the cut when the swap begins loses it, and has nothing to send.
    await until('the server is sent a swap too late', async () => {
      const { proxy, store, namespace, keys, swap, lastMs } = await throughProxy(connect);
      await begin(proxy);
      await expect(swap(brief)).rejects.toMatchObject({ status: 503 });
      await until('the last instant of the swap is over', async () => (await timeOf(server)) > lastMs(brief));
      await server.cli('CONFIG', 'RESETSTAT');
      await proxy.pass();
      // Behind whatever the client still has to send.
      await until('the client is through with its queue', () => store.read(namespace, generous).catch(() => null));
      const hasSeen = await hasSeenDraft(server);
      expect(await server.cli('MGET', ...keys)).toBe(`${before}\nring before`);
      // Pools, and the clients that rewt makes, have no queue for when no server can be reached.
      return hasSeen || /pool|prefix/.test(name);
    });
  });

  it('a swap whose answer was lost is done once, and known to be done', async () => {
    const { proxy, keys, swap } = await throughProxy(connect);
    const [key] = keys;
    // One that waits for the answer to the first command before it sends the second has to get
    // that.
    const isStepwise = name === 'glide';
    await (isStepwise ? proxy.delayReplies(2_500) : proxy.blackHole('replies'));
    const breakAndHeal = async (): Promise<void> => {
      await until('the swap is done', async () => (await server.cli('GET', key)) === wanted);
      if (isStepwise) await proxy.cut();
      // A client that does it again overwrites this.
      await server.cli('SET', key, others);
      await server.cli('CONFIG', 'RESETSTAT');
      await proxy.pass();
    };
    const [{ swapped }] = await Promise.all([swap(generous), breakAndHeal()]);
    expect([swapped, await hasSeenDraft(server)]).toEqual([true, true]);
    expect(await server.cli('MGET', ...keys)).toBe(`${others}\nring wanted`);
  });
});

describe('in a cluster', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // No node is ever taken for dead.
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it.each(patientClusterClients)(
    'a swap that a patient %s gave up on does not happen when its node goes on',
    async (_, connect) => {
      const tag = randomUUID();
      const owner = await cluster.ownerOf(`{${tag}}`);
      const connected = await connect(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
      const { store, namespace, keys, swap, lastMs } = await setUp(connected, owner, tag);
      await owner.cli('CONFIG', 'RESETSTAT');
      process.kill(owner.pid, 'SIGSTOP');
      try {
        await expect(swap(brief)).rejects.toMatchObject({ code: 'ERR_REWT_STORE_TIMEOUT', status: 503 });
        // This one cannot be asked for the time.
        await until('the last instant of the swap is over', async () => Date.now() > lastMs(brief) + 50);
      } finally {
        process.kill(owner.pid, 'SIGCONT');
      }
      await until('the client is through with its queue', () => store.read(namespace, generous).catch(() => null));
      expect(await hasSeenDraft(owner)).toBe(true);
      expect(await owner.cli('MGET', ...keys)).toBe(`${before}\nring before`);
    },
  );
});
