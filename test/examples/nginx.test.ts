/** examples/nginx behind a real nginx: its own configuration, but for the ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { findNginx } from '../../scripts/nginx.js';
import { Rewt } from '../../src/index.js';
import { type Serving, startServing } from '../cli/serving.js';
import type { RunningServer } from '../conformance/http.js';
import { serve } from '../middleware/listening.js';
import { ask } from '../middleware/raw-client.js';
import { freePort, type RedisServer, startRedis } from '../support/servers.js';

let redis: RedisServer;
let member: Rewt;
let serving: Serving;
let service: RunningServer;
let nginx: ChildProcess;
let ended: Promise<unknown> | undefined;
let folder: string;
let port: number;
/** Of the last request that came through to the service. */
let seen: IncomingHttpHeaders | null;

beforeAll(async () => {
  redis = await startRedis();
  member = new Rewt({ redisConn: redis.url });
  serving = await startServing([
    '--url',
    redis.url,
    '--audience',
    'orders',
    '--header',
    'X-User=sub',
    '--max-staleness',
    '1',
  ]);
  service = await serve((request, response) => {
    seen = request.headers;
    response.end('the service');
  });
  port = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'rewt-nginx-'));
  await mkdir(join(folder, 'tmp'));
  const example = await readFile(new URL('../../examples/nginx/nginx.conf', import.meta.url), 'utf8');
  const config = example
    .replace('127.0.0.1:4180', `127.0.0.1:${serving.port}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${port}`)
    .replace('127.0.0.1:3000', `127.0.0.1:${service.port}`);
  await writeFile(join(folder, 'nginx.conf'), config);
  const binary = findNginx();
  if (binary === null) throw new Error('no nginx: run node scripts/nginx.js');
  nginx = spawn(binary, ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'inherit'] });
  ended = once(nginx, 'exit');
  await vi.waitFor(async () => expect((await ask(port, { path: '/' })).status).toBe(401), 10_000);
});
afterAll(async () => {
  nginx?.kill('SIGTERM');
  await Promise.all([ended, serving?.end(), service?.close(), member?.close()]);
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  seen = null;
});

const request = (token?: string, ...lines: string[]) =>
  ask(port, {
    path: '/orders/1?x=2',
    lines: [...(token === undefined ? [] : [`Authorization: Bearer ${token}`]), ...lines],
  });

describe('a service behind nginx', () => {
  it('gets the requests that bring a good token, with its claims, and never those that a client made up', async () => {
    const token = await member.sign({ sub: 'ann' }, { audience: 'orders' });
    const answer = await request(token, 'X-User: root', 'X-Rewt-Claims: root');
    expect(answer).toMatchObject({ status: 200, body: 'the service' });
    expect(seen).toMatchObject({ 'x-user': 'ann' });
    expect(JSON.parse(Buffer.from(String(seen?.['x-rewt-claims']), 'base64url').toString())).toMatchObject({
      sub: 'ann',
    });
    // Without the claim there is no header, whatever the client says.
    expect((await request(await member.sign({}, { audience: 'orders' }), 'X-User: root')).status).toBe(200);
    expect(seen).not.toHaveProperty('x-user');
  });

  it('gets none without a token, or with a bad one', async () => {
    const none = await request();
    expect(none).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="api"' } });
    const bad = await request(await member.sign({}, { audience: 'mail' }));
    expect(bad.headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"');
    expect((await request('a b')).status).toBe(400);
    const token = await member.sign({}, { audience: 'orders' });
    expect((await request(token, `Authorization: Bearer ${token}`)).status).toBe(400);
    expect(seen).toBeNull();
  });

  it('takes a token of eight kilobytes', async () => {
    const token = await member.sign({ sub: 'ann', scope: 'x'.repeat(5_500) }, { audience: 'orders' });
    expect(token.length).toBeGreaterThan(7_500);
    expect((await request(token)).status).toBe(200);
  });

  it('gets no request while nothing can judge, and clients get 503 and never 401', async () => {
    const token = await member.sign({}, { audience: 'orders' });
    await redis.kill();
    await vi.waitFor(async () => expect((await request(token)).status).toBe(503), 5_000);
    seen = null;
    expect(await request(token)).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(seen).toBeNull();
    await redis.restart();
  });
});
