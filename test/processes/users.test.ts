/**
 * A folder of one user, beside root and a stranger: `sudo rewt revoke` locks no service out, and
 * what others can write is refused.
 */

import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Run, rewtProcess } from '../cli/process.js';
import { type MemberProcess, startMember } from './members.js';
import { createCopy, isRoot, SERVICE, STRANGER } from './users.js';

const namespace = randomUUID();
const options = { storeTimeout: 20 };

describe.runIf(isRoot)('a folder of another user', () => {
  let copy: ReturnType<typeof createCopy>;
  let home: string;
  let path: string;
  const members: MemberProcess[] = [];
  beforeAll(() => {
    copy = createCopy();
  });
  afterAll(() => copy.remove());
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'rewt-home-'));
    chmodSync(home, 0o755);
    chownSync(home, SERVICE, SERVICE);
    path = join(home, 'keys');
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.kill()));
    rmSync(home, { recursive: true });
  });

  function member(user: number): MemberProcess {
    const started = startMember({ folder: path }, 'fork', copy.for(user));
    members.push(started);
    return started;
  }
  const sign = (by: MemberProcess) => by.ask('sign', { namespace, options, payload: { user: 'ann' }, atMs: 0 });
  const command = (user: number, ...words: string[]): Promise<Run> =>
    rewtProcess([...words, '--url', `file:${path}`, '--namespace', namespace], {
      file: copy.for(user).command,
      user,
      cwd: home,
      env: { HOME: home },
    });
  /** Everything below, with what a write would change. */
  const contents = () =>
    [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))]
      .map((name) => ({ name, stats: statSync(name) }))
      .map(({ name, stats }) => ({ name, ino: stats.ino, uid: stats.uid, gid: stats.gid, ctimeMs: stats.ctimeMs }));

  it('goes on after root has revoked: the service refuses the token, verifies, signs and revokes', async () => {
    const running = member(SERVICE);
    const old = await sign(running);
    expect(await command(0, 'revoke', '--yes')).toMatchObject({ code: 0 });
    await expect(running.ask('verify', { tokens: [old] })).rejects.toThrow('ERR_REWT_UNKNOWN_KEY');
    const { stdout: byRoot } = await command(0, 'sign', '{"user":"bob"}');
    const own = await running.ask('signAgain', { payload: { user: 'cid' } });
    const { payloads } = await running.ask('verify', { tokens: [byRoot.trim(), own] });
    expect(payloads).toMatchObject([{ user: 'bob' }, { user: 'cid' }]);
    await running.ask('revoke', undefined);
    await expect(running.ask('verify', { tokens: [own] })).rejects.toThrow('ERR_REWT_UNKNOWN_KEY');
    expect(await sign(member(SERVICE))).toEqual(expect.any(String));
    for (const { name, uid, gid } of contents())
      expect({ name, uid, gid }).toEqual({ name, uid: SERVICE, gid: SERVICE });
  });

  it("is the service's, also if root was there first", async () => {
    const { code, stdout: byRoot } = await command(0, 'sign', '{"user":"bob"}');
    expect(code).toBe(0);
    const running = member(SERVICE);
    await sign(running);
    expect((await running.ask('verify', { tokens: [byRoot.trim()] })).payloads).toMatchObject([{ user: 'bob' }]);
    await running.ask('revoke', undefined);
    for (const { name, uid } of contents()) expect({ name, uid }).toEqual({ name, uid: SERVICE });
  });

  it('refuses a third user before anything is written, and names the remedy', async () => {
    await sign(member(SERVICE));
    const before = contents();
    for (const words of [
      ['revoke', '--yes'],
      ['sign', '{}'],
    ]) {
      const { code, stderr } = await command(STRANGER, ...words);
      expect({ words, code, stderr }).toEqual({
        words,
        code: 3,
        stderr: expect.stringMatching(/sudo -u (nobody|'#65534') rewt/),
      });
    }
    await expect(sign(member(STRANGER))).rejects.toThrow('ERR_REWT_STORE_DENIED');
    expect(contents()).toEqual(before);
  });

  it.for([
    ['of a stranger', STRANGER, 0o777],
    ['of a stranger, for the stranger alone', STRANGER, 0o700],
    ['of the service, which everyone may write to', SERVICE, 0o777],
  ] as const)('is refused if it was there before, and nothing is written: one %s', async ([, owner, mode]) => {
    mkdirSync(path);
    chmodSync(path, mode);
    chownSync(path, owner, owner);
    await expect(sign(member(SERVICE))).rejects.toThrow('ERR_REWT_STORE_DENIED');
    expect(readdirSync(path)).toEqual([]);
  });
});
