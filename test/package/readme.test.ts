/**
 * The snippets of README.md as they stand there, with nothing installed but what it says. Only the
 * port differs.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { installBeside, installPackage, node, project, type Scratch } from './scratch.js';

const page = readFileSync(join(project, 'README.md'), 'utf8');
const [onFiles = '', onRedis = ''] = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, text = '']) => text);

let scratch: Scratch;
beforeAll(async () => {
  scratch = await installPackage();
});
afterAll(() => scratch?.remove());

async function run(program: string, ...words: string[]): Promise<string> {
  await writeFile(join(scratch.folder, 'snippet.mjs'), program);
  return (await node(scratch.folder, 'snippet.mjs', ...words)).trim();
}

it('is at most 120 lines long', () => {
  expect(page.split('\n').length).toBeLessThanOrEqual(121);
});

it('begins with a snippet that needs no server and no other package', async () => {
  const [, printed] = /console\.log\(.*\); \/\/ (.*)$/m.exec(onFiles) ?? [];
  expect(await run(onFiles)).toBe(printed);
});

describe('the snippet for Redis', () => {
  let server: RedisServer;
  let member: Rewt;
  beforeAll(async () => {
    server = await startRedis();
    await installBeside(scratch, ['redis']);
    member = new Rewt({ redisConn: server.url, redisNamespace: 'shop', storeTimeout: 10 });
  });
  afterAll(async () => {
    await member?.close();
    await server?.stop();
  });

  it('prints the claims of a good token, and what is wrong with another', async () => {
    const program = onRedis
      .replace('redis://localhost:6379', server.url)
      .replace('redisNamespace', 'storeTimeout: 10, redisNamespace');
    expect(await run(program, await member.sign({ sub: 'ann' }, { audience: 'orders' }))).toContain("sub: 'ann'");
    expect(await run(program, await member.sign({ sub: 'ann' }))).toMatch(/^401 ERR_REWT_/);
  });
});
