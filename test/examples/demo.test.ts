/** examples/demo, shortened: real services, real rotations, nothing left behind. */
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endOf, type Run, startRewt } from '../cli/process.js';
import { project } from '../package/scratch.js';
import { type RedisServer, startRedis } from '../support/servers.js';

// What `npm run demo` runs; its build is that of every test.
const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
const [, file = ''] = /^node (\S+)$/.exec(scripts.demo) ?? [];

let server: RedisServer;
const folders: string[] = [];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server?.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Where the demo makes its own folder. */
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rewt-demo-test-'));
  folders.push(folder);
  return folder;
}

function start(args: readonly string[], TMPDIR = tmpdir()) {
  const child = startRewt(args, { file: join(project, file), env: { TMPDIR } });
  // Its services hold stderr too: it ends once none of them is left.
  const end = endOf(child);
  let said = '';
  const working = new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk;
      // Both services are at work: there were calls.
      if (/[1-9][\d,]* calls\/s/.test(said)) resolve();
    });
  });
  return { child, end, working: Promise.race([working, end]) };
}

const demo = (args: readonly string[], folder?: string): Promise<Run> => start(args, folder).end;

const keptPromises = {
  brokenPromises: [],
  refusedByRotation: 0,
  revocation: { oldTokensAcceptedAfterwards: 0, oldTokensLivedMs: expect.any(Number) },
};

// At the same time: most of a demo is waiting.
it.concurrent('in a folder it keeps its promises, and leaves none', async () => {
  const folder = await temporary();
  const { code, stdout, stderr } = await demo(['--seconds', '3', '--json'], folder);
  expect(stderr).toContain('Every promise was kept.');
  const report = JSON.parse(stdout);
  expect({ code, report }).toMatchObject({ code: 0, report: keptPromises });
  expect(report.rotations).toBeGreaterThanOrEqual(2);
  expect(report.calls).toBeGreaterThan(20);
  expect(stderr).toMatch(/^ *\d+\.\d s {2}[\d,]+ calls\/s {2}kid [\w-]{11} {2}p50 .* ms {2}p99 .* ms$/m);
  expect(stderr).not.toContain('\x1b');
  expect(await readdir(folder)).toEqual([]);
});

it.concurrent('on Redis it keeps its promises, and every key that it leaves ends within seconds', async () => {
  const { code, stdout, stderr } = await demo(['--seconds', '3', '--url', server.url]);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Every promise was kept.') });
  expect(stdout).toMatch(/^calls refused by rotation {2}0$/m);
  for (const key of (await server.cli('KEYS', '*')).split('\n').filter((name) => name !== '')) {
    const lifeMs = Number(await server.cli('PTTL', key));
    // -2: it has ended meanwhile.
    expect({ key, lifeMs, isShort: lifeMs === -2 || (lifeMs >= 0 && lifeMs < 60_000) }).toMatchObject({
      isShort: true,
    });
  }
});

it.concurrent('a promise that was broken is exit code 1', async () => {
  const { end, working } = start(['--seconds', '6', '--url', `${server.url}/1`]);
  await working;
  // A revocation by an operator, of which the demo knows nothing.
  await server.cli('-n', '1', 'FLUSHDB');
  const { code, stdout, stderr } = await end;
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Broken: a rotation cost a call/m),
  });
  expect(stdout).toMatch(/^calls refused by rotation {2}[1-9]/m);
});

it('SIGINT ends it and its services at once, with 130, and leaves nothing', async () => {
  const folder = await temporary();
  const { child, end, working } = start([], folder);
  await working;
  child.kill('SIGINT');
  // As npm does after a Ctrl-C that the demo has had from the terminal.
  child.kill('SIGINT');
  const { code, stdout } = await end;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(await readdir(folder)).toEqual([]);
});

it('if it is killed, its services end', async () => {
  const { child, end, working } = start([], await temporary());
  await working;
  child.kill('SIGKILL');
  expect(await end).toMatchObject({ code: null, stdout: '' });
});

it.each([
  ['a demo that is too short', ['--seconds', '1'], '--seconds: from 3 to 3600'],
  ['a demo without a length', ['--seconds', 'long'], '--seconds: from 3 to 3600'],
  ['another store', ['--url', 'file:/tmp/x'], '--url: must begin with redis:// or rediss://'],
  ['a URL that is none', ['--url', 'redis://:hunter2@x:y:z'], 'not a URL'],
  ['an unknown option', ['--second', '3'], "Unknown option '--second'"],
  ['an option without its value', ['--url', '--json'], "'--url'"],
  ['a word', ['now'], "'now'"],
])('%s is a usage error, said in one sentence', async (_, args, sentence) => {
  const { code, stdout, stderr } = await demo(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(sentence);
  expect(stderr).toMatch(/^demo: .*\n$/);
  expect(stderr).not.toContain('hunter2');
});

it('a store that cannot be used is exit code 3', async () => {
  const { code, stderr } = await demo(['--url', 'redis://127.0.0.1:1']);
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/^demo: .*\n$/) });
});

it('--help says what there is', async () => {
  const { code, stdout } = await demo(['--help']);
  expect(code).toBe(0);
  expect(stdout.match(/--(url|seconds|json|help)\b/g)?.length).toBeGreaterThanOrEqual(4);
  expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
});
