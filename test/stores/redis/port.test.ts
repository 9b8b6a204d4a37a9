/**
 * The port of every client keeps the contract of all ports: on one server, behind sentinels, and on
 * a cluster.
 */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RESP_TYPES } from 'redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../../src/index.js';
import { readRedisPort } from '../../../src/stores/redis/clients/detect.js';
import { asStoreError, isPassing } from '../../../src/stores/redis/errors.js';
import { type PortTraits, portConformance } from '../../conformance/port.js';
import { type Cluster, startCluster } from '../../support/cluster.js';
import { compileStores } from '../../support/compiled-stores.js';
import {
  type Address,
  type Connect,
  type ConnectTo,
  clientNamed,
  clients,
  clusterClients,
  connectGlide,
  connectGlideCluster,
  type NodeRedisShape,
  pools,
  redis5,
  redis6,
  type SentinelAddress,
  sentinelClients,
} from '../../support/redis-clients.js';
import { type SentinelSetup, startSentinel } from '../../support/sentinel.js';
import { type RedisServer, startRedis, until } from '../../support/servers.js';

const run = promisify(execFile);

let server: RedisServer;
let sentinel: SentinelSetup;
let cluster: Cluster;
let addresses: Address[];
beforeAll(async () => {
  [server, sentinel, cluster] = await Promise.all([startRedis(), startSentinel(), startCluster()]);
  addresses = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
});
afterAll(() => Promise.all([server?.stop(), sentinel?.stop(), cluster?.stop()]));

function onOneServer(title: string, connect: Connect, options: object = {}, traits: PortTraits = {}): void {
  portConformance(
    `the port of ${title}`,
    async () => ({ ...(await connect(server.port, options)), ownerOf: async () => server }),
    traits,
  );
}

function onSentinels(
  title: string,
  connect: ConnectTo<SentinelAddress>,
  options: object = {},
  traits: PortTraits = {},
) {
  portConformance(
    `the port of ${title} with sentinels`,
    async () => ({ ...(await connect(sentinel, options)), ownerOf: sentinel.master }),
    traits,
  );
}

function onCluster(
  title: string,
  connect: ConnectTo<readonly Address[]>,
  options: object = {},
  traits: PortTraits = {},
): void {
  portConformance(
    `the port of ${title} with a cluster`,
    async () => ({
      ...(await connect(addresses, options)),
      ownerOf: cluster.ownerOf,
      async move(key) {
        const owner = await cluster.ownerOf(key);
        await cluster.migrate(key, cluster.nodes.find((node) => node !== owner) ?? owner);
      },
    }),
    { spread: true, ...traits },
  );
}

const keyPrefix = 'app:';

for (const [name, connect] of clients) onOneServer(name, connect);
for (const name of ['redis 2.8', 'redis 3.1']) {
  onOneServer(`${name} with a prefix`, clientNamed(name), { prefix: keyPrefix }, { keyPrefix });
  onOneServer(`${name} with return_buffers`, clientNamed(name), { return_buffers: true });
}
onOneServer('redis 3.1 with string_numbers', clientNamed('redis 3.1'), { string_numbers: true });
onOneServer('redis 4 in legacyMode', clientNamed('redis 4'), { legacyMode: true });
onOneServer('redis 6 with a keyPrefix', clientNamed('redis 6'), { keyPrefix }, { keyPrefix });
onOneServer('redis 6 on RESP2', clientNamed('redis 6'), { RESP: 2, maintNotifications: 'disabled' });
const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } };
onOneServer('redis 6 that maps types', clientNamed('redis 6'), { commandOptions });
for (const name of ['ioredis 5', 'ioredis 6', 'iovalkey']) {
  onOneServer(`${name} with a keyPrefix`, clientNamed(name), { keyPrefix }, { keyPrefix });
}
onOneServer('ioredis 6 with stringNumbers', clientNamed('ioredis 6'), { stringNumbers: true });
onOneServer('ioredis 6 with auto-pipelining', clientNamed('ioredis 6'), { enableAutoPipelining: true });

for (const [name, connect] of pools) onOneServer(`a pool of ${name}`, connect);
onOneServer('a pool of redis 6 with a keyPrefix', pools[1]?.[1] as Connect, { keyPrefix }, { keyPrefix });

for (const [name, connect] of sentinelClients) onSentinels(name, connect);

for (const [name, connect] of clusterClients) onCluster(name, connect);

const glide = { connects: false, emits: false };
onOneServer('valkey-glide', connectGlide, {}, glide);
onCluster('valkey-glide', connectGlideCluster, {}, { ...glide, spread: false });

