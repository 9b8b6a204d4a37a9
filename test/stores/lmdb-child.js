/**
 * Another process on the same folder: `node lmdb-child.js <compiled folder> <data folder> <verb> [<second compiled folder>]`.
 * Says on stdout how it went, one JSON value per line.
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [compiled, path, verb, compiledCjs] = process.argv.slice(2);
const { lmdbStore } = await import(pathToFileURL(join(compiled, 'stores/lmdb.js')).href);
const store = lmdbStore({ path });
const limits = { timeoutMs: 10_000 };
const say = (word) => process.stdout.write(`${JSON.stringify(word)}\n`);

/** One attempt to count up by one; K and the ring hold the same number. */
async function increment(filling = '', on = store) {
  const { nowMs, ring, version } = await on.read('rewt', limits);
  const count = JSON.parse(ring ?? '{"count":0}').count + 1;
  const wanted = {
    key: { value: `secret ${count}`, expiresAtMs: nowMs + 600_000 },
    ring: { text: JSON.stringify({ count, op: randomUUID(), filling }), expiresAtMs: nowMs + 600_000 },
  };
  const { swapped } = await on.swap('rewt', version, wanted, { ...limits, notAfterMs: nowMs + 10_000 });
  return swapped;
}

async function incrementTimes(times, on = store) {
  for (let done = 0; done < times; ) if (await increment('', on)) done += 1;
}

const verbs = {
  read: async () => say(await store.read('rewt', limits)),
  increment: () => incrementTimes(1),
  incrementOften: () => incrementTimes(500),
  async incrementForEver() {
    await increment();
    say('started');
    for (;;) await increment('x'.repeat(20_000));
  },
  /** Two copies of the module, imported and required, on the same folder at once. */
  async incrementFromTwoCopies() {
    const other = createRequire(import.meta.url)(join(compiledCjs, 'stores/lmdb.js')).lmdbStore({ path });
    await Promise.all([incrementTimes(50), incrementTimes(50, other)]);
    await store.close();
    await incrementTimes(1, other);
  },
  /** Takes the lock that a member has while it opens or writes, and keeps it until it is killed. */
  async hold() {
    await increment();
    const { open } = await import('lmdb');
    open({ path: join(path, 'gate'), noSubdir: false }).transactionSync(() => {
      say('held');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });
  },
  /** Grows the ring until the disk will not take it. */
  async fill() {
    await increment();
    for (let size = 1_000; size < 10_000_000; size *= 2) await increment('x'.repeat(size));
  },
  /** Reads as a user who owns nothing here. The package is loaded before, in case that user may not read it either. */
  async readAsNobody() {
    await lmdbStore({ path: join(compiled, 'warm') }).read('rewt', limits);
    if (process.getuid() === 0) process.seteuid(65_534);
    await store.read('rewt', limits);
  },
};

try {
  await verbs[verb]();
} catch ({ name, code, option, message }) {
  say({ name, code, option, message });
  const after = await store.read('rewt', limits).catch((error) => error);
  say(after.ring ? { count: JSON.parse(after.ring).count } : { code: after.code });
}
