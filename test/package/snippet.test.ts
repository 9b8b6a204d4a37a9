/** The first rewt's example, word for word, with every client that its users may have under the name `redis`. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers.js';
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

/** The same with the client at hand, and with what its user does afterwards. */
const withClient = (client: string, afterwards: string) => (port: number) =>
  `const client = require('redis').createClient(${client.replace('PORT', String(port))});\n` +
  snippet(port).replace(/redis\.createClient\(.*\)/, 'client') +
  `async function done() { ${afterwards} }\n`;

const url = "'redis://localhost:PORT'";
const quit = "client.quit(() => console.log('quit'));";

let scratch: Scratch;
let server: RedisServer;
beforeAll(async () => {
  [scratch, server] = await Promise.all([installPackage(), startRedis()]);
});
afterAll(() => Promise.all([scratch?.remove(), server?.stop()]));
