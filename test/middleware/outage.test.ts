/**
 * A real Redis that is killed, and one that stands still, under a load of requests: a server that
 * cannot judge answers 503, and never that a good token is bad.
 */
import { Agent, createServer, get } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { rewtAuth as expressAuth } from '../../src/middleware/express.js';
import { rewtAuth as fastifyAuth } from '../../src/middleware/fastify.js';
import type { RunningServer } from '../conformance/http.js';
import { onDisk, type RedisServer, startRedis, until } from '../support/servers.js';
import { listening } from './listening.js';

const CONNECTIONS = 8;

interface Load {
  /** How often each answer came: its status, and what a client goes by. */
  readonly answers: Map<string, number>;
  stop(): Promise<void>;
}

/** Each connection has one request under way, until it is stopped. */
function startLoad(ports: readonly number[], authorization: string): Load {
  const answers = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let stopped = false;
  const once = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, agent, headers: { authorization } }, (response) => {
        const { 'retry-after': retryAfter, 'www-authenticate': challenge } = response.headers;
        response.resume().once('end', () => resolve(`${response.statusCode} ${retryAfter} ${challenge}`));
      });
      request.once('error', reject);
    });
  const connections = Array.from({ length: CONNECTIONS }, async (_, at) => {
    while (!stopped) {
      const answer = await once(ports[at % ports.length] ?? 0);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  return {
    answers,
    async stop() {
      stopped = true;
      await Promise.all(connections);
      agent.destroy();
    },
  };
}

const WELCOME = '200 undefined undefined';
const UNAVAILABLE = '503 2 undefined';

describe('servers whose Redis', () => {
  let redis: RedisServer;
  let rewt: Rewt;
  const servers: RunningServer[] = [];

  beforeAll(async () => {
    redis = await startRedis(onDisk);
    rewt = new Rewt({ redisConn: redis.url, ttl: 3600, maxStaleness: 0.4, storeTimeout: 0.5 });
    // On a busy machine a first connection can take longer than that.
    await until('ready', () =>
      rewt.ready().then(
        () => true,
        () => false,
      ),
    );
    const app = express().use(expressAuth(rewt), (_request, response) => void response.end());
    const other = fastify();
    await other.register(fastifyAuth, { rewt });
    other.get('/', { onRequest: other.rewtAuth() }, () => '');
    await other.ready();
    servers.push(await listening(createServer(app)), await listening(other.server));
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await rewt?.close();
    await redis?.stop();
  });

  it.each([
    ['is killed', () => redis.kill(), () => redis.restart()],
    [
      'stands still',
      async () => void process.kill(redis.pid, 'SIGSTOP'),
      async () => void process.kill(redis.pid, 'SIGCONT'),
    ],
  ])('%s answer 503 and never 401, and go on when it is back', async (_how, end, bringBack) => {
    const token = await until('a token', () => rewt.sign({ sub: 'ann' }).catch(() => null));
    const load = startLoad(
      servers.map(({ port }) => port),
      `Bearer ${token}`,
    );
    const more = async (answer: string, count: number) => {
      const before = load.answers.get(answer) ?? 0;
      await until(`${count} more of ${answer}`, async () => (load.answers.get(answer) ?? 0) >= before + count);
    };
    try {
      await more(WELCOME, 100);
      await end();
      await more(UNAVAILABLE, 100);
      await bringBack();
      await more(WELCOME, 100);
    } finally {
      await load.stop();
    }
    expect([...load.answers.keys()].sort()).toEqual([WELCOME, UNAVAILABLE]);
  });
});
