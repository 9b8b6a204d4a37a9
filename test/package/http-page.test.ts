/**
 * The snippets of docs/http.md, as they stand there, with the package installed and a Redis: only
 * ports differ.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { freePort, type RedisServer, startRedis, until } from '../support/servers.js';
import { installBeside, installPackage, project, type Scratch } from './scratch.js';

const page = readFileSync(join(project, 'docs/http.md'), 'utf8');
const readme = readFileSync(join(project, 'README.md'), 'utf8');
const snippets = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, text = '']) => text);
const [ofExpress = ''] = snippets;
const [, overrides = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];

/** What a framework for handlers of the web's Request does with them. */
const serveGet = `
import { createServer } from 'node:http';
createServer(async (req, res) => {
  const answer = await GET(new Request('http://localhost' + req.url, { headers: req.headers }));
  res.writeHead(answer.status).end(await answer.text());
}).listen(3000);
`;

let scratch: Scratch;
let redis: RedisServer;
let rewt: Rewt;
let running: ChildProcess | undefined;
beforeAll(async () => {
  [scratch, redis] = await Promise.all([installPackage(), startRedis()]);
  await installBeside(scratch, ['express', 'fastify', 'hono', '@hono/node-server', 'koa', 'redis']);
  rewt = new Rewt({ redisConn: redis.url, storeTimeout: 10 });
});
afterEach(() => running?.kill('SIGKILL'));
afterAll(async () => {
  await rewt?.close();
  await redis?.stop();
  await scratch?.remove();
});

/** Starts the program, and gives what asks it once it listens. */
async function start(program: string): Promise<(path: string, token?: string, method?: string) => Promise<Response>> {
  const port = await freePort();
  const file = join(scratch.folder, `snippet-${port}.mjs`);
  await writeFile(file, program.replaceAll('3000', String(port)).replaceAll('redis://localhost:6379', redis.url));
  running = spawn(process.execPath, [file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const once = (path: string, token?: string, method = 'GET') =>
    fetch(`http://localhost:${port}${path}`, { method, headers: token ? { authorization: `Bearer ${token}` } : {} });
  // On a busy machine a first connection to Redis can take longer than the snippet waits.
  const ask = (...request: Parameters<typeof once>) =>
    until('an answer', () => once(...request).then((answer) => answer.status !== 503 && answer));
  await until('the snippet listens', () =>
    ask('/').then(
      () => true,
      () => false,
    ),
  );
  return ask;
}

describe('docs/http.md', () => {
  it('has the snippet of the README first, and one for each way', () => {
    expect(readme).toContain(ofExpress);
    const ways = snippets.map((text) => /rewt\/(\w+)'/.exec(text)?.[1]);
    expect(ways).toEqual(['express', 'fastify', 'hono', 'koa', 'node', 'web']);
  });

  it.each(snippets.map((text) => [/rewt\/(\w+)'/.exec(text)?.[1], text]))(
    'has a snippet for %s that does what it says',
    async (way, text = '') => {
      const ask = await start(way === 'web' ? text + serveGet : text);
      expect((await ask('/orders')).status).toBe(401);
      expect((await ask('/orders', await rewt.sign({ sub: 'ann' }, { audience: 'billing' }))).status).toBe(401);
      const answer = await ask('/orders', await rewt.sign({ sub: 'ann' }, { audience: 'orders' }));
      expect(JSON.parse(await answer.text())).toEqual({ for: 'ann' });
    },
  );

  it('has overrides that do what they say', async () => {
    const answer =
      'const [remove, prices, report, events] = Array(4).fill((req, res) => res.json(req.auth?.sub ?? null));';
    // Node 20 knows no types.
    const { outputText } = ts.transpileModule(overrides, { compilerOptions: { target: ts.ScriptTarget.ESNext } });
    const ask = await start(`${ofExpress}\n${answer}\n${outputText}`);
    const ann = await rewt.sign({ sub: 'ann' }, { audience: 'orders' });
    const root = await rewt.sign({ sub: 'root', role: 'admin' }, { audience: 'orders' });
    const refused = await ask('/orders/1', ann, 'DELETE');
    expect(refused.headers.get('www-authenticate')).toMatch(/scope="orders:write"/);
    expect(await (await ask('/orders/1', root, 'DELETE')).json()).toBe('root');
    expect(await (await ask('/prices')).json()).toBeNull();
    expect((await ask('/report', await rewt.sign({}, { audience: 'reports' }))).status).toBe(200);
    expect(await (await ask(`/events?access_token=${ann}`)).json()).toBe('ann');
    expect((await ask('/events', ann)).status).toBe(401);
  });
});
