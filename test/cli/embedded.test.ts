/**
 * The `rewt` command on the embedded store: one run after the other, sharing a keyring without a
 * server; and what a process of each verb does with its streams, signals and exit code.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileStore } from '../../src/stores/file.js';
import { rewt } from './command.js';
import { endOf, freshState, main, type Run, rewtProcess, startRewt } from './process.js';

let state: ReturnType<typeof freshState>;
beforeEach(() => {
  state = freshState();
});
afterEach(() => state.remove());

const run = (args: readonly string[], input = ''): Promise<Run> => rewt(args, { input, env: state.env });
const runProcess = (args: readonly string[], input: string | Uint8Array | null = ''): Promise<Run> =>
  rewtProcess(args, { input, env: state.env });

function inShell(line: string): Promise<Run> {
  const env = { ...process.env, ...state.env, REWT_URL: '', NODE: process.execPath, REWT: main };
  return endOf(spawn('/bin/sh', ['-c', line], { env }));
}

async function result(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trimEnd();
}

it('a pipe from sign to verify gives the payload back, and nothing else on stdout', async () => {
  const { code, stdout } = await inShell(`"$NODE" "$REWT" sign '{"user":"ann"}' | "$NODE" "$REWT" verify`);
  expect(code).toBe(0);
  expect(stdout.split('\n')).toHaveLength(2);
  const claims = JSON.parse(stdout);
  expect(claims).toEqual({ user: 'ann', iat: expect.any(Number), exp: claims.iat + 300 });
});

it('the embedded store is for its user alone', async () => {
  await result('sign', '{}');
  const names = readdirSync(state.folder, { recursive: true, encoding: 'utf8' });
  expect(names.length).toBeGreaterThan(3);
  for (const name of ['.', ...names]) {
    const stats = statSync(join(state.folder, name));
    expect({ name, mode: stats.mode & 0o777 }).toEqual({ name, mode: stats.isDirectory() ? 0o700 : 0o600 });
  }
});

it('a text is signed as it is, from stdin without its last line end', async () => {
  const { stdout: token } = await runProcess(['sign'], 'hello\nworld\n');
  const { code, stdout } = await runProcess(['verify'], `  ${token}\n\n`);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello\nworld\n' });
  expect((await runProcess(['sign'], new Uint8Array([0xff, 0xfe]))).code).toBe(2);
});

it('sign writes the claims that its options name, and verify asks for them', async () => {
  const given = ['--audience', 'orders', '--audience', 'stock', '--issuer', 'shop', '--subject', 'ann', '--jwtid', '7'];
  const token = await result('sign', '{}', ...given, '--expires-in', '1h', '--not-before', '0');
  const asked = ['--audience', 'orders', '--issuer', 'bank', '--issuer', 'shop', '--subject', 'ann', '--max-age', '60'];
  const { header, payload } = JSON.parse(await result('verify', token, ...asked, '--json'));
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.any(String) });
  const { iat } = payload;
  const claims = { aud: ['orders', 'stock'], iss: 'shop', sub: 'ann', jti: '7', nbf: iat, exp: iat + 3600 };
  expect(payload).toEqual({ ...claims, iat });

  const { code, stdout, stderr } = await run(['verify', token, '--audience', 'bank']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^rewt: jwt audience invalid/m);
});

it('a token that was tampered with, or is none, is refused with exit code 1', async () => {
  const token = await result('sign', '{"user":"ann"}');
  const [header, , signature] = token.split('.');
  for (const bad of [`${header}.${Buffer.from('{"user":"eve"}').toString('base64url')}.${signature}`, 'nonsense']) {
    const { code, stdout } = await run(['verify', '--json'], bad);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error.code).toMatch(/^ERR_REWT_(BAD_SIGNATURE|MALFORMED)$/);
  }
});

it('an expired token tells when it expired', async () => {
  const token = await result('sign', JSON.stringify({ iat: 1_000, exp: 2_000 }));
  const { code, stdout } = await run(['verify', token, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'ERR_REWT_EXPIRED', expiredAt: '1970-01-01T00:33:20.000Z' });
});

it('status begins no keyring', async () => {
  for (let time = 0; time < 2; time += 1) {
    const { keyring, due } = JSON.parse(await result('status', '--json'));
    expect({ keyring, due }).toEqual({ keyring: null, due: null });
  }
  expect(await result('status')).toContain('none yet');
});

it('status shows kids and times, and no secret of the keyring in any form', async () => {
  const token = await result('sign', '{}', '--ttl', '2h');
  await result('rotate', '--force');
  const shown = [await result('status'), await result('status', '--json')].join('\n');
  const { keyring } = JSON.parse(await result('status', '--json'));
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  expect(keyring).toMatchObject({ epoch: 0, ttl: 7_200, retired: [{ kid }] });

  const store = fileStore({ path: state.folder });
  const { ring } = await store.read('rewt', { timeoutMs: 5_000 });
  await store.close();
  const { current, next, retired } = JSON.parse(ring ?? '');
  const secrets = [current, next, ...retired].map(({ secret }) => secret);
  expect(secrets).toHaveLength(3);
  for (const secret of secrets) expect(shown).not.toContain(secret);
});

it('a rotation costs no token, and one that comes too soon is refused with exit code 1', async () => {
  const token = await result('sign', '{}');
  const { code, stdout, stderr } = await run(['rotate']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('add --force');
  const kid = await result('rotate', '--force');
  expect(JSON.parse(await result('status', '--json')).keyring.signing).toBe(kid);
  await result('verify', token);
});

it('revoke needs --yes without a terminal, and then refuses every token of before', async () => {
  const token = await result('sign', '{}');
  const asked = await run(['revoke']);
  expect(asked.code).toBe(2);
  expect(asked.stderr).toContain('add --yes');
  await result('verify', token);
  const before = JSON.parse(await result('status', '--json')).keyring.signing;
  expect(JSON.parse(await result('revoke', '--yes', '--json'))).toEqual({
    store: 'file',
    server: state.folder,
    database: null,
    namespace: 'rewt',
    urlMissing: true,
    revoked: true,
    before,
    kid: expect.any(String),
    epoch: 1,
    replicas: null,
    missing: [],
  });
  expect((await run(['verify', token])).code).toBe(1);
});

it('namespaces share nothing', async () => {
  const token = await result('sign', '{}', '--namespace', 'a');
  await result('verify', token, '--namespace', 'a');
  expect((await run(['verify', token, '--namespace', 'b'])).code).toBe(1);
});

it('REWT_URL names the store, and --url wins over it', async () => {
  const home = state.env.XDG_STATE_HOME;
  const [one, two] = [join(home, 'one'), join(home, 'two')];
  const env = { ...state.env, REWT_URL: `file:${one}` };
  await rewtProcess(['sign', '{}'], { env });
  await rewtProcess(['sign', '{}', '--url', `file:${two}`], { env });
  expect(readdirSync(home)).toEqual(['one', 'two']);
});

it('a store that cannot be used is exit code 3', async () => {
  writeFileSync(join(state.env.XDG_STATE_HOME, 'rewt'), 'a file where a folder should be');
  const { code, stdout, stderr } = await runProcess(['sign', '{}', '--json']);
  expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
  expect(JSON.parse(stdout).error).toEqual({
    code: 'ERR_REWT_STORE_DOWN',
    message: expect.stringContaining('the embedded store in '),
  });
});

it('a process of each verb prints its result on stdout, ends with its exit code, and warns of nothing', async () => {
  const signed = await runProcess(['sign', '{}']);
  const token = signed.stdout.trim();
  const place = /^In the embedded store [^\n]+:\n$/;
  const kid = /^\S{11}\n$/;
  expect(signed).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^eyJ\S+\n$/),
    stderr: expect.stringMatching(place),
  });
  const verbs = [
    [['verify', token], 0, /^\{"iat":.*\}\n$/, place],
    [['verify', `${token}x`], 1, /^$/, /\nrewt: .*\n/],
    [['explain', token], 0, /^secret +current/m, place],
    [['status'], 0, /^signing +\S{11}$/m, /^$/],
    [['list'], 0, /^rewt +\S{11} /m, /^In the embedded store /],
    [['doctor'], 0, /\nNothing is wrong\.\n$/, /^$/],
    [['set', '--overlap', '2h'], 0, /^overlap .* -> 2 h\n$/m, /\nSet\. .*\n$/],
    [['rotate'], 1, /^$/, /add --force/],
    [['rotate', '--force'], 0, kid, /\nRotated: \S{11} signs now, .*\n$/],
    [['revoke'], 2, /^$/, /add --yes/],
    [['revoke', '--yes'], 0, kid, /\nRevoked: .*\n$/],
    [['move', '--yes'], 2, /^$/, /Nothing was written\.\n/],
  ] as const;
  for (const [words, code, stdout, stderr] of verbs) {
    expect({ words, ...(await runProcess(words)) }).toEqual({
      words,
      code,
      stdout: expect.stringMatching(stdout),
      stderr: expect.stringMatching(stderr),
    });
  }
});

it('a stdin that stays open keeps no verb from ending that does not read it', async () => {
  expect((await runProcess(['status'], null)).code).toBe(0);
  expect((await runProcess(['sign', '{}'], null)).code).toBe(0);
});

it('a reader that leaves early is no crash', async () => {
  const child = startRewt(['sign', '{}'], { env: state.env });
  child.stdout?.destroy();
  const { code, stderr } = await endOf(child);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^In the embedded store [^\n]+:\n$/) });
});

it.runIf(existsSync('/dev/full'))('a token that cannot be written is not lost unnoticed', async () => {
  const { code, stderr } = await inShell(`"$NODE" "$REWT" sign '{}' > /dev/full`);
  expect(code).toBe(74);
  expect(stderr).toContain('stdout cannot be written');
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a command that waits for stdin, with %i', async (signal, exitCode) => {
  const child = startRewt(['verify'], { env: state.env });
  const end = endOf(child);
  // More than a pipe holds: once all of it is taken, the command is reading, and waits for more.
  await new Promise((resolve) => child.stdin?.write('x'.repeat(900_000), resolve));
  child.kill(signal);
  expect(await end).toEqual({ code: exitCode, stdout: '', stderr: '' });
});
