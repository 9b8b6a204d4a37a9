/**
 * The `rewt` command and the folder of an embedded store: what it refuses, what it makes, and what
 * it lists.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { folderName } from '../../src/stores/files/records.js';
import { createCopy, STRANGER } from '../processes/users.js';
import { rewt } from './command.js';
import { freshState, rewtProcess } from './process.js';

let state: ReturnType<typeof freshState>;
beforeEach(() => {
  state = freshState();
});
afterEach(() => state.remove());

const run = (...words: string[]) => rewt(words, { env: state.env });
const looking = [['status'], ['list'], ['verify', 'x.y.z'], ['explain', 'x.y.z'], ['doctor']] as const;
const changing = [
  ['sign', '{}'],
  ['rotate', '--force'],
  ['revoke', '--yes'],
] as const;

/** Every verb but the doctor, which reports a problem, ends with exit code 3 and this. */
async function allRefuse(code: string, words: string): Promise<void> {
  for (const verb of [...looking, ...changing]) {
    const { code: exitCode, stdout } = await run(...verb, '--json');
    const answer = JSON.parse(stdout);
    const found = verb[0] === 'doctor' ? answer.findings.at(-1) : answer.error;
    expect({ verb, exitCode, found }).toMatchObject(
      verb[0] === 'doctor'
        ? { exitCode: 1, found: { level: 'problem', found: expect.stringContaining(words) } }
        : { exitCode: 3, found: { code, message: expect.stringContaining(words) } },
    );
  }
}

function giveAll(owner: number): void {
  const names = readdirSync(state.folder, { recursive: true, encoding: 'utf8' });
  for (const path of [state.folder, ...names.map((name) => join(state.folder, name))]) chownSync(path, owner, owner);
}

describe('a folder that others may write', () => {
  it('is refused with the keyring that is planted in it, whatever the verb', async () => {
    const { stdout: token } = await run('sign', '{"user":"eve"}');
    chmodSync(state.folder, 0o777);
    await allRefuse('ERR_REWT_STORE_DENIED', `chmod go-w ${state.folder}`);
    expect(await run('verify', token.trim())).toMatchObject({ code: 3, stdout: '' });
  });
});

it('a folder that LMDB kept is refused by name, and stays as it is', async () => {
  mkdirSync(state.folder, { mode: 0o700 });
  writeFileSync(join(state.folder, 'data.mdb'), 'pages');
  await allRefuse('ERR_REWT_STORE_DOWN', `${state.folder} holds a keyring that LMDB kept`);
  expect(readdirSync(state.folder)).toEqual(['data.mdb']);
});

it('the doctor names what others may read, each mode of the records once', async () => {
  await run('sign', '{}');
  await run('rotate', '--force');
  const [inside = ''] = readdirSync(state.folder);
  const records = readdirSync(join(state.folder, inside)).filter((name) => name.startsWith('ring.'));
  expect(records).toHaveLength(2);
  for (const name of records) chmodSync(join(state.folder, inside, name), 0o644);
  chmodSync(join(state.folder, inside), 0o711);
  const { stdout } = await run('doctor', '--json');
  const open = JSON.parse(stdout).findings.filter(({ check }: { check: string }) => check === 'permissions');
  expect(open.map(({ found }: { found: string }) => found)).toEqual([
    "the namespace's folder is open to others (mode 0711): they see when secrets change",
    'a record is open to others (mode 0644): a user who reads it can sign',
  ]);
});

describe('the doctor finds that no member can write', () => {
  const inside = (...names: string[]) => join(state.folder, readdirSync(state.folder)[0] ?? '', ...names);
  const tmp = () => inside('tmp');
  it.for([
    ['the folder is shut', () => chmodSync(state.folder, 0o500), 'the folder is shut to its owner (mode 0500)'],
    ['its inside is shut', () => chmodSync(inside(), 0o500), "the namespace's folder is shut to its owner (mode 0500)"],
    ['tmp is shut', () => chmodSync(tmp(), 0o600), 'its folder tmp is shut to its owner (mode 0600)'],
    ['tmp is open to others', () => chmodSync(tmp(), 0o777), 'its folder tmp is open to others (mode 0777)'],
    [
      'tmp is a link',
      () => {
        rmdirSync(tmp());
        symlinkSync(state.folder, tmp());
      },
      'its folder tmp is no folder, perhaps a link',
    ],
    [
      'its inside is a link',
      () => {
        renameSync(inside(), `${state.folder}.moved`);
        symlinkSync(`${state.folder}.moved`, join(state.folder, folderName('rewt')));
      },
      "the namespace's folder is no folder, perhaps a link",
    ],
  ] as const)('%s', async ([, change, words]) => {
    await run('sign', '{}');
    // Modes do not bind root, nor the members that root runs.
    if (process.getuid?.() === 0) giveAll(12_345);
    change();
    const { code, stdout } = await run('doctor', '--json');
    const { findings } = JSON.parse(stdout);
    const ofModes = findings.filter(({ check }: Finding) => check === 'permissions');
    expect({ code, ofModes }).toMatchObject({
      code: 1,
      ofModes: [{ level: 'problem', found: expect.stringContaining(words) }],
    });
    chmodSync(state.folder, 0o700);
  });
});

