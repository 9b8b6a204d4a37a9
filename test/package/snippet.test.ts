/**
 * The first rewt's example, word for word, with every client that its users may have under the name
 * `redis`.
 */
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../support/servers.js';
import { installPackage, node, project, type Scratch } from './scratch.js';

/** Only the port differs, and there are lines that say what came. */
const snippet = (port: number) => `
const redis = require('redis');
const Rewt = require('rewt');

let rewt = new Rewt({
  redisConn: redis.createClient('redis://localhost:${port}'),
  redisNamespace: 'foobar',
  ttl: 60 * 60
});

rewt.sign({ username: 'a@b.c' }, (err, signed) => {
  console.log('sign', err);

  rewt.verify(signed, (err, payload) => {
    console.log('verify', err, payload.username);
    done();
  });
});
`;
const outcome = ['sign null', 'verify null a@b.c'];

/** What its user does at the end, with the client at hand. */
function withClient(created: string, done: string): (port: number) => string {
  return (port) => {
    const client = `const client = require('redis').createClient(${created.replace('PORT', String(port))});`;
    const program = snippet(port).replace(/redis\.createClient\(.*\)/, 'client');
    return `${client}\n${program}\nasync function done() { ${done} }\n`;
  };
}

let scratch: Scratch;
let server: RedisServer;
beforeAll(async () => {
  [scratch, server] = await Promise.all([installPackage(), startRedis()]);
});
afterAll(() => Promise.all([scratch?.remove(), server?.stop()]));
beforeEach(async () => {
  await server.cli('FLUSHALL');
});
afterEach(async () => {
  expect(await server.cli('EXISTS', 'foobar:rewt-secret'), 'the secret is on this server').toBe('1');
});

/**
 * Runs a program in a folder whose `node_modules/redis` is the given package, with its own
 * dependencies beside it.
 */
async function runWith(client: string, program: string, ...nodeOptions: string[]): Promise<string[]> {
  const folder = await mkdtemp(join(scratch.folder, 'snippet-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(project, 'node_modules', client), join(folder, 'node_modules/redis'), 'dir');
  await writeFile(join(folder, 'program.cjs'), program);
  const output = await node(folder, ...nodeOptions, 'program.cjs');
  return output.split('\n');
}

const url = "'redis://localhost:PORT'";

describe.each([
  ['redis 2.8', 'redis2'],
  ['redis 3.1', 'redis3'],
  ['ioredis 6', 'ioredis'],
])('the original example with %s', (_name, client) => {
  it('signs and verifies', async () => {
    const exits = 'function done() { process.exit(); }';
    expect(await runWith(client, snippet(server.port) + exits)).toEqual(outcome);
  });

  it('lets the process end when the client does', async () => {
    const program = withClient(url, "client.quit(() => console.log('quit'));");
    expect(await runWith(client, program(server.port))).toEqual([...outcome, 'quit']);
  });
});

describe('the original example with redis 6', () => {
  /**
   * redis 4 and later take no URL as a string: they overlook it, and go to localhost:6379, whatever
   * it says. So the server has to be there.
   */
  const moved = (port: number) => `
const net = require('node:net');
const { createConnection } = net;
net.createConnection = (options) => createConnection(options.port === 6379 ? { ...options, port: ${port} } : options);
`;

  it('signs and verifies, and lets the process end', async () => {
    const preload = join(scratch.folder, 'moved.cjs');
    await writeFile(preload, moved(server.port));
    expect(await runWith('redis', `${snippet(6379)}function done() {}`, '--require', preload)).toEqual(outcome);
  });

  it('leaves the client to its user, who opens and closes it', async () => {
    const done =
      "await client.connect(); console.log(await client.ping()); await client.close(); console.log('closed');";
    const program = withClient(`{ url: ${url} }`, done);
    expect(await runWith('redis', program(server.port))).toEqual([...outcome, 'PONG', 'closed']);
  });

  it('works as well with a client that its user has opened', async () => {
    const program = withClient(`{ url: ${url} }`, "await client.close(); console.log('closed');");
    const opened = program(server.port).replace(/createClient\(.*\);/, '$&\nclient.connect();');
    expect(await runWith('redis', opened)).toEqual([...outcome, 'closed']);
  });
});
