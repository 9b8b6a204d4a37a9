/** Each verb on a sealed keyring: with its key, without one, and with another one. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileStore, Rewt } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { rewt } from './command.js';
import { freshState } from './process.js';
import { formOf, idOf, key, other, sealedRuns } from './sealed-runs.js';

let server: RedisServer;
let namespace: string;
const state = freshState();
const keyFolder = mkdtempSync(join(tmpdir(), 'rewt-sealed-'));
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  state.remove();
  rmSync(keyFolder, { recursive: true, force: true });
  await server?.stop();
});
beforeEach(() => {
  namespace = `n-${randomUUID()}`;
});

const { names, read, run, json, asMember, begin, planted } = sealedRuns(() => ({ server, namespace }));

/** The error of each verb that cannot work without the key. */
function refusal(held: string) {
  const message = expect.stringMatching(
    new RegExp(
      `127\\.0\\.0\\.1:\\d+: The keyring in the store is sealed with the key ${idOf(key)}; this command ${held}\\. ` +
        'Add that key to REWT_SEAL_KEY or --seal-key-file\\..* rewt revoke --replace sealed',
    ),
  );
  return { exit: 3, error: { code: 'ERR_REWT_RING_SEALED', message } };
}

describe('with the key', () => {
  it('verify, explain, status, list and doctor read it, and write nothing', async () => {
    const token = await begin({ sealKey: key });
    const before = await read();
    expect(await json(['verify', token], key)).toMatchObject({ exit: 0, payload: { user: 'ann' } });
    expect(await json(['explain', token], key)).toMatchObject({
      exit: 0,
      valid: true,
      due: null,
      secret: { is: 'current', signed: true },
    });
    const { keyring, ...shown } = await json(['status'], key);
    expect(shown).toMatchObject({ exit: 0, due: null, sealed: { keyId: idOf(key), opens: true } });
    expect(shown.key).toMatchObject({ kid: keyring.signing, marks: true });
    expect((await run(['status'], key)).stdout).toMatch(new RegExp(`^sealed +with the key ${idOf(key)}$`, 'm'));
    // Each ring is bound to its own namespace.
    const listed = await rewt(['list', '--json'], { env: { REWT_URL: server.url, REWT_SEAL_KEY: key } });
    const { keyrings } = JSON.parse(listed.stdout);
    expect(keyrings).toContainEqual(
      expect.objectContaining({
        namespace,
        signing: keyring.signing,
        due: null,
        unreadable: null,
        sealed: shown.sealed,
      }),
    );
    const { findings } = await json(['doctor'], key);
    expect(findings).toContainEqual({ check: 'seal', level: 'ok', found: `with the key ${idOf(key)}` });
    for (const check of ['keyring', 'ttl', 'secret']) {
      expect(findings).toContainEqual(expect.objectContaining({ check, level: 'ok' }));
    }
    expect(await read()).toEqual(before);
  });

  it('a token that was not signed by it is refused', async () => {
    await begin({ sealKey: key });
    const token = await asMember({ redisNamespace: `${namespace}-2` }, (member) => member.sign({}));
    expect((await run(['verify', token], key)).code).toBe(1);
    expect(await json(['explain', token], key)).toMatchObject({ exit: 1, secret: { is: 'unknown' } });
  });

  it('sign, rotate, set and revoke work on it, and leave it sealed under its key', async () => {
    const sealedFor = async () => {
      const [mark, ring] = await read();
      expect(mark).toMatch(/^rewt-kid\.[\w-]{11}$/);
      return { form: formOf(ring), kid: mark.slice(9) };
    };
    await begin({ sealKey: key });
    // The key of the ring goes on, whichever is the first one here.
    const keys = `${other},${key}`;
    const { token } = await json(['sign', '{"user":"bob"}'], keys);
    await asMember({ sealKey: key }, async (member) => {
      expect(await member.verify(token)).toMatchObject({ user: 'bob' });
      const { kid } = await json(['rotate', '--force'], keys);
      expect(await sealedFor()).toEqual({ form: idOf(key), kid });
      expect(await member.verify(token)).toMatchObject({ user: 'bob' });
      expect(await json(['set', '--overlap', '20m'], keys)).toMatchObject({ exit: 0, set: true });
      expect(await sealedFor()).toEqual({ form: idOf(key), kid });
      const revoked = await json(['revoke', '--yes', '--reason', 'a test'], keys);
      expect(revoked).toMatchObject({ exit: 0, revoked: true, before: kid, missing: [] });
      expect(await sealedFor()).toEqual({ form: idOf(key), kid: revoked.kid });
      expect(planted()).toBeGreaterThan(6);
      await expect(asMember({ sealKey: key }, (fresh) => fresh.verify(token))).rejects.toMatchObject({ status: 401 });
    });
  });

  it('revoke --wait sees the members that have it', async () => {
    await asMember({ sealKey: key, memberName: 'orders-1' }, async (member) => {
      await member.sign({});
      expect(await json(['revoke', '--yes', '--wait'], key)).toMatchObject({
        exit: 0,
        fleet: { size: 1, members: [{ name: 'orders-1', state: 'holds next' }] },
        missing: [],
      });
    });
  });

  it('the key may be in a file', async () => {
    const token = await begin({ sealKey: key });
    const file = join(keyFolder, 'seal.key');
    writeFileSync(file, key, { mode: 0o600 });
    expect((await run(['verify', token, '--seal-key-file', file])).code).toBe(0);
    expect((await run(['verify', token, '--seal-key-file', file], other)).code).toBe(0);
  });

  it('sign begins an empty namespace sealed, under the first key', async () => {
    const { token } = await json(['sign', '{"user":"ann"}'], `${key} ${other}`);
    const [mark, ring] = await read();
    expect({ form: formOf(ring), mark }).toEqual({ form: idOf(key), mark: expect.stringMatching(/^rewt-kid\./) });
    expect(await asMember({ sealKey: key }, (member) => member.verify(token))).toMatchObject({ user: 'ann' });
  });

  it('a ring that is gone is begun anew once no member has written it back', async () => {
    await begin({ sealKey: key });
    await server.cli('DEL', names().ring);
    const status = await run(['status'], key);
    expect(status.stdout).toMatch(/^due +adopt: the sealed ring is gone/m);
    expect(status.stdout).toMatch(/^keyring +none: the sealed ring is gone$/m);
    const { exit, token } = await json(['sign', '{}'], key);
    expect(exit).toBe(0);
    expect(formOf((await read())[1])).toBe(idOf(key));
    expect((await run(['verify', token], key)).code).toBe(0);
  });
});

