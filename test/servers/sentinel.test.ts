/**
 * That the sentinels of test/support/sentinel.ts are real, and that what is said to be lost is
 * lost.
 */
import { setTimeout as passMs } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SentinelSetup, startSentinel } from '../support/sentinel.js';

let setup: SentinelSetup;
beforeAll(async () => {
  setup = await startSentinel({ replicas: 2 });
});
afterAll(() => setup?.stop());

it('a planned failover makes a replica the master, which has what was written', async () => {
  const old = await setup.master();
  expect(old).toBe(setup.nodes[0]);
  await old.cli('SET', 'kept', '1');
  await setup.inSync();
  const master = await setup.failover();
  expect(master).not.toBe(old);
  expect(await master.cli('GET', 'kept')).toBe('1');
  await setup.demote(old);
  await setup.inSync();
  expect(await old.cli('ROLE')).toMatch(/^slave\n/);
});

it('a write is acknowledged and lost, by every node', async () => {
  const old = await setup.master();
  const reply = await setup.loseWrites(async (master) => {
    expect(master).toBe(old);
    expect(await master.cli('SET', 'lost', '1')).toBe('OK');
    expect(await master.cli('WAIT', '1', '200')).toBe('0');
    return master.cli('GET', 'lost');
  });
  expect(reply).toBe('1');
  expect(await setup.master()).not.toBe(old);
  await setup.demote(old);
  await setup.inSync();
  for (const node of setup.nodes) expect(await node.cli('EXISTS', 'kept', 'lost')).toBe('1');
  // The link heals: the next master's messages arrive again.
  const master = await setup.master();
  await master.cli('SET', 'heard', '1');
  expect(await master.cli('WAIT', '2', '5000')).toBe('2');
});

it('a killed master is replaced, and comes back on its port as a replica', async () => {
  const old = await setup.master();
  const { port, pid } = old;
  await old.kill();
  const master = await setup.masterAfter(old);
  expect(await master.cli('ROLE')).toMatch(/^master\n/);
  await old.restart();
  expect(old.port).toBe(port);
  expect(old.pid).not.toBe(pid);
  await setup.demote(old);
  await setup.inSync();
  expect(await setup.master()).toBe(master);
  expect(await old.cli('ROLE')).toMatch(/^slave\n/);
  for (const node of setup.nodes) expect(await node.cli('GET', 'heard')).toBe('1');
});

it('a master and a sentinel that are paused for seconds go on as they were', async () => {
  const master = await setup.master();
  const [, , sentinel] = setup.sentinels;
  const paused = [master.pid, Number(sentinel?.pid)];
  for (const pid of paused) process.kill(pid, 'SIGSTOP');
  await passMs(3_000);
  for (const pid of paused) process.kill(pid, 'SIGCONT');
  await setup.inSync();
  expect(await setup.master()).toBe(master);
  // Redis 6 has no setting for it: that sentinel does not act for thirty seconds.
  const canBeSet = await sentinel?.cli('SENTINEL', 'DEBUG').then(
    () => true,
    () => false,
  );
  expect(await sentinel?.cli('INFO', 'sentinel')).toContain(`sentinel_tilt:${canBeSet ? 0 : 1}`);
});

it('two sentinels of three are enough for a failover', async () => {
  await setup.sentinels[0]?.kill();
  const old = await setup.master();
  await expect(setup.failover()).resolves.not.toBe(old);
});
