/**
 * What outlives a call runs outside of its caller's AsyncLocalStorage context: for every public
 * entry, on a real Redis.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPrometheus } from '../src/cli/serve/prometheus.js';
import { createAuthServer } from '../src/cli/serve/server.js';
import { Rewt, type RewtOptions } from '../src/index.js';
import { rewtAuth as expressAuth } from '../src/middleware/express.js';
import { rewtAuth as fastifyAuth } from '../src/middleware/fastify.js';
import { rewtAuth as honoAuth } from '../src/middleware/hono.js';
import { rewtAuth as koaAuth } from '../src/middleware/koa.js';
import { rewtAuth as nodeAuth } from '../src/middleware/node.js';
import { rewtAuth as webAuth } from '../src/middleware/web.js';
import { instrumentRewt } from '../src/observe/otel.js';
import { createFetch } from '../src/outgoing/fetch.js';
import { createTestRewt } from '../src/testing.js';
import { type RedisServer, startRedis, until } from './support/servers.js';

const als = new AsyncLocalStorage<object>();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const channels = ['operation', 'refresh', 'rotated', 'revoked', 'degraded', 'recovered', 'warning', 'unannounced'];
/** What was seen to run in some caller's context. */
const seenInside: string[] = [];
const seen = new Set<string>();
function look(what: string): void {
  seen.add(what);
  if (als.getStore() !== undefined) seenInside.push(what);
}
// An operation is the caller's own.
const listeners = channels
  .filter((name) => name !== 'operation')
  .map((name) => [`rewt:${name}`, () => look(`rewt:${name}`)] as const);

const ends: (() => unknown)[] = [];
beforeEach(() => {
  seenInside.length = 0;
  seen.clear();
  for (const [name, listener] of listeners) subscribe(name, listener);
});
afterEach(async () => {
  for (const [name, listener] of listeners) unsubscribe(name, listener);
  for (const end of ends.splice(0).reverse()) await end();
});

/** Not connected, so that rewt opens separate connections; what these emit is looked at. */
function watchedClient(): Redis {
  const client = new Redis(server.port, '127.0.0.1', { lazyConnect: true });
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (options) => {
    const own = duplicate(options);
    for (const event of ['connect', 'ready', 'messageBuffer', 'close', 'end']) {
      own.on(event, () => look(`connection: ${event}`));
    }
    return own;
  };
  return client;
}

let namespaces = 0;
function membersOfOneNamespace() {
  namespaces += 1;
  const redisNamespace = `context-${namespaces}`;
  const join = (options: Partial<RewtOptions>): Rewt => {
    const rewt = new Rewt({ redisConn: watchedClient(), redisNamespace, ...options } as RewtOptions);
    ends.push(() => rewt.close());
    return rewt;
  };
  return { rewt: join({ memberName: 'a' }), other: join({ redisConn: server.url, push: false }) };
}

type Use = (rewt: Rewt, token: string) => unknown;

/** One request, each in a separate context, to a server that was there before. */
async function request(context: object, listener: RequestListener, token: string): Promise<void> {
  const web = createServer((incoming, response) => als.run(context, () => listener(incoming, response)));
  web.listen(0, '127.0.0.1');
  await turn();
  await until('it listens', async () => web.listening);
  const headers = { authorization: `Bearer ${token}`, connection: 'close' };
  const { status } = await als.exit(() =>
    fetch(`http://127.0.0.1:${(web.address() as AddressInfo).port}/verify`, { headers }),
  );
  expect(status).toBeLessThan(300);
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
}

const methods: Record<string, Use> = {
  sign: (rewt) => rewt.sign({}),
  'sign with a callback': (rewt) => new Promise<void>((resolve) => rewt.sign({}, () => resolve())),
  verify: (rewt, token) => rewt.verify(token),
  verifyComplete: (rewt, token) => rewt.verifyComplete(token),
  'verify with a callback': (rewt, token) => new Promise<void>((resolve) => rewt.verify(token, () => resolve())),
  'verify of an unknown secret': (rewt, token) => rewt.verify(token).catch(() => {}),
  signer: (rewt) => rewt.signer()({}),
  verifier: (rewt, token) => rewt.verifier()(token),
  signSync: (rewt) => expect(() => rewt.signSync({})).toThrow(),
  verifySync: (rewt, token) => expect(() => rewt.verifySync(token)).toThrow(),
  rotate: (rewt) => rewt.rotate({ force: true }),
  revoke: (rewt) => rewt.revoke({ replicas: 1, timeout: 0.01 }),
  ready: (rewt) => rewt.ready(),
  refresh: (rewt) => rewt.refresh(),
  // No more than a look, which begins nothing.
  status: (rewt) => rewt.ready().then(() => rewt.status()),
};

