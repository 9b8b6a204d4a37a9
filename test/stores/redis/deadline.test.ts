/**
 * No call outlives its deadline, however patient the client is, and no restart is needed
 * afterwards.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { isRewtError, Rewt } from '../../../src/index.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { redisStore } from '../../../src/stores/redis/redis-store.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import { disposedAfterEach } from '../../support/disposals.js';
import { patientClients, patientClusterClients } from '../../support/patient-clients.js';
import { type NetworkProxy, startProxy } from '../../support/proxy.js';
import { clusterClients } from '../../support/redis-clients.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const generous = { timeoutMs: 10_000 };
const brief = { timeoutMs: 150 };
/** Far more than the deadline, far less than what the clients would take by themselves. */
const limitMs = 20_000;

/** What a test calls with what it opened. Tests that run at once each have their own. */
type OnTestFinished = TestContext['onTestFinished'];

interface BrokenNetwork {
  readonly server: RedisServer;
  readonly proxy: NetworkProxy;
}

async function brokenNetwork(onTestFinished: OnTestFinished): Promise<BrokenNetwork> {
  const server = await startRedis();
  onTestFinished(server.stop);
  const proxy = await startProxy(server.port);
  onTestFinished(proxy.stop);
  return { server, proxy };
}

interface Outage {
  begin(network: BrokenNetwork): unknown;
  end(network: BrokenNetwork): unknown;
}
const outages: readonly (readonly [what: string, outage: Outage])[] = [
  ['refuses connections', { begin: ({ proxy }) => proxy.cut(), end: ({ proxy }) => proxy.pass() }],
  ['swallows what it is sent', { begin: ({ proxy }) => proxy.blackHole(), end: ({ proxy }) => proxy.pass() }],
  [
    'stands still',
    {
      begin: ({ server }) => process.kill(server.pid, 'SIGSTOP'),
      end: ({ server }) => process.kill(server.pid, 'SIGCONT'),
    },
  ],
];

/** The code with which a call failed; another word for a call that did not fail, or not in time. */
function codeOf(call: Promise<unknown> | undefined): Promise<unknown> {
  const inTime = Promise.resolve(call).then(
    () => 'no error',
    (error: unknown) => (isRewtError(error) ? error.code : error),
  );
  const late = new Promise((resolve) => void setTimeout(resolve, limitMs, 'never settled').unref());
  return Promise.race([inTime, late]);
}
const unavailable = expect.stringMatching(/^ERR_REWT_STORE_(DOWN|TIMEOUT)$/);

describe.concurrent.each(patientClients)('through a patient %s', (_, connect) => {
  it.for(outages)(
    'a server that %s fails every call in time, and is noticed when it is back',
    async ([, outage], { onTestFinished }) => {
      const network = await brokenNetwork(onTestFinished);
      const { client, close } = await connect(network.proxy.port);
      onTestFinished(close);
      const store = redisStore(readRedisPort(client));
      onTestFinished(() => store.close());
      const namespace = randomUUID();
      const from = await store.read(namespace, generous);
      const wanted = { key: null, ring: { text: randomUUID(), expiresAtMs: from.nowMs + 60_000 } };
      const swap = () =>
        store.swap(namespace, from.version, wanted, { ...brief, notAfterMs: from.nowMs + brief.timeoutMs });

      await outage.begin(network);
      try {
        for (let round = 0; round < 2; round += 1) {
          const codes = await Promise.all([store.read(namespace, brief), swap()].map(codeOf));
          expect(codes).toEqual([unavailable, unavailable]);
        }
      } finally {
        await outage.end(network);
      }
      const back = await until('the store answers', () => store.read(namespace, generous).catch(() => null));
      expect(back).toMatchObject({ key: null, ring: null });
    },
  );

  it('a Rewt that reads each time is unavailable, never wrong, recovers, and can close meanwhile', async ({
    onTestFinished,
  }) => {
    const { proxy } = await brokenNetwork(onTestFinished);
    const { client, close } = await connect(proxy.port);
    onTestFinished(close);
    const options = { redisConn: client, redisNamespace: randomUUID(), maxStaleness: 0, storeTimeout: 0.15 };
    const rewt = new Rewt({ ...options, storeTimeout: 10 });
    onTestFinished(() => rewt.close());
    const token = await rewt.sign({ sub: 'a' });
    const hasty = new Rewt(options);
    onTestFinished(() => hasty.close());

    await proxy.blackHole();
    expect(await codeOf(hasty.sign({ sub: 'b' }))).toEqual(unavailable);
    expect(await codeOf(hasty.verify(token))).toEqual(unavailable);
    expect(await codeOf(hasty.revoke())).toEqual(unavailable);
    expect(await codeOf(hasty.close())).toBe('no error');
    await proxy.pass();

    await until('tokens verify again', () => rewt.verify(token).catch(() => null));
    await expect(rewt.sign({ sub: 'c' })).resolves.toBeTypeOf('string');
  });
});

