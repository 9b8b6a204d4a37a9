/**
 * A member in a separate process or thread: does what its parent asks, and answers under the same
 * number. `node member.js <folder of the compiled library> <place as JSON>`, where a place is {
 * redis: port, client } or { folder }.
 */
import { connect as connectTo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';

const [, , dist, placeJson] = process.argv;

const answer = (message) => (parentPort === null ? process.send(message) : parentPort.postMessage(message));
(parentPort ?? process).on('message', async ({ number, verb, order }) => {
  try {
    answer({ number, value: await verbs[verb](order) });
  } catch (error) {
    answer({ number, error: error.code ?? String(error) });
  }
});
answer({ number: 0 });
// A parent that has gone needs no member.
process.on('disconnect', () => process.exit());

const ready = start(JSON.parse(placeJson));
let rewt;

/**
 * Answers with what a new Rewt takes: this process has one connection, or one store, for all of
 * them.
 */
async function start(place) {
  const { Rewt, fileStore } = await import(pathToFileURL(join(dist, 'index.js')).href);
  if (place.folder) return { Rewt, shared: { store: fileStore({ path: place.folder }) } };
  const address = { host: '127.0.0.1', port: place.redis };
  if (place.client === 'ioredis') {
    const { Redis } = await import('ioredis');
    return { Rewt, shared: { redisConn: new Redis(address) } };
  }
  const { createClient } = await import('redis');
  return { Rewt, shared: { redisConn: await createClient({ socket: address }).connect() } };
}

async function enter(namespace, options) {
  const { Rewt, shared } = await ready;
  await rewt?.close();
  rewt = new Rewt({ ...shared, redisNamespace: namespace, ...options });
}

const heard = { accepted: 0, refused: {}, late: 0, kids: new Set() };
const sent = { count: 0, running: true };

const verbs = {
  /** A fresh member signs its first token, at `atMs` by everybody's clock. */
  async sign({ namespace, options, payload, atMs }) {
    await enter(namespace, options);
    if (atMs > Date.now()) await setTimeout(atMs - Date.now());
    return rewt.sign(payload);
  },

  /** The same member signs once more. */
  signAgain: ({ payload }) => rewt.sign(payload),

  /** Verifies tokens, and tells what the store holds after that. */
  async verify({ tokens }) {
    const payloads = await Promise.all(tokens.map((token) => rewt.verify(token)));
    await rewt.ready();
    return { payloads, keyring: rewt.status().keyring };
  },

  /** Enters, reads the keyring, and leaves nothing to the first operation. */
  async join({ namespace, options }) {
    await enter(namespace, options);
    await rewt.ready();
  },

  /** Signs once, verifies the tokens of others, and answers with the codes of all that failed. */
  async exchange({ tokens }) {
    const failed = [];
    const work = [rewt.sign({}), ...tokens.map((token) => rewt.verify(token))];
    const outcomes = await Promise.allSettled(work);
    for (const [index, { reason }] of outcomes.entries()) {
      // A machine that kept a token waiting until it had ended proves nothing.
      if (reason !== undefined && !(index > 0 && Date.now() >= endOf(tokens[index - 1])))
        failed.push(String(reason.code ?? reason));
    }
    return { token: outcomes[0].value ?? null, failed };
  },

  rotate: async () => (await rewt.rotate({ force: true })).kid,
  leave: () => rewt.close(),

  /** Revokes, and answers with the new kid. */
  async revoke() {
    return (await rewt.revoke()).kid;
  },

  /**
   * Verifies every token that arrives at a port, one a line; one in fifty again half a second
   * before it ends.
   */
  async listen({ namespace, options }) {
    await enter(namespace, options);
    const server = createServer((socket) => createInterface(socket).on('line', hear));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server.address().port;
  },
  heard: () => ({ ...heard, kids: [...heard.kids] }),

  /** Sends a token for each millisecond that passes, until `stopSending`. */
  async startSending({ namespace, options, port }) {
    await enter(namespace, options);
    const socket = connectTo(port, '127.0.0.1');
    socket.setNoDelay(true);
    const begunMs = performance.now();
    sent.done = (async () => {
      while (sent.running) {
        const due = Math.floor(performance.now() - begunMs) - sent.count;
        const tokens = await Promise.all(
          Array.from({ length: due }, (_, index) => rewt.sign({ number: sent.count + index })),
        );
        for (const token of tokens) socket.write(`${token}\n`);
        sent.count += due;
        await setTimeout(1);
      }
      socket.end();
      return { count: sent.count, elapsedMs: performance.now() - begunMs };
    })();
  },
  async stopSending() {
    sent.running = false;
    return sent.done;
  },

  /** Rotates until it is killed; answers after the first time. */
  async rotateForEver({ namespace, options }) {
    await enter(namespace, options);
    await rewt.rotate({ force: true });
    void rotateOn();
  },
};

async function rotateOn() {
  for (;;) {
    // Refused while too many retired secrets still verify.
    await rewt.rotate({ force: true }).catch(() => setTimeout(1));
  }
}

async function hear(token) {
  const { number } = payloadOf(token);
  const endMs = endOf(token);
  await accept(token, endMs);
  if (number % 50 !== 0) return;
  await setTimeout(Math.max(0, endMs - Date.now() - 500));
  await accept(token, endMs);
}

const payloadOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const endOf = (token) => payloadOf(token).exp * 1_000;

async function accept(token, endMs) {
  try {
    const { header } = await rewt.verifyComplete(token);
    heard.accepted += 1;
    heard.kids.add(header.kid);
  } catch (error) {
    // A machine that kept it waiting until it had ended proves nothing.
    if (Date.now() >= endMs) heard.late += 1;
    else heard.refused[error.message] = (heard.refused[error.message] ?? 0) + 1;
  }
}