it.for(['', 'here'])('the state folder does not depend on the working directory with HOME=%j', async (home) => {
  vi.stubEnv('HOME', home);
  try {
    const { stdout } = await rewt(['status', '--json'], { env: { XDG_STATE_HOME: '' } });
    expect(JSON.parse(stdout).server).toMatch(/^\//);
  } finally {
    vi.unstubAllEnvs();
  }
});

it.runIf(process.getuid?.() === 0)('a user without a home folder is asked for a URL', async () => {
  const copy = createCopy();
  try {
    const { command, user } = copy.for(STRANGER);
    const { code, stderr } = await rewtProcess(['sign', '{}'], { env: { HOME: '' }, file: command, user });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('set REWT_URL') });
  } finally {
    copy.remove();
  }
});

describe('what is not there', () => {
  it('of the way to the state folder is made by sign, for the user alone, and by no verb that looks', async () => {
    const home = join(state.env.XDG_STATE_HOME, 'a', 'b');
    const env = { XDG_STATE_HOME: home };
    for (const verb of looking) {
      const { code } = await rewt(verb, { env });
      expect({ verb, code }).toEqual({ verb, code: verb[0] === 'verify' || verb[0] === 'explain' ? 1 : 0 });
    }
    expect(readdirSync(state.env.XDG_STATE_HOME)).toEqual([]);
    expect(await rewt(['sign', '{}'], { env })).toMatchObject({ code: 0 });
    for (const folder of ['..', '.', 'rewt']) expect(statSync(join(home, folder)).mode & 0o777).toBe(0o700);
  });

  it('above a folder that was named is a disk that is not mounted', async () => {
    const url = `file:${join(state.env.XDG_STATE_HOME, 'disk', 'rewt')}`;
    for (const verb of [['status'], ['list'], ['sign', '{}']]) {
      const { code, stderr } = await run(...verb, '--url', url);
      expect({ verb, code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('not mounted') });
    }
    expect((await run('doctor', '--url', url)).stdout).toContain('not mounted');
    expect(readdirSync(state.env.XDG_STATE_HOME)).toEqual([]);
  });
});

describe('rewt list', () => {
  it('shows the namespaces of a folder, and passes over what else is in it', async () => {
    const names = ['Shop', 'shop', 'Größe', 'n'.repeat(300)];
    for (const name of names) await run('sign', '{}', '--namespace', name);
    mkdirSync(join(state.folder, 'f'.repeat(32)));
    writeFileSync(join(state.folder, 'notes'), '');
    const { code, stdout } = await run('list', '--json');
    const { store, keyrings } = JSON.parse(stdout);
    expect({ code, store }).toEqual({ code: 0, store: 'file' });
    expect(keyrings.map(({ namespace }: { namespace: string }) => namespace)).toEqual([...names].sort());
    for (const each of keyrings) expect(each).toMatchObject({ signing: expect.any(String), unreadable: null });
    expect((await run('verify', 'x.y.z', '--namespace', 'shopp')).stderr).toContain('There are: Größe, Shop, ');
  });

  it.for([
    ['missing', () => {}, 'The file namespace is missing there'],
    // No process writes to it: a reader that waited would wait for ever.
    ['a pipe', (file: string) => execFileSync('mkfifo', [file]), 'is no file'],
    ['a link', (file: string) => symlinkSync('/dev/zero', file), 'Move it away'],
  ] as const)('says of a folder whose name is %s that it is not known', async ([, plant, words]) => {
    for (const name of ['good', 'bad']) await run('sign', '{}', '--namespace', name);
    const file = join(state.folder, folderName('bad'), 'namespace');
    rmSync(file);
    plant(file);
    const { code, stdout } = await rewtProcess(['list', '--json'], { env: state.env });
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 3,
      keyrings: [{ namespace: 'good' }],
      unknown: [{ message: expect.stringContaining(words) }],
    });
  });

  it('shows a namespace that is refused beside those that are not', async () => {
    for (const name of ['good', 'bad']) await run('sign', '{}', '--namespace', name);
    const { keyrings } = JSON.parse((await run('list', '--json')).stdout);
    expect(keyrings).toHaveLength(2);
    const [bad = ''] = readdirSync(state.folder);
    chmodSync(join(state.folder, bad), 0o770);
    const after = JSON.parse((await run('list', '--json')).stdout).keyrings;
    expect(after.map(({ unreadable }: { unreadable: string }) => unreadable).sort()).toEqual([
      'ERR_REWT_STORE_DENIED',
      null,
    ]);
  });
});

describe.runIf(process.getuid?.() === 0)('root', () => {
  it('writes for the owner of the folder, and the doctor says so', async () => {
    await run('sign', '{}');
    const owner = 12_345;
    giveAll(owner);
    expect(await run('revoke', '--yes')).toMatchObject({ code: 0 });
    for (const name of readdirSync(state.folder, { recursive: true, encoding: 'utf8' })) {
      expect({ name, uid: statSync(join(state.folder, name)).uid }).toEqual({ name, uid: owner });
    }
    const { stdout } = await run('doctor', '--json');
    expect(JSON.parse(stdout).findings).toContainEqual({
      check: 'owner',
      level: 'note',
      found: expect.stringContaining(`#${owner}`),
    });
  });
});
