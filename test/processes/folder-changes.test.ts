/**
 * The folder of live members is deleted, moved away, copied with hard links, and its mode is
 * changed (docs/adr/0029).
 */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type MemberProcess, startMember } from './members.js';
import { createCopy, isRoot, SERVICE } from './users.js';

const namespace = randomUUID();
const options = { storeTimeout: 20 };

// Modes are nothing to root, so that root has members of another user.
let copy: ReturnType<typeof createCopy> | undefined;
let home: string;
let path: string;
let members: MemberProcess[];
let token: string;
beforeAll(() => {
  if (isRoot) copy = createCopy();
});
afterAll(() => copy?.remove());
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'rewt-changes-'));
  if (isRoot) chownSync(home, SERVICE, SERVICE);
  path = join(home, 'keys');
  members = [memberOf(path), memberOf(path)];
  token = (await all((member) => member.ask('sign', { namespace, options, payload: {}, atMs: 0 })))[0] ?? '';
  await verified(token);
});
afterEach(async () => {
  await all((member) => member.kill());
  rmSync(home, { recursive: true });
});

/** The folder of the namespace. */
const inner = (): string => join(path, readdirSync(path)[0] ?? '');
/** Without announcements, which members write when they like. */
const contents = (): string[] =>
  [...readdirSync(inner()), ...readdirSync(join(inner(), 'tmp'))].filter((name) => name !== 'members').sort();
const memberOf = (folder: string): MemberProcess => startMember({ folder }, 'fork', copy?.for(SERVICE));
const all = <T>(work: (member: MemberProcess) => Promise<T>): Promise<T[]> => Promise.all(members.map(work));
const verified = (...tokens: string[]) => all((member) => member.ask('verify', { tokens }));
const caught = (work: Promise<unknown>) =>
  work.then(
    () => null,
    ({ message }: Error) => message,
  );
const refused = (tokens: string[], code: string) =>
  all((member) => expect(member.ask('verify', { tokens })).rejects.toThrow(code));

/** All members go on with one new keyring. */
async function goOn(): Promise<void> {
  await refused([token], 'ERR_REWT_UNKNOWN_KEY');
  const tokens = await all((member) => member.ask('signAgain', { payload: {} }));
  const lineages = (await verified(...tokens)).map(({ keyring }) => keyring.lineage);
  expect(new Set(lineages).size).toBe(1);
  await members[0]?.ask('revoke', undefined);
  await refused(tokens, 'ERR_REWT_UNKNOWN_KEY');
}

it.for([
  ['that was given to the store', () => path],
  ['of the namespace', inner],
] as const)('a folder %s that is deleted is a revocation: members make one new keyring', async ([, folder]) => {
  rmSync(folder(), { recursive: true });
  await goOn();
});

it.for([
  ['that was given to the store', () => path],
  ['of the namespace', inner],
] as const)('a folder %s that is moved away is a revocation, and stays as it was', async ([, folder]) => {
  const moved = join(home, 'moved');
  renameSync(folder(), moved);
  const before = readdirSync(moved, { recursive: true });
  await goOn();
  expect(readdirSync(moved, { recursive: true })).toEqual(before);
});

// The cp of macOS makes none.
it.runIf(process.platform === 'linux')(
  'a copy of hard links is a separate keyring: neither notices what the other does',
  async () => {
    const backup = join(home, 'backup');
    execFileSync(
      'cp',
      ['-al', path, backup].filter((word) => process.platform === 'linux' || word !== '-al'),
    );
    await verified(token);
    const other = memberOf(backup);
    try {
      await other.ask('sign', { namespace, options, payload: {}, atMs: 0 });
      expect((await other.ask('verify', { tokens: [token] })).payloads).toHaveLength(1);
      await members[0]?.ask('revoke', undefined);
      await refused([token], 'ERR_REWT_UNKNOWN_KEY');
      expect((await other.ask('verify', { tokens: [token] })).payloads).toHaveLength(1);
      const tokens = await all((member) => member.ask('signAgain', { payload: {} }));
      await other.ask('revoke', undefined);
      await verified(...tokens);
      await expect(other.ask('verify', { tokens: [token] })).rejects.toThrow('ERR_REWT_UNKNOWN_KEY');
    } finally {
      await other.kill();
    }
  },
);

it.for([
  ['that was given to the store, which others may write to', () => path, 0o777],
  ['of the namespace, which others may write to', inner, 0o777],
  ['of the namespace, which its owner may not write to', inner, 0o500],
  ['that was given to the store, which its owner may not enter', () => path, 0],
  ['of the namespace, which its owner may not enter', inner, 0],
] as const)(
  'a folder %s is ERR_REWT_STORE_DENIED to a member that would write, until it is mended',
  async ([, folder, mode]) => {
    const changed = folder();
    const before = contents();
    chmodSync(changed, mode);
    await all((member) => expect(member.ask('revoke', undefined)).rejects.toThrow('ERR_REWT_STORE_DENIED'));
    chmodSync(changed, 0o700);
    expect(contents()).toEqual(before);
    await members[0]?.ask('revoke', undefined);
    // After a failure, a member goes by its copy until it tries again.
    const answers = () => all((member) => caught(member.ask('verify', { tokens: [token] })));
    await expect.poll(answers).toEqual(members.map(() => expect.stringContaining('ERR_REWT_UNKNOWN_KEY')));
    await verified(...(await all((member) => member.ask('signAgain', { payload: {} }))));
  },
);
