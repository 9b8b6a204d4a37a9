/** `rewt reseal` on a real Redis: to another key, from plain text and back, beside members. */
import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { linesOf, rewt } from './command.js';
import { formOf, idOf, key, other, sealedRuns } from './sealed-runs.js';

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
const both = `${other},${key}`;

const announced = (count = 1) =>
  until('members are announced', async () => (await server.cli('ZCARD', names().fleet)).trim() === String(count));

describe('from one key to another', () => {
  it('leaves K and its TTL, and refuses no token', async () => {
    const token = await begin({ sealKey: key });
    const [mark] = await read();
    const endsAt = await server.cli('PEXPIRETIME', names().key);
    expect(await json(['reseal', '--yes'], both)).toMatchObject({
      exit: 0,
      resealed: true,
      before: idOf(key),
      after: idOf(other),
      rotated: false,
      exposedUntil: null,
    });
    const [after, ring] = await read();
    expect([after, formOf(ring)]).toEqual([mark, idOf(other)]);
    expect(await server.cli('PEXPIRETIME', names().key)).toBe(endsAt);
    expect((await run(['verify', token], other)).code).toBe(0);
    expect((await run(['reseal', '--yes'], both)).stderr).toContain('already');
    expect((await run(['reseal', '--yes', '--to', idOf(key)], both)).stdout).toBe(`${idOf(key)}\n`);
  });

  it('is refused while a named member lacks the key, and for a key that is not given', async () => {
    await asMember({ sealKey: key, memberName: 'orders-1' }, async (member) => {
      await member.sign({});
      await announced();
      const before = await read();
      const refused = await run(['reseal', '--yes'], both);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        `the member "orders-1" does not have the seal key ${idOf(other)}, and would stop. Deploy it there`,
      );
      expect((await json(['reseal', '--yes'], both)).error.code).toBe('ERR_REWT_RESEAL_REFUSED');
      expect((await run(['reseal', '--yes'])).code).toBe(3);
      expect(await read()).toEqual(before);
    });
  });

  it('names the flag or the variable that is wrong, and no option of the library', async () => {
    await begin({ sealKey: key });
    const wrongId = await run(['reseal', '--yes', '--to', 'AAAAAAAAAAA'], key);
    expect(wrongId).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`--to: none of the keys here has this id, only ${idOf(key)}`),
    });
    const both = await run(['reseal', '--yes', '--plain', '--to', idOf(key)], key);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--to: plain text has no key') });
  });
});