const modules: Record<string, Use> = {
  './express': (rewt, token) => {
    const app = express().use(expressAuth(rewt), (_request, response) => void response.end());
    return request(als.getStore() as object, app, token);
  },
  './fastify': async (rewt, token) => {
    const app = fastify();
    await app.register(fastifyAuth, { rewt });
    app.get('/verify', { onRequest: app.rewtAuth() }, () => '');
    await app.ready();
    await request(als.getStore() as object, (incoming, response) => app.routing(incoming, response), token);
    await app.close();
  },
  './hono': async (rewt, token) => {
    const app = new Hono().use(honoAuth(rewt)).get('/verify', (c) => c.text(''));
    const { status } = await app.request('/verify', { headers: { authorization: `Bearer ${token}` } });
    expect(status).toBe(200);
  },
  './koa': (rewt, token) => {
    const app = new Koa().use(koaAuth(rewt)).use((ctx) => {
      ctx.body = '';
    });
    return request(als.getStore() as object, app.callback(), token);
  },
  './node': (rewt, token) => {
    const auth = nodeAuth(rewt);
    return request(
      als.getStore() as object,
      (incoming, response) => void auth(incoming, response).then(() => response.end()),
      token,
    );
  },
  './web': async (rewt, token) => {
    const headers = { authorization: `Bearer ${token}` };
    await webAuth(rewt)(new Request('http://service.test/', { headers }));
  },
  './fetch': async (rewt) => {
    const send = createFetch(rewt, { audience: 'orders', plainHttp: true, fetch: async () => new Response('') });
    await send('http://service.test/');
  },
  './otel': async (rewt, token) => {
    ends.push(instrumentRewt({ members: [rewt] }));
    await rewt.verify(token);
  },
  './testing': async () => {
    const made = await createTestRewt();
    ends.push(() => made.close());
    await made.tokens.valid();
  },
};

const commands: Record<string, Use> = {
  serve: (rewt, token) => {
    const prometheus = createPrometheus([rewt]);
    ends.push(() => prometheus.end());
    const web = createAuthServer({ auth: nodeAuth(rewt), headers: [], prometheus, ready: () => rewt.ready() });
    const listener = web.listeners('request')[0] as RequestListener;
    return request(als.getStore() as object, listener, token);
  },
};

it('every public entry is walked', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const entries = Object.keys(exports).filter((name) => name !== '.' && name !== './package.json');
  expect(Object.keys(modules).sort()).toEqual(entries.sort());
  const walked = new Set(Object.keys(methods).map((name) => name.split(' ')[0]));
  const own = Object.getOwnPropertyNames(Rewt.prototype).filter((name) => name !== 'constructor' && name !== 'close');
  expect([...walked].sort()).toEqual(own.sort());
});

describe.each(Object.entries({ ...methods, ...modules, ...commands }))('%s, the first use of a member', (name, use) => {
  it('begins nothing that goes on in its context, and the context is freed', async () => {
    const { rewt, other } = membersOfOneNamespace();
    const token = await other.sign({});
    if (name === 'verify of an unknown secret') await other.revoke();
    const context = await called(() => use(rewt, token));
    // Connections and messages that come later.
    if (rewt.status().push.state === 'off') await rewt.refresh();
    await until('push is on', async () => rewt.status().push.state === 'on');
    const { epoch } = await other.revoke();
    await until('the revocation is known', async () => rewt.status().keyring?.epoch === epoch);
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('push is on again', async () => rewt.status().push.state === 'on');
    expect(seen).toContain('rewt:revoked');
    expect(seen).toContain('connection: ready');
    expect(seenInside).toEqual([]);
    await expectFreed(context);
    await rewt.verify(await other.sign({}));
  });
});

it('close() begins nothing that goes on in its context, and the context is freed', async () => {
  const { rewt } = membersOfOneNamespace();
  await rewt.ready();
  const context = await called(() => rewt.close());
  await sleep(100);
  expect(seen).toContain('connection: end');
  expect(seenInside).toEqual([]);
  await expectFreed(context);
});

it('a member that was made within a request does not hold on to its context', async () => {
  const made: Rewt[] = [];
  const context = await called(async () => {
    const { rewt, other } = membersOfOneNamespace();
    await rewt.verify(await other.sign({}));
    made.push(rewt);
  });
  await until('push is on', async () => made[0]?.status().push.state === 'on');
  expect(seenInside).toEqual([]);
  await expectFreed(context);
});

it('what a caller waits for goes on in its own context', async () => {
  const { rewt, other } = membersOfOneNamespace();
  const token = await other.sign({});
  for (const use of [...Object.values(methods)].filter(
    (use) => use !== methods.signSync && use !== methods.verifySync,
  )) {
    const context = {};
    await als.run(context, async () => {
      await Promise.resolve(use(rewt, token)).catch(() => {});
      expect(als.getStore()).toBe(context);
    });
  }
  const seenBy = await als.run({ name: 'caller' }, () => {
    return new Promise((resolve) => rewt.sign({}, () => resolve(als.getStore())));
  });
  expect(seenBy).toEqual({ name: 'caller' });
});

/** Calls it in a context that nothing else holds. */
async function called(use: () => unknown): Promise<WeakRef<object>> {
  const context = { of: 'one call' };
  await als.run(context, async () => {
    await use();
  });
  return new WeakRef(context);
}

async function expectFreed(context: WeakRef<object>): Promise<void> {
  for (let round = 0; round < 50 && context.deref() !== undefined; round += 1) {
    await sleep(10);
    collect();
  }
  expect(context.deref(), 'the context of a call that is over').toBeUndefined();
}
