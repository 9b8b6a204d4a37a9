/** `rewt demo`, shortened: real services, real rotations, nothing left behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../servers.js';
import { endOf, rewt, startRewt } from '../command.js';

let server: RedisServer;
/** Of the demo that runs to its end, and of the one that is ended. */
let [whole, ended] = ['', ''];
beforeAll(async () => {
  server = await startRedis();
  [whole, ended] = [mkdtempSync(join(tmpdir(), 'rewt-cli-')), mkdtempSync(join(tmpdir(), 'rewt-cli-'))];
});
afterAll(async () => {
  await server?.stop();
  for (const folder of [whole, ended]) rmSync(folder, { recursive: true, force: true });
});

const keptPromises = {
  brokenPromises: [],
  refusedByRotation: 0,
  revocation: { oldTokensAcceptedAfterwards: 0, oldTokensLivedMs: expect.any(Number) },
};

// At the same time: most of a demo is waiting.
test.concurrent('on the embedded store it keeps its promises, and leaves no folder', async () => {
  const { code, stdout, stderr } = await rewt(['demo', '--seconds', '3', '--json'], { env: { TMPDIR: whole } });
  expect(stderr).toContain('Every promise was kept.');
  const report = JSON.parse(stdout);
  expect({ code, report }).toMatchObject({ code: 0, report: keptPromises });
  expect(report.rotations).toBeGreaterThanOrEqual(2);
  expect(report.calls).toBeGreaterThan(20);
  expect(stderr).toMatch(/^ *\d+\.\d s {2}[\d,]+ calls\/s {2}kid [\w-]{11} {2}p50 .* ms {2}p99 .* ms$/m);
  expect(stderr).not.toContain('\x1b');
  expect(readdirSync(whole)).toEqual([]);
});

test.concurrent('on Redis it keeps its promises, and leaves no key', async () => {
  const { code, stdout, stderr } = await rewt(['demo', '--seconds', '3', '--url', server.url]);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('Every promise was kept.') });
  expect(stdout).toMatch(/^calls refused by rotation {2}0$/m);
  expect(await server.cli('KEYS', '*')).toBe('');
});

test('SIGINT ends it and its services at once, with 130, and leaves nothing', async () => {
  const child = startRewt(['demo'], { env: { TMPDIR: ended } });
  const end = endOf(child);
  // The first rotation: both services are at work.
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      if (String(chunk).includes('rotated')) resolve();
    });
  });
  child.kill('SIGINT');
  // 'close' comes once nobody holds the streams any more.
  const { code, stdout } = await end;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(readdirSync(ended)).toEqual([]);
});
