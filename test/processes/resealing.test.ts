/**
 * Real processes go through docs/sealing.md step by step: to a seal key, to another one, and back
 * to plain text. Each step is a rolling deployment, so there are members of two kinds at any time;
 * all of them sign and verify each other's tokens, and none is refused or unavailable.
 * `npm run test:resealing` does it with twelve processes, each night.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { redisNames } from '../../src/stores/redis/names.js';
import { rewt } from '../cli/command.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { afterStalenessMs, type RollingFleet, rollingFleet } from './rolling-fleet.js';

const count = Number(process.env.REWT_PROCESSES ?? 3);
/** A third of them, so that a deployment has members of two kinds for most of its time. */
const atOnce = Math.ceil(count / 3);
const [oldKey, newKey] = [createSealKey(randomBytes), createSealKey(randomBytes)];
const idOf = (key: string): string => readSealKey(key, 'key').id;

let server: RedisServer;
let fleet: RollingFleet;
beforeEach(async () => {
  server = await startRedis();
  fleet = rollingFleet(server.port, count, atOnce);
});
afterEach(async () => {
  await fleet?.close();
  await server?.stop();
});

/** Runs the command with seal keys, and returns what `--json` prints. */
async function command(keys: readonly string[], ...words: string[]) {
  const env = { REWT_URL: server.url, REWT_NAMESPACE: fleet.namespace, REWT_SEAL_KEY: keys.join(' ') };
  const { code, stdout, stderr } = await rewt([...words, '--json'], { env });
  return { code, stderr, ...JSON.parse(stdout) };
}

/** The id of the ring's seal key, or 'plain'; and K's value and end. */
async function stored() {
  const { key, ring } = redisNames(fleet.namespace);
  const text = await server.cli('GET', ring);
  const form = /^rewt-sealed\.1\.([\w-]{11})\./.exec(text)?.[1] ?? 'plain';
  return { form, key: await server.cli('GET', key), endsAt: await server.cli('PEXPIRETIME', key) };
}

it(`${count} processes move to a seal key, to another and back, and refuse no token`, async () => {
  /** Members of either kind write, and leave the ring in the form that it has. */
  const writeByBoth = async () => {
    const { form } = await stored();
    await fleet.rotate('newest');
    await setTimeout(afterStalenessMs);
    await fleet.rotate('oldest');
    expect((await stored()).form).toBe(form);
  };
  const refused = (keys: readonly string[]) => async () => {
    expect(await command(keys, 'reseal', '--yes')).toMatchObject({
      code: 1,
      error: { message: expect.stringContaining('does not have the seal key') },
    });
    await writeByBoth();
  };

  // Move a namespace to a seal key.
  await fleet.deploy({});
  await fleet.deploy({ sealKey: oldKey, sealing: 'migrate' }, refused([oldKey]));
  await until('all have announced their keys', async () => {
    const { fleet: announced } = await command([oldKey], 'status');
    return announced?.size === count;
  });
  const moved = await command([oldKey], 'reseal', '--yes', '--wait');
  expect(moved).toMatchObject({
    code: 0,
    before: null,
    after: idOf(oldKey),
    rotated: true,
    exposed: false,
    known: count,
  });
  await fleet.deploy({ sealKey: oldKey }, writeByBoth);
  expect(await stored()).toMatchObject({ form: idOf(oldKey), key: expect.stringMatching(/^rewt-kid\./) });

  // Rotate the seal key.
  const both = [newKey, oldKey];
  await fleet.deploy({ sealKey: both }, refused(both));
  // So that none is due while the ring is resealed.
  await fleet.rotate('newest');
  const before = await stored();
  expect(await command(both, 'reseal', '--yes')).toMatchObject({ code: 0, after: idOf(newKey), rotated: false });
  expect(await stored()).toEqual({ ...before, form: idOf(newKey) });
  const { findings } = await command(both, 'doctor');
  const ofSeal = findings.filter(({ check }: { check: string }) => check === 'seal');
  expect(ofSeal).toMatchObject([{ found: expect.stringMatching(`^with the key ${idOf(newKey)}`) }]);
  await fleet.deploy({ sealKey: newKey }, writeByBoth);

  // Go back to plain text.
  await fleet.deploy({ sealKey: newKey, sealing: 'migrate' }, writeByBoth);
  expect(await command([newKey], 'reseal', '--yes', '--plain', '--wait')).toMatchObject({ code: 0, after: null });
  expect((await stored()).form).toBe('plain');
  await fleet.deploy({}, writeByBoth);

  const { failed, signed, verified } = fleet.result();
  expect([...new Set(failed)]).toEqual([]);
  expect(verified).toBeGreaterThan(signed * (count / 2));
}, 300_000);
