/** The command while a fleet moves to a seal key; and `rewt move`, `rewt serve` when it has. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RESEAL } from '../../src/keyring/reseal.js';
import { ask } from '../middleware/raw-client.js';
import { prefixedMembers } from '../support/prefixed-members.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { rewt } from './command.js';
import { formOf, idOf, key, other, sealedRuns } from './sealed-runs.js';
import { type Serving, startServing } from './serving.js';

const prefix = 'team:';
let server: RedisServer;
let namespace: string;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());
beforeEach(() => {
  namespace = `n-${randomUUID()}`;
});

const { names, read, run, json, asMember, begin } = sealedRuns(() => ({ server, namespace }));
const plain = 'the keyring is plain text, although there is a seal key here: rewt reseal seals it';

describe('a plain keyring, with a key', () => {
  it('is noted by each verb that looks, and read', async () => {
    const token = await begin();
    const before = await read();
    expect(await json(['status'], key)).toMatchObject({ exit: 0, due: null, sealed: null });
    expect((await run(['status'], key)).stdout).toContain(`sealed      no: ${plain}\n`);
    expect((await run(['status'])).stdout).not.toContain(plain);
    expect(await run(['verify', token], key)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`warning: ${plain}\n`),
    });
    expect(await run(['explain', token], key)).toMatchObject({ code: 0, stdout: expect.stringContaining(plain) });
    const { findings, exit } = await json(['doctor', '--strict'], key);
    expect(exit).toBe(1);
    expect(findings).toContainEqual({
      check: 'seal',
      level: 'warning',
      found: expect.stringContaining('although there is a seal key here'),
      remedy: expect.stringContaining('rewt reseal'),
    });
    expect(await read()).toEqual(before);
  });

  it('stays plain after sign, rotate, set and revoke, and no token is refused for the first three', async () => {
    const token = await begin();
    await asMember({}, async (member) => {
      await member.ready();
      for (const words of [
        ['sign', '{}'],
        ['rotate', '--force'],
        ['set', '--overlap', '20m'],
      ]) {
        const { code, stderr } = await run(words, key);
        expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(`warning: ${plain}\n`) });
        const [secret, ring] = await read();
        expect({ form: formOf(ring), isSecret: JSON.parse(ring).current.secret === secret }).toEqual({
          form: 'plain',
          isSecret: true,
        });
        expect(await member.verify(token)).toMatchObject({ user: 'ann' });
      }
      expect(await json(['revoke', '--yes'], key)).toMatchObject({ exit: 0, epoch: 1 });
      expect(formOf((await read())[1])).toBe('plain');
      await member.ready();
      await expect(asMember({}, (fresh) => fresh.verify(token))).rejects.toMatchObject({ status: 401 });
    });
  });

  it('without a ring is adopted as it is', async () => {
    const secret = 'x3Vq0yQyZ9mJ1c7bKQw2nT5dLr8aHfUe4sGpYzWiXoA';
    await server.cli('SET', names().key, secret, 'EX', '86400');
    expect((await run(['sign', '{}'], key)).code).toBe(0);
    const [value, ring] = await read();
    expect({ value, form: formOf(ring) }).toEqual({ value: secret, form: 'plain' });
  });

  it('of members that migrate is left to them: both forms work at any time', async () => {
    const migrating = { sealKey: key, sealing: 'migrate' } as const;
    const token = await begin(migrating);
    expect(formOf((await read())[1])).toBe('plain');
    expect((await run(['verify', token], key)).code).toBe(0);
    const { token: signed } = await json(['sign', '{"user":"bob"}'], key);
    expect(await asMember(migrating, (member) => member.verify(signed))).toMatchObject({ user: 'bob' });
  });
});

describe('a keyring that was just sealed', () => {
  it('is shown with the end of the secrets that were in plain text', async () => {
    const token = await begin({ sealKey: key, sealing: 'migrate' });
    await asMember({ sealKey: key, sealing: 'migrate' }, (member) => member[RESEAL]({ force: true }));
    const { keyring, sealed } = await json(['status'], key);
    expect({ sealed, seal: keyring.sealed }).toEqual({
      sealed: { keyId: idOf(key), opens: true },
      seal: { keyId: idOf(key), opens: true, exposedUntil: expect.any(String), opening: false },
    });
    const words = `with the key ${idOf(key)}, but secrets that were in plain text before verify until `;
    expect((await run(['status'], key)).stdout).toContain(`sealed      ${words}`);
    expect((await json(['doctor'], key)).findings).toContainEqual({
      check: 'seal',
      level: 'warning',
      found: expect.stringMatching(/secrets that were in plain text before verify until .*: one of them signs still$/),
      remedy: 'rewt reseal --wait, which rotates',
    });
    expect((await run(['verify', token], key)).code).toBe(0);
    await run(['rotate', '--force'], key);
    expect((await json(['doctor'], key)).findings).toContainEqual({
      check: 'seal',
      level: 'note',
      found: expect.stringContaining(words),
    });
  });
});

describe('another key than the first', () => {
  it('is noted by doctor, with the key that would seal', async () => {
    await begin({ sealKey: key });
    const { findings } = await json(['doctor'], `${other},${key}`);
    expect(findings).toContainEqual({
      check: 'seal',
      level: 'note',
      found: `with the key ${idOf(key)}. It is not the first key here, so do not remove it yet`,
      remedy: expect.stringContaining(`once every member has ${idOf(other)}, rewt reseal`),
    });
  });
});

it('status --watch names the key that is needed, and shows the keyring when it is plain again', async () => {
  await begin({ sealKey: key });
  const lines: string[] = [];
  const leaving = new AbortController();
  const watching = rewt(['status', '--watch', '--json', '--url', server.url, '--namespace', namespace], {
    interrupted: leaving.signal,
    onLine: (line) => void lines.push(line),
  });
  const events = () => lines.map((line) => JSON.parse(line));
  await vi.waitFor(
    () =>
      expect(events()).toContainEqual(
        expect.objectContaining({ event: 'began', sealed: { keyId: idOf(key), opens: false } }),
      ),
    10_000,
  );
  expect((await run(['revoke', '--yes', '--replace', 'sealed'])).code).toBe(0);
  await vi.waitFor(
    () => expect(events()).toContainEqual(expect.objectContaining({ event: 'began', epoch: 0 })),
    10_000,
  );
  leaving.abort(130);
  expect((await watching).code).toBe(130);
  expect(events().filter(({ event }) => event === 'began')).toHaveLength(2);
});

describe('rewt move', () => {
  const moving = prefixedMembers(prefix, () => ({ server, namespace }));
  const prefixed = sealedRuns(() => ({ server, namespace, prefix }));
  const move = ['move', '--yes', '--key-prefix', prefix];

  /** As a member of the version before would have left it, if it had sealed. */
  async function beginUnderOldName(): Promise<string> {
    const token = await moving.newMember(server.url, { sealKey: key }).sign({ user: 'ann' });
    await server.cli('RENAME', moving.names().ring, moving.oldNames().ring);
    return token;
  }

  it('leaves the ring under its key, and no token is refused', async () => {
    const token = await beginUnderOldName();
    expect(await prefixed.json(move, `${other},${key}`)).toMatchObject({ exit: 0, moved: true });
    expect(await moving.places()).toEqual({ old: false, prefixed: true });
    expect(formOf((await prefixed.read())[1])).toBe(idOf(key));
    const member = moving.newMember(server.url, { sealKey: key });
    expect(await member.verify(token)).toMatchObject({ user: 'ann' });
    expect(await prefixed.json(['verify', token, '--key-prefix', prefix], key)).toMatchObject({ exit: 0 });
  });

  it.each([[undefined], [other]])('moves nothing with the key %s', async (given) => {
    await beginUnderOldName();
    const { exit, error } = await prefixed.json(move, given);
    expect({ exit, error }).toMatchObject({ exit: 3, error: { code: 'ERR_REWT_RING_SEALED' } });
    expect(error.message).toContain(idOf(key));
    expect(await moving.places()).toEqual({ old: true, prefixed: false });
  });
});