describe.each([
  ['without a key', undefined, 'has no seal key'],
  ['with another key', other, `has ${idOf(other)}`],
])('%s', (_, given, held) => {
  it.each([
    ['sign', ['sign', '{}']],
    ['verify', ['verify']],
    ['explain', ['explain']],
    ['rotate', ['rotate', '--force']],
    ['set', ['set', '--ttl', '2h', '--yes']],
    ['revoke', ['revoke', '--yes']],
    ['revoke --replace unreadable', ['revoke', '--yes', '--replace', 'unreadable']],
  ])('%s names the key that is needed, and what gives it', async (verb, words) => {
    const token = await begin({ sealKey: key });
    const before = await read();
    const rest = verb === 'verify' || verb === 'explain' ? [token] : [];
    expect(await json([...words, ...rest], given)).toMatchObject(refusal(held));
    expect(await read()).toEqual(before);
  });

  it('status shows the envelope, the kid of the mark and its TTL', async () => {
    await begin({ sealKey: key });
    const sealed = { keyId: idOf(key), opens: false };
    const shown = await json(['status'], given);
    expect(shown).toMatchObject({ exit: 0, due: null, keyring: null, sealed });
    const [mark] = await read();
    expect(shown.key).toMatchObject({ kid: mark.slice(9), marks: true, expiresAt: expect.any(String) });
    const { code, stdout } = await run(['status'], given);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `keyring    sealed with the key ${idOf(key)}, which this command does not have: REWT_SEAL_KEY or ` +
        '--seal-key-file gives it\n',
    );
    expect(stdout).toMatch(/^secret +[\w-]{11}, by its mark, ends 2\S+Z \(in /m);
    expect((await json(['list'], given)).keyrings).toContainEqual(
      expect.objectContaining({ namespace, signing: null, unreadable: 'ERR_REWT_RING_SEALED', sealed }),
    );
    expect((await run(['list'], given)).stdout).toContain(`ERR_REWT_RING_SEALED, sealed with ${idOf(key)}`);
  });

  it('doctor names the key, and judges nothing that it cannot see', async () => {
    await begin({ sealKey: key });
    const { findings, exit } = await json(['doctor'], given);
    const seal = findings.find(({ check }: { check: string }) => check === 'seal');
    expect(seal).toMatchObject({ level: given === undefined ? 'note' : 'problem' });
    expect(seal.found).toContain(idOf(key));
    expect(seal.remedy).toContain('REWT_SEAL_KEY or --seal-key-file');
    expect(exit).toBe(given === undefined ? 0 : 1);
    const checks = findings.map(({ check }: { check: string }) => check);
    expect(checks).toContain('ttl');
    for (const check of ['secret', 'keyring', 'kid-less tokens']) expect(checks).not.toContain(check);
  });

  it('revoke --replace sealed begins anew, under the key that is there', async () => {
    const token = await begin({ sealKey: key });
    const { code, stdout, stderr } = await run(['revoke', '--yes', '--replace', 'sealed'], given);
    expect(code).toBe(0);
    expect(stderr).toContain('It has the default times (ttl 1 d, overlap 6 min 5 s), because those of before');
    const [mark, ring] = await read();
    expect(formOf(ring)).toBe(given === undefined ? 'plain' : idOf(given));
    if (given === undefined) {
      expect(stderr).toContain('there is no seal key here, so the new keyring is plain text');
      expect(mark).not.toMatch(/^rewt-kid/);
    } else expect(mark).toBe(`rewt-kid.${stdout.trim()}`);
    expect((await run(['verify', token], given)).code).toBe(1);
  });

  it('revoke --replace sealed takes the same form if K holds a value of a writer', async () => {
    await begin({ sealKey: key });
    await server.cli('SET', names().key, 'a value that a writer of Redis puts there', 'EX', '60');
    expect((await run(['revoke', '--yes', '--replace', 'sealed'], given)).code).toBe(0);
    expect(formOf((await read())[1])).toBe(given === undefined ? 'plain' : idOf(given));
  });
});

