/** `rewt serve`, asked as a reverse proxy asks it. */
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rewt } from '../../src/index.js';
import { ask, type RawRequest } from '../middleware/raw-client.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { rewt } from './command.js';
import { rewtProcess } from './process.js';
import { type Serving, startServing } from './serving.js';

let redis: RedisServer;
let member: Rewt;
let serving: Serving;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

beforeEach(async () => {
  member = new Rewt({ redisConn: redis.url });
  await member.ready();
});
afterEach(async () => {
  await serving?.end('SIGKILL');
  await member.close();
  await redis.cli('FLUSHALL');
});

const start = async (...args: string[]): Promise<void> => {
  serving = await startServing(['--url', redis.url, ...args]);
};
const verify = (token?: string, request: Partial<RawRequest> = {}) =>
  ask(serving.port, {
    path: '/verify',
    lines: token === undefined ? [] : [`Authorization: Bearer ${token}`],
    ...request,
  });
const claimsIn = (header: string | undefined): unknown => JSON.parse(Buffer.from(header ?? '', 'base64url').toString());

describe('/verify', () => {
  it('answers a good token with 204 and its claims', async () => {
    await start();
    const answer = await verify(await member.sign({ sub: 'ann', name: 'Žluťoučký\r\nX-Evil: 1' }));
    expect(answer).toMatchObject({ status: 204, body: '', headers: { 'cache-control': 'no-store' } });
    expect(claimsIn(answer.headers['x-rewt-claims'])).toMatchObject({ sub: 'ann', name: 'Žluťoučký\r\nX-Evil: 1' });
    expect(answer.headers).not.toHaveProperty('x-evil');
  });

  it('gives the claims that are asked for in separate headers, unless they do not belong there', async () => {
    await start(
      '--header',
      'X-User=sub',
      '--header',
      'x-level=level',
      '--header',
      'X-Name=name',
      '--header',
      'X-No=no',
    );
    const { headers } = await verify(await member.sign({ sub: 'ann', level: 3, name: 'a\r\nX-Evil: 1' }));
    expect(headers).toMatchObject({ 'x-user': 'ann', 'x-level': '3' });
    // There, though empty: a proxy that finds none could let the client's own through.
    expect(headers).toMatchObject({ 'x-name': '', 'x-no': '' });
    expect(headers).not.toHaveProperty('x-evil');
  });

  it('gives the claims as the token has them, so that no number is rounded and none is longer', async () => {
    await start('--header', 'X-User=uid');
    // As another language may write it. A text of the keyring's own: so it is signed as it stands.
    for (const uid of ['9007199254740993', '9007199254740992', '1e400', '0.5', '-9007199254740993']) {
      const claims = `{"uid": ${uid}, "more": [${Array(500).fill('1e20').join()}]}`;
      const token = await member.sign(claims);
      const { status, headers } = await verify(token);
      expect({ status, user: headers['x-user'] }).toEqual({ status: 204, user: '' });
      expect(headers['x-rewt-claims']).toBe(token.split('.')[1]);
      expect(Buffer.from(headers['x-rewt-claims'] ?? '', 'base64url').toString()).toBe(claims);
    }
    const { headers } = await verify(await member.sign({ uid: Number.MAX_SAFE_INTEGER }));
    expect(headers['x-user']).toBe('9007199254740991');
  });

  it('gives no number in a separate header if reading the token rounds one', async () => {
    await start('--header', 'X-User=uid', '--header', 'X-Name=sub', '--header', 'X-Level=level');
    for (const uid of ['1.00000000000000001', '9007199254740991.4', '0.99999999999999999', '1e-400']) {
      const { status, headers } = await verify(await member.sign(`{"uid":${uid},"sub":"ann","level":3}`));
      expect({ status, user: headers['x-user'], level: headers['x-level'], name: headers['x-name'] }).toEqual({
        status: 204,
        user: '',
        level: '',
        name: 'ann',
      });
    }
    const { headers } = await verify(
      await member.sign('{"uid":1.0,"sub":"0.99999999999999999","level":3e2,"half":0.5}'),
    );
    expect(headers).toMatchObject({ 'x-user': '1', 'x-level': '300', 'x-name': '0.99999999999999999' });
  });

  it('answers everything else as RFC 6750 has it, whatever path and query a proxy adds', async () => {
    await start('--audience', 'orders', '--issuer', 'shop');
    const token = await member.sign({}, { audience: 'orders', issuer: 'shop' });
    expect((await verify()).headers['www-authenticate']).toBe('Bearer realm="api"');
    expect((await verify('a b')).status).toBe(400);
    expect((await verify(`${token}x`)).headers['www-authenticate']).toBe('Bearer realm="api", error="invalid_token"');
    expect((await verify(await member.sign({}, { audience: 'mail', issuer: 'shop' }))).status).toBe(401);
    expect((await verify(await member.sign({}, { audience: 'orders' }))).status).toBe(401);
    expect((await verify(token, { path: '/verify/orders/1?audience=mail', method: 'DELETE' })).status).toBe(204);
    const twice = [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`];
    expect((await verify(undefined, { lines: twice })).status).toBe(400);
  });

  it('refuses a token of before a revocation', async () => {
    await start();
    const token = await member.sign({});
    expect((await verify(token)).status).toBe(204);
    await member.revoke();
    await vi.waitFor(async () => expect((await verify(token)).status).toBe(401), 5_000);
    expect(serving.said()).toMatch(/rewt serve: revoked, every token of before is refused \(epoch 1\)/);
  });
});

describe('a store that cannot be used', () => {
  it('is answered with 503 and never with 401, from the start too, and shows in the probes', async () => {
    const own = await startRedis();
    try {
      await own.kill();
      serving = await startServing(['--url', own.url]);
      const token = await member.sign({});
      expect(await verify(token)).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
      expect((await ask(serving.port, { path: '/readyz' })).status).toBe(503);
      expect((await ask(serving.port, { path: '/healthz' })).status).toBe(200);
      await own.restart();
      await vi.waitFor(async () => expect((await ask(serving.port, { path: '/readyz' })).status).toBe(200), 10_000);
      // Another keyring.
      expect((await verify(token)).status).toBe(401);
    } finally {
      await own.stop();
    }
  });
});

it('/metrics counts, and shows the copy of the keyring', async () => {
  await start('--namespace', 'rewt');
  await verify(await member.sign({}));
  await verify('junk');
  const { headers, body } = await ask(serving.port, { path: '/metrics' });
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = body.split('\n');
  expect(lines).toContain('# TYPE rewt_operation_duration_seconds histogram');
  expect(lines).toContain('rewt_verifications_total{rewt_namespace="rewt",rewt_secret="current"} 1');
  expect(lines).toContain('rewt_keyring_usable{rewt_namespace="rewt"} 1');
  const of = 'rewt_namespace="rewt",rewt_operation="verify"';
  const refused = `${of},error_type="ERR_REWT_MALFORMED",rewt_fault="token"`;
  expect(lines).toContain(`rewt_operation_duration_seconds_count{${of}} 1`);
  expect(lines).toContain(`rewt_operation_duration_seconds_count{${refused}} 1`);
  expect(lines).toContain(`rewt_operation_duration_seconds_bucket{${refused},le="+Inf"} 1`);
});

it('other paths are not there, and probes are only looked at', async () => {
  await start();
  expect((await ask(serving.port, { path: '/' })).status).toBe(404);
  expect((await ask(serving.port, { path: '/verifyx' })).status).toBe(404);
  expect(await ask(serving.port, { path: '/metrics', method: 'POST' })).toMatchObject({
    status: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

it('a request whose target is a whole URL is answered as one for its path (RFC 9112, 3.2.2)', async () => {
  await start();
  const token = await member.sign({});
  for (const path of ['http://orders.example/verify', 'HTTP://orders.example:80/verify/orders?a=http://b/']) {
    expect((await verify(token, { path })).status).toBe(204);
  }
  expect((await verify(token, { path: 'http://orders.example' })).status).toBe(404);
  expect((await verify(token, { path: 'http://orders.example/healthz' })).status).toBe(200);
  expect((await verify(token, { path: 'http://orders.example?/verify' })).status).toBe(404);
});

it('a second Authorization is seen behind two thousand headers, and behind six thousand', async () => {
  await start();
  const token = await member.sign({});
  const [first, second] = [`Authorization: Bearer ${token}`, 'Authorization: Bearer other'];
  for (const count of [900, 2_000, 6_000]) {
    const many = Array(count).fill('a: b');
    // Newer versions of Node answer 431 by themselves.
    expect((await verify(undefined, { lines: [first, ...many, second] })).status).toBeOneOf([400, 431]);
  }
  expect((await verify(undefined, { lines: [...Array(900).fill('a: b'), first] })).status).toBe(204);
});

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends well at %s, also with a connection that stays open', async (signal) => {
    await start();
    const kept = await fetch(`http://127.0.0.1:${serving.port}/healthz`);
    await kept.text();
    expect(await serving.end(signal)).toMatchObject({ code: 0, stdout: '' });
  });

  it('ends at once at SIGTERM, with connections that have said nothing', async () => {
    await start();
    const silent = [connect(serving.port, '127.0.0.1'), connect(serving.port, '127.0.0.1')];
    for (const socket of silent) socket.on('error', () => {});
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    // So that the server has taken them.
    await ask(serving.port, { path: '/healthz' });
    const begun = performance.now();
    expect(await serving.end()).toMatchObject({ code: 0 });
    // Those that are waited for have five seconds.
    expect(performance.now() - begun).toBeLessThan(4_000);
  });

  it('says in one line that it cannot have a port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await rewtProcess(['serve', '--url', redis.url, '--port', String(port)]);
    taken.close();
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^rewt: cannot listen on 127\.0\.0\.1:\d+: another process may have the port.*\n.*--help\n$/,
    );
  });

  it.each([
    [['--port', '70000'], /--port: must be a number from 0 to 65535/],
    [['--header', 'User=sub'], /--header: must be a header that begins with X-/],
    [['--header', 'X-Rewt-Claims=sub'], /--header: .* x-rewt-claims is always there/],
    [['--header', 'X-User=sub', '--header', 'x-user=iss'], /--header: the same header twice/],
    [['--audiense', 'x'], /did you mean '--audience'/],
  ])('refuses the arguments %j, with exit code 2', async (args, message) => {
    const { code, stderr } = await rewt(['serve', '--url', redis.url, ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