describe('in a cluster', () => {
  const disposals = disposedAfterEach();
  let cluster: Cluster;
  beforeAll(async () => {
    // No node takes over from one that is gone.
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it('a node that is gone fails every call of each patient client in time, and is noticed once back', async () => {
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const namespace = randomUUID();
    const owner = await cluster.ownerOf(`${namespace}:rewt-secret`);
    const connecting = patientClusterClients.map(async ([name, connect]) => {
      const { client, close } = await connect(addresses);
      const store = redisStore(readRedisPort(client));
      disposals.push(close, () => store.close());
      await store.read(namespace, generous);
      return { name, store };
    });
    const connected = await Promise.all(connecting);

    await owner.kill();
    try {
      for (let round = 0; round < 2; round += 1) {
        const failing = connected.map(async ({ name, store }) => ({
          name,
          code: await codeOf(store.read(namespace, brief)),
        }));
        expect(await Promise.all(failing)).toEqual(connected.map(({ name }) => ({ name, code: unavailable })));
      }
    } finally {
      await owner.restart();
    }
    await cluster.inSync();
    const reading = connected.map(async ({ name, store }) => {
      const back = await until(`${name} is answered`, () => store.read(namespace, generous).catch(() => null));
      expect({ name, back }).toMatchObject({ name, back: { key: null, ring: null } });
    });
    await Promise.all(reading);
  });

  it('a cluster that is down is named by every client, for the keys of the lost node and for all others', async () => {
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const [gone, other] = cluster.nodes;
    const namespaceOf = async (node: typeof gone): Promise<string> => {
      const name = randomUUID();
      return (await cluster.ownerOf(`${name}:rewt-secret`)) === node ? name : namespaceOf(node);
    };
    const namespaces = await Promise.all([namespaceOf(gone), namespaceOf(other)]);
    const stores = clusterClients.map(async ([name, connect]) => {
      const { client, close } = await connect(addresses);
      const store = redisStore(readRedisPort(client));
      disposals.push(close, () => store.close());
      for (const namespace of namespaces) await store.read(namespace, generous);
      return { name, store };
    });
    const connected = await Promise.all(stores);
    await gone?.kill();
    try {
      await until('the cluster is down', async () => /state:fail/.test((await other?.cli('CLUSTER', 'INFO')) ?? ''));
      const failures = connected.flatMap(({ name, store }) =>
        namespaces.map(async (namespace) => {
          const error = await store.read(namespace, { timeoutMs: 3_000 }).catch((error: unknown) => error);
          expect({ name, error }).toMatchObject({
            name,
            error: { code: 'ERR_REWT_STORE_DOWN', cause: { code: 'CLUSTERDOWN' } },
          });
        }),
      );
      await Promise.all(failures);
    } finally {
      await gone?.restart();
    }
  });

  it('a slow master answers every client, though one cut off from the cluster reports that it is down', async () => {
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const [apart, slow] = cluster.nodes;
    const keyOf = async (): Promise<string> => {
      const key = randomUUID();
      return (await cluster.ownerOf(key)) === slow ? key : keyOf();
    };
    const key = await keyOf();
    const connecting = clusterClients.map(async ([name, connect]) => {
      const { client, close } = await connect(addresses);
      disposals.push(close);
      const port = readRedisPort(client);
      await port.send([['GET', key]], key);
      return { name, port };
    });
    const connected = await Promise.all(connecting);
    await apart?.cli('CLUSTER', 'DELSLOTS', '0');
    try {
      await until('it says so', async () => /state:fail/.test((await apart?.cli('CLUSTER', 'INFO')) ?? ''));
      await slow?.cli('CLIENT', 'PAUSE', '1000');
      const sent = connected.map(async ({ name, port }) => ({
        name,
        outcomes: await port.send([['SET', key, '']], key),
      }));
      expect(await Promise.all(sent)).toEqual(connected.map(({ name }) => ({ name, outcomes: ['OK'] })));
    } finally {
      await apart?.cli('CLUSTER', 'ADDSLOTS', '0');
    }
    await cluster.inSync();
  });
});
