/** No call outlives its deadline, however patient the client is, and nobody has to restart anything afterwards. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isRewtError, Rewt } from '../../src/index.js';
import { asRedisPort } from '../../src/redis/detect.js';
import { redisStore } from '../../src/stores/redis.js';
import { type Cluster, startCluster } from '../cluster.js';
import { type NetworkProxy, startProxy } from '../proxy.js';
import { type RedisServer, startRedis, until } from '../servers.js';
import { clusterClients } from './clients.js';
import { patientClients, patientClusterClients } from './patient.js';

const generous = { timeoutMs: 10_000 };
const brief = { timeoutMs: 150 };
/** Far more than the deadline, far less than what the clients would take by themselves. */
const limitMs = 20_000;

let server: RedisServer;
const disposals: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
afterEach(async () => {
  for (const dispose of disposals.splice(0).reverse()) await dispose();
});

async function brokenNetwork(): Promise<NetworkProxy> {
  const proxy = await startProxy(server.port);
  disposals.push(proxy.stop);
  return proxy;
}

interface Outage {
  begin(proxy: NetworkProxy): unknown;
  end(proxy: NetworkProxy): unknown;
}
const outages: readonly (readonly [what: string, outage: Outage])[] = [
  ['refuses connections', { begin: (proxy) => proxy.cut(), end: (proxy) => proxy.pass() }],
  ['swallows what it is sent', { begin: (proxy) => proxy.blackHole(), end: (proxy) => proxy.pass() }],
  [
    'stands still',
    { begin: () => process.kill(server.pid, 'SIGSTOP'), end: () => process.kill(server.pid, 'SIGCONT') },
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

describe.each(patientClients)('through a patient %s', (_, connect) => {
  it.each(outages)('a server that %s fails every call in time, and is noticed when it is back', async (_, outage) => {
    const proxy = await brokenNetwork();
    const { client, close } = await connect(proxy.port);
    disposals.push(close);
    const store = redisStore(asRedisPort(client));
    disposals.push(() => store.close());
    const namespace = randomUUID();
    const from = await store.read(namespace, generous);
    const wanted = { key: null, ring: { text: randomUUID(), expiresAtMs: from.nowMs + 60_000 } };
    const swap = () =>
      store.swap(namespace, from.version, wanted, { ...brief, notAfterMs: from.nowMs + brief.timeoutMs });

    await outage.begin(proxy);
    try {
      for (let round = 0; round < 2; round += 1) {
        const codes = await Promise.all([store.read(namespace, brief), swap()].map(codeOf));
        expect(codes).toEqual([unavailable, unavailable]);
      }
    } finally {
      await outage.end(proxy);
    }
    const back = await until('the store answers', () => store.read(namespace, generous).catch(() => null));
    expect(back).toMatchObject({ key: null, ring: null });
  });

  it('a Rewt that asks each time says unavailable, never invalid, and goes on by itself; it closes in the midst of it', async () => {
    const proxy = await brokenNetwork();
    const { client, close } = await connect(proxy.port);
    disposals.push(close);
    const options = { redisConn: client, redisNamespace: randomUUID(), maxStaleness: 0, storeTimeout: 0.15 };
    const rewt = new Rewt({ ...options, storeTimeout: 10 });
    disposals.push(() => rewt.close());
    const token = await rewt.sign({ sub: 'a' });
    const hasty = new Rewt(options);
    disposals.push(() => hasty.close());

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
  let cluster: Cluster;
  beforeAll(async () => {
    // Nobody takes over from a node that is gone.
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it.each(patientClusterClients)(
    'a node that is gone fails every call of a patient %s in time, and is noticed when it is back',
    async (_, connect) => {
      const { client, close } = await connect(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
      disposals.push(close);
      const store = redisStore(asRedisPort(client));
      disposals.push(() => store.close());
      const namespace = randomUUID();
      await store.read(namespace, generous);
      const owner = await cluster.ownerOf(`${namespace}:rewt-secret`);

      await owner.kill();
      try {
        for (let round = 0; round < 2; round += 1)
          expect(await codeOf(store.read(namespace, brief))).toEqual(unavailable);
      } finally {
        await owner.restart();
      }
      await cluster.inSync();
      const back = await until('the store answers', () => store.read(namespace, generous).catch(() => null));
      expect(back).toMatchObject({ key: null, ring: null });
    },
  );

  it('a cluster that is not whole is named by every client, for the keys of the node that is gone and for all others', async () => {
    const addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const [gone, other] = cluster.nodes;
    const namespaceOf = async (node: typeof gone): Promise<string> => {
      const name = randomUUID();
      return (await cluster.ownerOf(`${name}:rewt-secret`)) === node ? name : namespaceOf(node);
    };
    const namespaces = await Promise.all([namespaceOf(gone), namespaceOf(other)]);
    const stores = clusterClients.map(async ([name, connect]) => {
      const { client, close } = await connect(addresses);
      const store = redisStore(asRedisPort(client));
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

  it('a slow master answers every client, though one that is cut off from the cluster says that it is down', async () => {
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
      const port = asRedisPort(client);
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
