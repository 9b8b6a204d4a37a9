/** `rewt set`, `--reason` and `--replace`: what an operator tells a keyring, and finds again. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { rewt } from './command.js';

let server: RedisServer;
let env: { REWT_URL: string };
beforeAll(async () => {
  server = await startRedis();
  env = { REWT_URL: server.url };
});
afterAll(() => server?.stop());
beforeEach(() => server.cli('FLUSHALL'));

/** Begins a keyring whose next secret is old enough to sign. */
async function begin(): Promise<string> {
  const { stdout } = await rewt(['sign', '{}', '--ttl', '12h'], { env });
  const ring = JSON.parse(await server.cli('GET', '{rewt:rewt-secret}:ring'));
  const older = JSON.stringify({ ...ring, next: { ...ring.next, since: ring.next.since - 3_600_000 } });
  await server.cli('SET', '{rewt:rewt-secret}:ring', older, 'KEEPTTL');
  return stdout.trim();
}
const statusOf = async () => JSON.parse((await rewt(['status', '--json'], { env })).stdout).keyring;

it('set prints the times before and after, downwards too, and no token is refused for it', async () => {
  const token = await begin();
  const raised = await rewt(['set', '--overlap', '2h'], { env });
  expect(raised).toMatchObject({ code: 0, stdout: 'ttl      12 h -> 12 h\noverlap  5 min 5 s -> 2 h\n' });
  const lowered = await rewt(['set', '--ttl', '1h', '--overlap', '10m', '--yes', '--json', '--reason', 'shorter'], {
    env,
  });
  expect(JSON.parse(lowered.stdout)).toMatchObject({
    ...{ namespace: 'rewt', set: true, rotated: true },
    ...{ before: { ttl: 43_200, overlap: 7_200 }, after: { ttl: 3_600, overlap: 600 } },
  });
  expect(await statusOf()).toMatchObject({
    ttl: 3_600,
    overlap: 600,
    epoch: 0,
    changes: [{ cause: 'rotate', reason: 'shorter' }],
  });
  expect(await rewt(['verify', token], { env })).toMatchObject({ code: 0 });
});

const tooLong = ['--reason', 'x'.repeat(201)] as const;
it.each([
  ['set without a time', ['set'], 2],
  ['set with a shorter time, without a terminal and without --yes', ['set', '--ttl', '1h'], 2],
  ['set with times that do not fit each other', ['set', '--ttl', '10s', '--overlap', '1h', '--yes'], 2],
  ['set in a namespace without a keyring', ['set', '--ttl', '1h', '--yes', '--namespace', 'typo'], 1],
  ['set with a reason that is too long', ['set', '--ttl', '1h', '--yes', ...tooLong], 2],
  ['revoke with a reason that is too long', ['revoke', '--yes', ...tooLong], 2],
  ['revoke with an unknown option', ['revoke', '--yes', '--reasn', 'x'], 2],
  ['revoke without a terminal and without --yes', ['revoke'], 2],
  ['rotate with a reason that is too long', ['rotate', ...tooLong], 2],
  ['rotate in a namespace without a keyring', ['rotate', '--namespace', 'typo'], 1],
  ['move without a key prefix', ['move', '--yes'], 2],
] as const)('%s is refused, says that nothing was written, and writes nothing', async (_, words, code) => {
  await begin();
  const before = await server.cli('GET', '{rewt:rewt-secret}:ring');
  const { code: ended, stderr } = await rewt(words, { env });
  expect(ended).toBe(code);
  expect(stderr).toMatch(/[^.]\. Nothing was written\.\n/);
  expect(await server.cli('GET', '{rewt:rewt-secret}:ring')).toBe(before);
});

it('set with a shorter time too soon after a rotation exits with 1 before it needs --yes', async () => {
  await begin();
  await rewt(['rotate'], { env });
  const { code, stdout, stderr } = await rewt(['set', '--ttl', '1h', '--json'], { env });
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'ERR_REWT_ROTATION_REFUSED',
    message: expect.stringMatching(/\. Nothing was written\.$/),
  });
});

it('set leaves a named member what it has announced that it needs', async () => {
  await begin();
  const held = {
    name: 'orders-1',
    lineage: 'x',
    epoch: 0,
    generation: 1,
    next: 'x',
    needs: { ttl: 1, overlap: 365_000 },
  };
  await server.cli('ZADD', 'rewt-fleet:{rewt:rewt-secret}', String(Date.now()), `id\n${JSON.stringify(held)}`);
  const { code, stderr } = await rewt(['set', '--overlap', '1m', '--yes'], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('"orders-1"');
});

it('the reasons of rotations and revocations are shown by status, the last eight', async () => {
  await begin();
  await rewt(['rotate', '--reason', 'quarterly'], { env });
  await rewt(['revoke', '--yes', '--reason', 'laptop lost'], { env });
  const { stdout } = await rewt(['status'], { env });
  expect(stdout).toMatch(/^changed +\S+Z {2}revoke: laptop lost\nchanged +\S+Z {2}rotate: quarterly\n/m);
  const { code, stderr } = await rewt(['rotate', '--reason', ''], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('--reason: must be a text');
});

it.each([
  ['a ring of a newer version', ['SET', '{rewt:rewt-secret}:ring', '{"v":9}'], 'newer'],
  ['a ring that is none', ['SET', '{rewt:rewt-secret}:ring', 'junk'], 'unreadable'],
  ['a secret of the wrong type', ['LPUSH', 'rewt:rewt-secret', 'x'], 'unreadable'],
] as const)('%s is replaced only with --replace, which the refusal names', async (_, command, replace) => {
  await server.cli(...command);
  const refused = await rewt(['revoke', '--yes'], { env });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(`--replace ${replace}, with the same --url and --namespace`);
  expect(await rewt(['revoke', '--yes', '--replace', replace], { env })).toMatchObject({ code: 0 });
  expect(await rewt(['status'], { env })).toMatchObject({ code: 0 });
});