describe('from plain text', () => {
  it('rotates, and says until when secrets of then verify', async () => {
    const token = await begin();
    await asMember({ sealKey: key, sealing: 'migrate', memberName: 'orders-1' }, async (member) => {
      await member.verify(token);
      await announced();
      const { exit, error } = await json(['reseal', '--yes'], key);
      expect({ exit, error }).toMatchObject({ exit: 1, error: { code: 'ERR_REWT_ROTATION_REFUSED' } });
      expect(error.message).toMatch(/Wait for (5\d s|1 min), or add --wait, which does/);
      const done = await json(['reseal', '--yes', '--force', '--reason', 'sealed now'], key);
      expect(done).toMatchObject({ exit: 0, before: null, after: idOf(key), rotated: true, known: 1, unknown: [] });
      expect(Date.parse(done.exposedUntil)).toBeGreaterThan(Date.now());
      expect((await read())[0]).toMatch(/^rewt-kid\./);
      await member.refresh();
      await member.verify(token);
      expect(member.status().keyring?.changes[0]).toMatchObject({ kind: 'rotation', reason: 'sealed now' });
    });
  });

  it('is refused without a key, by the names of both places for one', async () => {
    await begin();
    const { code, stderr } = await run(['reseal', '--yes']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('REWT_SEAL_KEY or --seal-key-file: there is none to seal with'),
    });
  });

  it('waits for the first rotation and for the second with --wait', async () => {
    await run(['sign', '{}', '--ttl', '6s', '--expires-in', '60s']);
    const { code, stderr } = await run(['reseal', '--yes', '--wait'], key);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/too recently: waits for [1-3] s/),
    });
    const { keyring } = await json(['status'], key);
    expect(keyring.changes.map(({ cause }: { cause: string }) => cause)).toEqual(['rotate', 'rotate']);
  });

  it('says what is left to do if it is interrupted', async () => {
    await begin();
    const leaving = new AbortController();
    const env = { REWT_URL: server.url, REWT_NAMESPACE: namespace, REWT_SEAL_KEY: key };
    const words = ['reseal', '--yes', '--force', '--wait'];
    const running = rewt(words, { env, interrupted: leaving.signal });
    await until('it is sealed', async () => formOf((await read())[1]) === idOf(key));
    leaving.abort(143);
    expect(await running).toMatchObject({
      code: 143,
      stderr: expect.stringMatching(
        /Interrupted\. It is sealed, and a secret that was plain text signs: run the command again\.\n$/,
      ),
    });
  });

  it('warns before of a named member that verified a token without a kid', async () => {
    const token = await begin();
    const [secret] = await read();
    const signed = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.${token.split('.')[1]}`;
    const original = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    const options = { sealKey: key, sealing: 'migrate', memberName: 'orders-1' } as const;
    await asMember(options, async (member) => {
      await member.verify(original);
      // That it begins to sign is announced before its time.
      await member.sign({});
      const fleet = () => server.cli('ZRANGE', names().fleet, '0', '-1');
      await until('it is announced', async () => (await fleet()).includes('kidless'));
      const warning = /^Verified a token without a kid: orders-1 \S+ .*ago\./m;
      expect((await run(['reseal', '--yes', '--force'], key)).stderr).toMatch(warning);
      expect((await run(['reseal', '--yes'], key)).stderr).not.toMatch(warning);
    });
  });

  it('says that a secret of then signs, until the next rotation', async () => {
    await begin();
    await run(['reseal', '--yes', '--force'], key);
    expect((await run(['reseal', '--yes'], key)).stderr).toContain('Run rewt rotate once more');
    await run(['rotate', '--force'], key);
    expect((await run(['reseal', '--yes'], key)).stderr).not.toContain('once more');
  });

  it('does nothing without --yes where no terminal can be asked', async () => {
    await begin();
    const before = await read();
    expect(await run(['reseal'], key)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await read()).toEqual(before);
  });
});

describe('back to plain text', () => {
  it('takes two runs, or --wait, and refuses no token', async () => {
    const token = await begin({ sealKey: key });
    expect(await json(['reseal', '--yes', '--plain'], key)).toMatchObject({ exit: 0, resealed: false, opening: true });
    expect(formOf((await read())[1])).toBe(idOf(key));
    expect(await json(['reseal', '--yes', '--plain'], key)).toMatchObject({ exit: 0, resealed: true, after: null });
    const [secret, ring] = await read();
    expect(JSON.parse(ring).current.secret).toBe(secret);
    expect((await run(['verify', token])).code).toBe(0);
  });

  it('is followed by an idle member without a name, with --wait', async () => {
    await asMember({ sealKey: key, sealing: 'migrate', push: false }, async (member) => {
      const token = await member.sign({});
      await run(['reseal', '--yes', '--force'], key);
      await member.refresh();
      expect(await run(['reseal', '--yes', '--plain', '--wait'], key)).toMatchObject({ code: 0, stdout: 'plain\n' });
      await member.verify(token);
      expect(formOf((await read())[1])).toBe('plain');
    });
  });

  it('names the members that do not allow it yet, and fails at the second run', async () => {
    await begin({ sealKey: key });
    const migrating = { sealKey: key, sealing: 'migrate', memberName: 'a' } as const;
    await asMember({ sealKey: key, memberName: 'b' }, async (b) => {
      await asMember(migrating, async (a) => {
        await Promise.all([a.sign({}), b.sign({})]);
        await announced(2);
        const notYet = '1 of 2 named members allows plain text; not yet: b.';
        const first = await run(['reseal', '--yes', '--plain'], key);
        expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('not yet: ') });
        await a.refresh();
        await until('a allows it', async () => (await run(['status'], key)).code === 0);
        const second = await json(['reseal', '--yes', '--plain'], key);
        expect(second).toMatchObject({ exit: 1, resealed: false, opening: true, after: idOf(key) });
        const leaving = new AbortController();
        const env = { REWT_URL: server.url, REWT_NAMESPACE: namespace, REWT_SEAL_KEY: key };
        const lines: string[] = [];
        const waiting = linesOf(['reseal', '--yes', '--plain', '--wait'], {
          env,
          interrupted: leaving.signal,
          onSaid: (line) => void lines.push(line),
        });
        await until('it says so', async () => lines.includes(notYet));
        leaving.abort(130);
        expect((await waiting).code).toBe(130);
        expect(lines.at(-1)).toBe(
          'Interrupted. It is sealed still, and announces that plain text may follow: run the command again.',
        );
      });
    });
  });

  it('is shown as long as it is announced, and taken back by a reseal', async () => {
    await begin({ sealKey: key });
    await run(['reseal', '--yes', '--plain'], key);
    const announces = 'announces that plain text may follow';
    expect((await run(['status'], key)).stdout).toContain(announces);
    expect((await run(['doctor'], key)).stdout).toMatch(new RegExp(`warning.*${announces}`));
    const { stdout, stderr } = await run(['reseal', '--yes'], key);
    expect({ stdout, stderr }).toEqual({
      stdout: `${idOf(key)}\n`,
      stderr: expect.stringContaining('does not announce plain text any more'),
    });
    expect((await run(['status'], key)).stdout).not.toContain(announces);
    expect(await json(['reseal', '--yes'], key)).toMatchObject({ withdrawn: false, opening: false });
  });
});
