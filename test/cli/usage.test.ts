/** What the `rewt` command prints for its help, and for mistyped arguments. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { rewt } from './command.js';
import { dist, freshState, main, type Run, rewtProcess } from './process.js';

const state = freshState();
afterAll(() => state.remove());
const run = (...args: string[]): Promise<Run> => rewt(args, { env: state.env });
const runProcess = (...args: string[]): Promise<Run> => rewtProcess(args, { env: state.env });

it('every verb explains itself on stdout, with an example', async () => {
  const verbs = [
    'sign',
    'verify',
    'explain',
    'rotate',
    'revoke',
    'status',
    'list',
    'set',
    'doctor',
    'acl',
    'serve',
    'seal-key',
    'reseal',
  ];
  const explained = verbs.map(async (verb) => ({ verb, ...(await run(verb, '--help')) }));
  for (const { verb, code, stdout, stderr } of await Promise.all(explained)) {
    expect({ verb, code, stderr }).toEqual({ verb, code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`\n {2}rewt .*${verb}.*\n`));
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
  }
  expect((await run('--help')).stdout).toContain('rewt serve');
  for (const flag of ['--version', '-v']) expect((await runProcess(flag)).stdout).toMatch(/^\d+\.\d+\.\d+/);
  expect((await run('help', 'sign')).stdout).toBe((await run('sign', '--help')).stdout);
  expect((await run('--help', 'sign')).stdout).toBe((await run('sign', '--help')).stdout);
  expect((await run('help')).stdout).toBe((await runProcess('--help')).stdout);
});

it.each([
  [
    'no verb',
    [],
    'name what to do: sign, verify, explain, rotate, revoke, status, ' +
      'list, set, move, reseal, doctor, acl, serve, seal-key',
  ],
  ['a verb that became an option', ['watch'], 'rewt status --watch'],
  ['an option without effect', ['rotate', '--ttl', '30m'], "unknown option '--ttl'"],
  ['a verb with a slip', ['sgin'], "unknown verb 'sgin'; did you mean 'sign'?"],
  ['an unknown verb', ['encode'], "'encode' is none of sign, verify"],
  ['help on an unknown verb', ['help', 'sgin'], "did you mean 'sign'?"],
  [
    'an unknown option',
    ['sign', '--expire-in', '5m', 'x'],
    "unknown option '--expire-in'; did you mean '--expires-in'?",
  ],
  ['a verb with a line end', ['\nsig'], "unknown verb '?sig'; did you mean 'sign'?"],
  ['a short flag', ['status', '-n', 'shop'], "unknown option '-n'; did you mean '--namespace'?"],
  ['a short flag of several', ['status', '-c', 'x'], "did you mean '--cluster' or '--ca' or '--cert'?"],
  ['an option of another verb', ['rotate', '--yes'], "unknown option '--yes'"],
  ['an option without its value', ['sign', 'x', '--ttl'], '--ttl'],
  ['an option where a value should be', ['sign', '--issuer', '--subject', 'x'], '--issuer'],
  ['a flag with a value', ['rotate', '--force=yes'], '--force'],
  ['a word too many', ['status', 'now'], 'a word too many'],
  ['a seal key as an argument', ['status', '--seal-key', 'hunter2'], 'Set REWT_SEAL_KEY, or give --seal-key-file'],
  ['two payloads', ['sign', 'a', 'b'], 'only one payload at a time'],
  ['a span of time that is none', ['sign', '{}', '--expires-in', 'soon'], '--expires-in: not a duration'],
  ['a ttl of nothing', ['sign', '{}', '--ttl', '0'], '--ttl: must be at least'],
  [
    'a life that does not fit the ttl',
    ['sign', '{}', '--ttl', '10s', '--expires-in', '1d'],
    '--expires-in (86400 s) does not fit ttl',
  ],
  ['a payload whose exp is too far', ['sign', '{"exp":9999999999}'], 'set its life with --expires-in'],
  ['a number that programs round', ['sign', '{"uid":[1234567890123456789]}'], 'beyond 2^53 - 1'],
  ['a number that is none to programs', ['sign', '{"n":1e400}'], 'beyond 2^53 - 1'],
  ['claims for a text', ['sign', 'hello', '--audience', 'x'], '--audience: only an object has claims'],
  ['what a shell leaves of unquoted JSON', ['sign', '{user:ann}'], 'put it in quotes'],
  ['an empty payload', ['sign', ''], 'payload is empty'],
  ['a payload on stdin that never was', ['sign'], 'there is no payload'],
  [
    'a URL of another kind',
    ['status', '--url', 'https://ann:hunter2@example.org'],
    'redis://, rediss:// (TLS) or file:',
  ],
  ['a Redis URL that is none', ['status', '--url', 'redis://:hunter2@x:y:z'], '--url: no host, or no port'],
  ['a folder with a tilde', ['status', '--url', 'file:~/x'], 'without // and ~'],
  ['rights without a role', ['acl'], '--role: give member, verifier, reader or operator'],
  ['rights of a role that is none', ['acl', '--role', 'admin'], '--role: must be one of member, verifier'],
  ['rights on a Redis without ACL', ['acl', '--role', 'member', '--redis', '5'], '--redis: give the version'],
  ['a Redis user without a name', ['acl', '--role', 'member', '--user', 'a b'], '--user: Redis takes no'],
  ['rights with a URL', ['acl', '--role', 'member', '--url', 'redis://:hunter2@x'], "unknown option '--url'"],
  ['a role on the embedded store', ['doctor', '--role', 'member'], '--role: has no effect without Redis'],
  ['the store of before', ['status', '--url', 'lmdb:/var/lib/rewt'], 'Give file: and a new folder'],
])('%s is a usage error, said in one sentence', async (_, args, sentence) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).toMatch(/\nSee: rewt ([a-z-]+ )?--help\n$/);
  expect(stderr).not.toMatch(/hunter2|\n {4}at /);
});

it('with --json an error is one JSON object on stdout, and the exit code stays', async () => {
  const { code, stdout, stderr } = await runProcess('sign', '{}', '--expires-in', 'soon', '--json');
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'ERR_REWT_OPTION', message: expect.stringContaining('--expires-in'), option: '--expires-in' },
  });
});

it('a token whose verb was forgotten is not repeated', async () => {
  const { code, stderr } = await runProcess('eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0');
  expect(code).toBe(2);
  expect(stderr).not.toContain('eyJ');
});

it('the embedded store needs no package beside the command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-alone-'));
  try {
    cpSync(dist, join(folder, 'dist'), { recursive: true });
    cpSync(join(dist, '../package.json'), join(folder, 'package.json'));
    const file = join(folder, 'dist/cjs/cli/main.cjs');
    const { stdout: token } = await rewtProcess(['sign', '{}'], { file, env: state.env });
    expect(await rewtProcess(['verify', token.trim()], { file, env: state.env })).toMatchObject({ code: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('the command works through a link, as npm makes one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-link-'));
  try {
    const file = join(folder, 'rewt');
    symlinkSync(main, file);
    expect((await rewtProcess(['sign', '{}'], { file, env: state.env })).code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
