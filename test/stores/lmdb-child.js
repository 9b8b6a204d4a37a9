/** Another process on the same folder: `node lmdb-child.js <compiled folder> <data folder> <verb>`. Says on stdout how it went. */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [compiled, path, verb] = process.argv.slice(2);
const { lmdbStore } = await import(`${pathToFileURL(compiled)}/stores/lmdb.js`);
const store = lmdbStore({ path });
const limits = { timeoutMs: 10_000 };
const say = (word) => process.stdout.write(`${JSON.stringify(word)}\n`);

/** One attempt to count up by one; K and the ring hold the same number. */
async function increment(filling = '') {
  const { nowMs, ring, version } = await store.read('rewt', limits);
  const count = JSON.parse(ring ?? '{"count":0}').count + 1;
  const wanted = {
    key: { value: `secret ${count}`, expiresAtMs: nowMs + 600_000 },
    ring: { text: JSON.stringify({ count, op: randomUUID(), filling }), expiresAtMs: nowMs + 600_000 },
  };
  const { swapped } = await store.swap('rewt', version, wanted, { ...limits, notAfterMs: nowMs + 10_000 });
  return swapped;
}

const verbs = {
  async increment500() {
    for (let done = 0; done < 500; ) if (await increment()) done += 1;
    say('done');
  },
  async incrementForEver() {
    await increment();
    say('started');
    for (;;) await increment('x'.repeat(20_000));
  },
  /** Takes LMDB's write lock and keeps it until it is killed. */
  async hold() {
    await increment();
    const { open } = await import('lmdb');
    open({ path, noSubdir: false, encoding: 'string', keyEncoding: 'binary' }).transactionSync(() => {
      say('held');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });
  },
  /** Grows the ring until the disk will not take it. */
  async fill() {
    await increment();
    for (let size = 1_000; size < 10_000_000; size *= 2) await increment('x'.repeat(size));
  },
  async read() {
    say(await store.read('rewt', limits));
  },
  /** Reads, and then just ends, without closing anything. */
  async end() {
    await increment();
  },
};

try {
  await verbs[verb]();
} catch ({ name, code, option, message }) {
  say({ name, code, option, message });
  await setImmediate();
  const after = await store.read('rewt', limits).catch((error) => ({ code: error.code }));
  say({ count: after.ring ? JSON.parse(after.ring).count : after.code });
}