describe('rewt serve', () => {
  let serving: Serving | undefined;
  afterEach(async () => {
    await serving?.end('SIGKILL');
    serving = undefined;
  });

  const start = async (more: readonly string[], env: Record<string, string>): Promise<Serving> => {
    serving = await startServing(['--url', server.url, '--namespace', namespace, ...more], { env });
    return serving;
  };
  const statusOf = async (token: string): Promise<number> =>
    (await ask(serving?.port ?? 0, { path: '/verify', lines: [`Authorization: Bearer ${token}`] })).status;

  it('judges tokens of a sealed keyring with its key, and none without', async () => {
    const token = await begin({ sealKey: key });
    await start([], { REWT_SEAL_KEY: `${other} ${key}` });
    expect(await statusOf(token)).toBe(204);
    await serving?.end('SIGKILL');
    const before = await read();
    const { said } = await start([], { REWT_SEAL_KEY: other });
    expect(await statusOf(token)).toBe(503);
    await vi.waitFor(() => expect(said()).toContain(`sealed with the key ${idOf(key)}`));
    expect(said()).not.toContain(key);
    expect(await read()).toEqual(before);
  });

  it('takes a plain keyring with --sealing migrate, and revokes it without', async () => {
    const token = await begin();
    await start(['--sealing', 'migrate'], { REWT_SEAL_KEY: key });
    expect(await statusOf(token)).toBe(204);
    expect(formOf((await read())[1])).toBe('plain');
    await serving?.end('SIGKILL');
    await start([], { REWT_SEAL_KEY: key });
    expect(await statusOf(token)).toBe(401);
    expect(formOf((await read())[1])).toBe(idOf(key));
    const shown = (await run(['status'], key)).stdout;
    expect(shown).toMatch(/^changed +\S+ {2}brake: a plain ring stood in place of a sealed one$/m);
    await vi.waitFor(() => expect(serving?.said()).toContain('REWT_PLAIN_RING'));
  });

  it.each([
    [['--sealing', 'migrate'], '--sealing: has no effect without a seal key'],
    [['--sealing', 'always'], "--sealing: must be 'migrate'"],
  ])('refuses %s without a key', async (words, sentence) => {
    expect(await run(['serve', '--port', '0', ...words])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(sentence),
    });
  });
});

it('doctor advises a seal where the server has replicas', async () => {
  await begin();
  const sealIn = async () => (await json(['doctor'])).findings.find(({ check }: { check: string }) => check === 'seal');
  expect(await sealIn()).toBeUndefined();
  const replica = await startRedis();
  try {
    await replica.cli('REPLICAOF', '127.0.0.1', String(server.port));
    await vi.waitFor(
      async () => expect(await server.cli('INFO', 'replication')).toContain('connected_slaves:1'),
      10_000,
    );
    expect(await sealIn()).toMatchObject({ level: 'note', remedy: expect.stringContaining('rewt seal-key') });
  } finally {
    await replica.stop();
  }
});
