/** examples/kubernetes: the service as it is, and what its deployment.yaml says of it. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Rewt } from '../../src/index.js';
import { rewtProcess } from '../cli/process.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { type Example, follow, memberFor, startExample, textOf, warm } from './example.js';

const yaml = textOf('kubernetes/deployment.yaml');

let redis: RedisServer;
let member: Rewt;
let service: Example;
beforeAll(async () => {
  redis = await startRedis();
  member = memberFor(redis);
});
beforeEach(async () => {
  service = await startExample('kubernetes/service.js', env());
});
afterEach(async () => {
  await service?.end();
});
afterAll(async () => {
  await member?.close();
  await redis?.stop();
});

const env = (): Record<string, string> => ({ REDIS_URL: redis.url, DRAIN_SECONDS: '1', POD_NAME: 'orders-7d4b-x2x' });
const statusOf = async (path: string) => (await fetch(`${service.origin}${path}`)).status;
const token = () => member.sign({ sub: 'ann' }, { audience: 'orders' });

/** A number of the probe of this name. */
function probe(name: string, field: string): number {
  const [, block = ''] = new RegExp(`^ +${name}:\\n((?: {12}.*\\n)+)`, 'm').exec(yaml) ?? [];
  return Number(new RegExp(`${field}: (\\d+)`).exec(block)?.[1]);
}

describe('a service with probes', () => {
  it('answers as its README says', async () => {
    await warm(`${service.origin}/readyz`, '');
    const steps = await follow(textOf('kubernetes/README.md'), { redisUrl: redis.url, ports: { 3000: service.port } });
    expect(steps.map(({ line }) => line.includes('z ') || line.includes('/ '))).toEqual([true, true, true]);
    for (const { line, expected, answer } of steps) expect(answer.status, line).toBe(Number(expected.slice(0, 3)));
    const answer = await fetch(service.origin, { headers: { authorization: `Bearer ${await token()}` } });
    expect(await answer.json()).toEqual({ for: 'ann' });
  });

  it('is alive without Redis, ready as long as it has a copy of the keyring, and not ready without one', async () => {
    await warm(`${service.origin}/readyz`, '');
    await redis.kill();
    try {
      expect(await statusOf('/livez')).toBe(200);
      expect(await statusOf('/readyz')).toBe(200);
      await service.end();
      service = await startExample('kubernetes/service.js', env());
      expect(await statusOf('/readyz')).toBe(503);
      expect(await statusOf('/livez')).toBe(200);
    } finally {
      await redis.restart();
    }
    await until('the pod is ready once Redis is back', async () => (await statusOf('/readyz')) === 200);
  });

  it('answers its probe where Redis stands still', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      expect(await statusOf('/readyz')).toBe(503);
      expect(await statusOf('/livez')).toBe(200);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it('is not ready any more at SIGTERM, answers what still comes, and ends with 0', async () => {
    await warm(service.origin, await token());
    const ended = service.end('SIGTERM');
    await until('it is not ready', async () => (await statusOf('/readyz')) === 503);
    const answer = await fetch(service.origin, { headers: { authorization: `Bearer ${await token()}` } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await ended).toBe(0);
  });

  it('finishes at SIGTERM the request that it has', async () => {
    await service.end();
    service = await startExample('kubernetes/service.js', { ...env(), DRAIN_SECONDS: '0' });
    const good = await token();
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const socket = connect(service.port, '127.0.0.1');
      let answers = '';
      socket.on('data', (chunk) => {
        answers += chunk;
      });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      // At once, so that the service has the second when it answers the first. That one waits for
      // Redis.
      const host = 'Host: localhost\r\n';
      socket.write(`GET /livez HTTP/1.1\r\n${host}\r\nGET / HTTP/1.1\r\n${host}Authorization: Bearer ${good}\r\n\r\n`);
      await until('the first answer', async () => answers.includes('200 OK'));
      expect(answers).not.toContain('503');
      expect(await service.end('SIGTERM')).toBe(0);
      await closed;
      expect(answers).toContain('HTTP/1.1 503 Service Unavailable');
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
  });

  it('is listed by its pod’s name', async () => {
    await warm(`${service.origin}/readyz`, '');
    await until('rewt status knows the pod', async () => {
      const { stdout } = await rewtProcess(['status', '--json', '--url', redis.url, '--namespace', 'example']);
      const { fleet } = JSON.parse(stdout) as { fleet: { members: { name: string; state: string }[] } };
      return fleet.members.some(({ name, state }) => name === 'orders-7d4b-x2x' && state === 'holds next');
    });
  });
});

describe('deployment.yaml', () => {
  it('probes what the service has', async () => {
    const paths = [...yaml.matchAll(/httpGet: \{ path: (\S+), port: http \}/g)].map(([, path]) => path);
    expect(paths).toEqual(['/livez', '/readyz']);
    await warm(`${service.origin}/readyz`, '');
    for (const path of paths) expect(await statusOf(path ?? ''), path).toBe(200);
    const port = /containerPort: (\d+)/.exec(yaml)?.[1];
    expect(yaml).toContain(`- name: PORT\n              value: "${port}"`);
  });

  it('names every variable that the service reads, and says the address of Redis by reference', () => {
    const program = textOf('kubernetes/service.js');
    const read = [...program.matchAll(/^const \{(.*)\} = process\.env;$/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim().split(' ')[0]),
    );
    const given = [...yaml.matchAll(/^ {12}- name: ([A-Z_]+)$/gm)].map(([, name]) => name);
    expect(given.sort()).toEqual(read.sort());
    expect(yaml).toMatch(/name: REDIS_URL\n +valueFrom:\n +secretKeyRef:/);
    // A comment shows how the secret is made; no field has an address.
    expect(yaml.replace(/^#.*$/gm, '')).not.toMatch(/rediss?:/);
  });

  it('leaves time for storeTimeout (1 s), within which ready() answers, and for what is left to do at the end', () => {
    expect(probe('readinessProbe', 'timeoutSeconds')).toBeGreaterThan(1);
    const drain = Number(/DRAIN_SECONDS\n +value: "(\d+)"/.exec(yaml)?.[1]);
    const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(yaml)?.[1]);
    expect(drain).toBeGreaterThanOrEqual(1);
    expect(grace).toBeGreaterThan(2 * drain);
    // As long as it takes to hear that a pod is not ready.
    expect(grace - drain).toBeGreaterThan(
      probe('readinessProbe', 'periodSeconds') * probe('readinessProbe', 'failureThreshold'),
    );
  });
});