it('a member with the lost key goes on after revoke --replace sealed until its copy ends', async () => {
  await asMember({ sealKey: key, ttl: 60, maxStaleness: 3, push: false }, async (member) => {
    const token = await member.sign({});
    const { stderr } = await run(['revoke', '--yes', '--replace', 'sealed'], other);
    expect(stderr).toContain(`A member that does not have the key ${idOf(other)} cannot read it`);
    expect(stderr).toContain('accepts the old tokens until its copy is maxStaleness old, and answers 503 from then on');
    await member.refresh().catch(() => {});
    await member.verify(token);
    await vi.waitFor(
      () => expect(member.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_RING_SEALED', status: 503 }),
      { timeout: 5_000, interval: 100 },
    );
  });
});

describe('a sealed ring that does not open with its key', () => {
  it('is unreadable, and replaced as such, sealed', async () => {
    await begin({ sealKey: key });
    const [, ring] = await read();
    await server.cli('SET', names().ring, `${ring.slice(0, -1)}${ring.endsWith('A') ? 'Q' : 'A'}`);
    const status = await json(['status'], key);
    expect(status).toMatchObject({ exit: 3, error: { code: 'ERR_REWT_RING_UNREADABLE' } });
    expect(status.error.message).toContain('does not open with its key');
    expect((await json(['doctor'], key)).findings).toContainEqual(
      expect.objectContaining({ check: 'keyring', level: 'problem', found: expect.stringContaining(idOf(key)) }),
    );
    expect(await json(['revoke', '--yes', '--replace', 'sealed'], key)).toMatchObject({ exit: 3 });
    expect((await run(['revoke', '--yes', '--replace', 'unreadable'], key)).code).toBe(0);
    expect(formOf((await read())[1])).toBe(idOf(key));
  });
});

describe('a ring that is gone, without the key', () => {
  it('is not begun in plain text', async () => {
    await begin({ sealKey: key });
    await server.cli('DEL', names().ring);
    for (const words of [['sign', '{}'], ['rotate'], ['verify', 'a.b.c'], ['revoke', '--yes']]) {
      const { exit, error } = await json(words);
      expect({ exit, error }).toMatchObject({ exit: 3, error: { code: 'ERR_REWT_RING_SEALED' } });
      expect(error.message).toContain('Add that of the other members to REWT_SEAL_KEY or --seal-key-file');
    }
    expect((await run(['status'])).code).toBe(0);
    expect(await server.cli('EXISTS', names().ring)).toBe('0');
    const { code, stderr } = await run(['revoke', '--yes', '--replace', 'sealed']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('the new keyring is plain text') });
    expect(formOf((await read())[1])).toBe('plain');
  });
});

it('the keys are read before anything else, and a wrong one is a mistake of usage', async () => {
  await begin({ sealKey: key });
  for (const words of [['status'], ['sign', '{}'], ['doctor'], ['list'], ['serve', '--port', '0']]) {
    const { code, stderr } = await run(words, 'hunter2');
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('REWT_SEAL_KEY: must be 32') });
    expect(stderr).not.toContain('hunter2');
  }
});

it('a folder has sealed keyrings too', async () => {
  const place = ['--url', `file:${state.folder}`, '--namespace', 'shop', '--json'];
  const at = async (words: readonly string[], sealKey?: string) => {
    const { code, stdout } = await rewt([...words, ...place], { env: sealKey ? { REWT_SEAL_KEY: sealKey } : {} });
    return { exit: code, ...JSON.parse(stdout) };
  };
  const { token } = await at(['sign', '{"user":"ann"}'], key);
  const store = fileStore({ path: state.folder });
  await using member = new Rewt({ store, redisNamespace: 'shop', sealKey: key, storeTimeout: 10 });
  expect(await member.verify(token)).toMatchObject({ user: 'ann' });
  expect(await at(['verify', token], key)).toMatchObject({ exit: 0 });
  expect(await at(['rotate', '--force'], key)).toMatchObject({ exit: 0 });
  expect(await at(['revoke', '--yes'], key)).toMatchObject({ exit: 0 });
  expect(await at(['status'], key)).toMatchObject({ sealed: { keyId: idOf(key), opens: true }, keyring: { epoch: 1 } });
  expect(await at(['status'])).toMatchObject({ exit: 0, sealed: { keyId: idOf(key), opens: false }, keyring: null });
  for (const words of [['verify', token], ['sign', '{}'], ['rotate'], ['revoke', '--yes']]) {
    expect(await at(words, other)).toMatchObject({ exit: 3, error: { code: 'ERR_REWT_RING_SEALED' } });
  }
  const { findings } = await at(['doctor'], key);
  expect(findings).toContainEqual({ check: 'seal', level: 'ok', found: `with the key ${idOf(key)}` });
  await store.close();
});