describe('a client that is not open yet, and that rewt cannot copy,', () => {
  const rootNodes = () => addresses.map((socket) => ({ socket }));
  const socket = () => ({ host: '127.0.0.1', port: server.port });
  const sentinels = () => ({ name: sentinel.name, sentinelRootNodes: [...sentinel.addresses] });
  it.each<[string, () => NodeRedisShape]>([
    ['a pool of redis 5', () => redis5.createClientPool({ socket: socket() })],
    ['a pool of redis 6', () => redis6.createClientPool({ socket: socket() })],
    ['a cluster client of redis 6', () => redis6.createCluster({ rootNodes: rootNodes() })],
    ['a sentinel client of redis 5', () => redis5.createSentinel(sentinels())],
    ['a sentinel client of redis 6', () => redis6.createSentinel(sentinels())],
  ])('%s, is waited for', async (_, make) => {
    const client = make();
    client.on('error', () => {});
    const port = readRedisPort(client);
    const ask = async () => (await port.send([['ECHO', 'here']], 'key'))[0];
    const early = await ask();
    expect(isPassing(early)).toBe(true);
    expect(asStoreError(early).message).toContain('await its connect()');
    await expect(port.connect('key', new AbortController().signal)).rejects.toBeInstanceOf(Error);
    expect(client.isOpen).toBe(false);

    const opening = client.connect();
    // While it is being opened as well.
    for (let outcome = await ask(); outcome !== 'here'; outcome = await ask()) {
      expect([outcome, isPassing(outcome)]).toEqual([outcome, true]);
      await new Promise(setImmediate);
    }
    await opening;
    expect(await ask()).toBe('here');
    await (client.destroy ? client.destroy() : client.disconnect?.());
    expect(asStoreError(await ask()).code).toBe('ERR_REWT_STORE_CLOSED');
  });
});

describe('a connection of rewt', () => {
  const folder = compileStores({ modules: ['stores/redis/clients/detect'], packages: true, format: 'esm' });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['redis3', 'createClient({ port })', 'end(true)'],
    ['redis4', 'createClient({ socket: { port } })', 'disconnect()'],
    ['redis5', 'createClient({ socket: { port } })', 'destroy()'],
    ['redis', 'createClient({ socket: { port } })', 'destroy()'],
    ['ioredis5', 'default(port)', 'disconnect()'],
    ['ioredis', 'default(port)', 'disconnect()'],
    ['iovalkey', 'default(port)', 'disconnect()'],
  ])('of %s keeps no process alive', async (name, make, close) => {
    const script = `
      import { readRedisPort } from './stores/redis/clients/detect.js';
      import * as library from '${name}';
      const port = ${server.port};
      const client = ${make.startsWith('default') ? 'new ' : ''}library.${make};
      if ('isOpen' in client) await client.connect();
      const redisPort = readRedisPort(client);
      const { signal } = new AbortController();
      const connect = () => redisPort.connect('key', signal);
      const [subscribed, idle] = await Promise.all([connect(), connect()]);
      await subscribed.subscribe('channel', () => {});
      await subscribed.ping();
      await idle.ping();
      await client.${close};
      console.log('done');
    `;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    expect(stdout).toBe('done\n');
  });
});

it('a sentinel client of redis 6 whose master refuses its password, is named as that, before it gives up', async () => {
  const master = await sentinel.master();
  await master.cli('ACL', 'SETUSER', 'ann', 'reset', 'on', '>hunter2', '~*', '+@all');
  const client = redis6.createSentinel({
    ...{ name: sentinel.name, sentinelRootNodes: [...sentinel.addresses] },
    nodeClientOptions: { username: 'ann', password: 'wrong' },
  });
  client.on('error', () => {});
  const connecting = client.connect().catch(() => {});
  const member = new Rewt({ redisConn: client, storeTimeout: 30 });
  try {
    await expect(member.sign({})).rejects.toMatchObject({
      code: 'ERR_REWT_STORE_DENIED',
      message: expect.stringContaining('refused the user name or password'),
      cause: { code: 'WRONGPASS' },
    });
    await master.cli('ACL', 'SETUSER', 'ann', '>wrong');
    await connecting;
    await member.sign({});
  } finally {
    await member.close();
    await client.destroy?.();
    await master.cli('ACL', 'DELUSER', 'ann');
  }
});

it('a sentinel client of redis 6 is copied once, and small, for as long as no sentinel answers', async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const client = redis6.createSentinel({
    ...{ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: (mute.address() as AddressInfo).port }] },
    ...{ masterPoolSize: 9, replicaPoolSize: 9 },
  }) as NodeRedisShape & { duplicate(overrides: object): NodeRedisShape };
  client.on('error', () => {});
  const copies = vi.spyOn(client, 'duplicate');
  const port = readRedisPort(client);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    client.connect().catch(() => {});
    for (let calls = 0; calls < 3; calls += 1) {
      void port.send([['PING']], 'a');
      await vi.advanceTimersByTimeAsync(4_000);
    }
    const small = { masterPoolSize: 1, replicaPoolSize: 0, clientSideCache: undefined };
    expect(copies.mock.calls).toEqual([[expect.objectContaining(small)]]);
    vi.useRealTimers();
    for (const socket of sockets) socket.destroy();
    await until('it is copied again', async () => {
      await Promise.race([port.send([['PING']], 'a'), sleep(300)]);
      return copies.mock.calls.length > 1;
    });
  } finally {
    vi.useRealTimers();
    mute.close();
    const ended = client.destroy?.();
    for (const socket of sockets) socket.destroy();
    await ended;
    await port.close();
  }
});
