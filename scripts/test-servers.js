/**
 * `npm run test:servers`: the store's tests (or those that are named) against every server that
 * rewt promises to work with; one row for each.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureRedisServer } from './redis-server.js';
import { ensureRedisVersions } from './redis-versions.js';

/**
 * Whatever talks to a server through rewt's own code, starts servers that other tests stand on, or
 * needs the rights of a user.
 */
const suites = ['test/stores/redis/', 'test/servers/', 'test/cli/acl.test.ts'];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const named = process.argv.slice(2);
const option = named.find((word) => word.startsWith('-'));
if (option !== undefined) {
  const isHelp = ['-h', '--help'].includes(option);
  if (!isHelp) console.error(`unknown option '${option}'; there is none but --help\n`);
  console.log(`npm run test:servers -- [files]: those tests, or ${suites.join(', ')}`);
  process.exit(isHelp ? 0 : 2);
}
const rows = [installed(), ...ensureRedisVersions()].map(({ name, server, problem }) => {
  if (problem) return { name, passed: false, summary: `not run: ${problem}` };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', '--no-color', ...(named.length ? named : suites)],
    { encoding: 'utf8', env: { ...process.env, REWT_REDIS_SERVER: server } },
  );
  const passed = status === 0;
  if (!passed) console.log(`${name}\n${stdout}\n${stderr}`);
  return { name, passed, summary: /Tests +(.*)/.exec(stdout)?.[1] ?? 'no tests were run' };
});

for (const { name, passed, summary } of rows)
  console.log(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(12)}${summary}`);
if (!rows.every(({ passed }) => passed)) process.exitCode = 1;

function installed() {
  try {
    const server = ensureRedisServer();
    const version = /v=(\d+\.\d+)/.exec(spawnSync(server, ['--version'], { encoding: 'utf8' }).stdout)?.[1];
    return { name: `redis-${version}`, server, problem: null };
  } catch (error) {
    return { name: 'redis', server: null, problem: error.message };
  }
}
