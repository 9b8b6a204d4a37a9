/** `rewt reseal` on a real Redis: to another key, from plain text and back, beside members. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis, until } from '../support/servers.js';
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

const announced = () =>
  until('the member is announced', async () => (await server.cli('ZCARD', names().fleet)).trim() === '1');

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
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`"orders-1" does not open the seal key ${idOf(other)}`);
      expect((await run(['reseal', '--yes', '--to', 'AAAAAAAAAAA'], key)).code).toBe(2);
      expect((await run(['reseal', '--yes'])).code).toBe(3);
      expect(await read()).toEqual(before);
    });
  });
});

describe('from plain text', () => {
  it('rotates, and says until when secrets of then verify', async () => {
    const token = await begin();
    await asMember({ sealKey: key, sealing: 'migrate', memberName: 'orders-1' }, async (member) => {
      await member.verify(token);
      await announced();
      expect(await json(['reseal', '--yes'], key)).toMatchObject({
        exit: 1,
        error: { code: 'ERR_REWT_ROTATION_REFUSED' },
      });
      const done = await json(['reseal', '--yes', '--force', '--reason', 'sealed now'], key);
      expect(done).toMatchObject({ exit: 0, before: null, after: idOf(key), rotated: true, known: 1, unknown: [] });
      expect(Date.parse(done.exposedUntil)).toBeGreaterThan(Date.now());
      expect((await read())[0]).toMatch(/^rewt-kid\./);
      await member.refresh();
      await member.verify(token);
      expect(member.status().keyring?.changes[0]).toMatchObject({ kind: 'rotation', reason: 'sealed now' });
    });
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
    await run(['reseal', '--yes', '--force'], key);
    expect(await run(['reseal', '--yes', '--plain', '--wait'], key)).toMatchObject({ code: 0, stdout: 'plain\n' });
  });
});
