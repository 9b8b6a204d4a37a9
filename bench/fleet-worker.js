/** A process of the fleet: many members, each with a separate client. */

import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { Rewt } from '../dist/esm/index.js';
import { answer, ordered } from './child.js';

const { port, namespace, members, options } = ordered();
const rewts = [];
let inUse = false;

let heard = 0;
let wanted = { epoch: Number.POSITIVE_INFINITY, done() {} };
let allHeard;
subscribe('rewt:revoked', ({ epoch }) => {
  if (epoch < wanted.epoch) return;
  heard += 1;
  if (heard === rewts.length) wanted.done(performance.timeOrigin + performance.now());
});

answer({
  async start() {
    for (let n = 0; n < members; n += 1) {
      const client = createClient({ socket: { host: '127.0.0.1', port } });
      client.on('error', () => {});
      rewts.push(new Rewt({ ...options, redisConn: await client.connect(), redisNamespace: namespace }));
    }
    await Promise.all(rewts.map((rewt) => rewt.ready()));
    const state = options.push ? 'on' : 'off';
    while (!rewts.every((rewt) => rewt.status().push.state === state)) await sleep(10);
  },

  /** Every member verifies ten tokens a second, or tries to. */
  use() {
    inUse = true;
    for (const rewt of rewts) void use(rewt);
  },
  rest() {
    inUse = false;
  },

  expect(epoch) {
    heard = 0;
    allHeard = new Promise((resolve) => {
      wanted = { epoch, done: resolve };
    });
  },

  /** Answers with the instant from which no member takes the token any more. */
  async refused(token) {
    const atMs = await allHeard;
    // To be sure that a member that knows of it refuses.
    const [rewt] = rewts;
    const taken = await rewt.verify(token).then(
      () => true,
      (error) => error.status !== 401,
    );
    if (taken) throw new Error('a revoked token was taken');
    return atMs;
  },
});

async function use(rewt) {
  while (inUse) {
    await sleep(50 + Math.random() * 100);
    await rewt.verify(await rewt.sign({ sub: 'fleet' })).catch(() => {});
  }
}
