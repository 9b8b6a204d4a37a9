/** What rotate() and revoke() say of replicas: whether a failover now would keep the change. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { memoryStore, Rewt } from '../../../src/index.js';
import { type RedisServer, startRedis } from '../../support/servers.js';

let master: RedisServer;
let replica: RedisServer;

beforeAll(async () => {
  master = await startRedis(['--repl-diskless-sync-delay', '0']);
  replica = await startRedis(['--replicaof', '127.0.0.1', String(master.port)]);
  const deadlineMs = Date.now() + 20_000;
  while (!(await replica.cli('INFO', 'replication')).includes('master_link_status:up')) {
    if (Date.now() > deadlineMs) throw new Error('the replica does not follow');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
afterAll(async () => {
  await replica?.stop();
  await master?.stop();
});

it('a revocation that a replica has acknowledged says so, and one that it has not says that', async () => {
  await using rewt = new Rewt({ redisConn: master.url, storeTimeout: 10 });
  await rewt.ready();
  // A replica acknowledges once a second by itself, at once where it is asked; on a busy machine it
  // may be late.
  let { replicas } = await rewt.revoke();
  for (let attempt = 0; replicas !== 1 && attempt < 50; attempt += 1) ({ replicas } = await rewt.revoke());
  expect(replicas).toBe(1);

  process.kill(replica.pid, 'SIGSTOP');
  try {
    expect((await rewt.revoke()).replicas).toBe(0);
    expect((await rewt.rotate({ force: true })).replicas).toBe(0);
  } finally {
    process.kill(replica.pid, 'SIGCONT');
  }
});

it('there is nothing to tell without replicas, and no waiting for it', async () => {
  const alone = await startRedis();
  try {
    await using rewt = new Rewt({ redisConn: alone.url });
    await expect(rewt.revoke()).resolves.toMatchObject({ epoch: 0, replicas: 0 });
    await alone.cli('ACL', 'SETUSER', 'default', '-info');
    await expect(rewt.revoke()).resolves.toMatchObject({ epoch: 1, replicas: null });
  } finally {
    await alone.stop();
  }
  await expect(new Rewt({ store: memoryStore() }).revoke()).resolves.toMatchObject({ epoch: 0, replicas: null });
});
