/**
 * A writer or a reader of a storm, in a separate process or thread. It reports by appending lines
 * to a file, so that what it did is known however it ends:
 * `node life.js <compiled library> <writer|reader> <path> <log> <id>`.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';

const [, , dist, role, path, logFile, id] = process.argv;
const limits = { timeoutMs: 60_000 };
const log = openSync(logFile, 'a');
const say = (...words) => void writeSync(log, `${words.join(' ')}\n`);
/** The same clock in every process of this machine. */
const nowUs = () => process.hrtime.bigint() / 1_000n;

let isEnding = false;
(parentPort ?? process).on('message', () => {
  isEnding = true;
});
process.on('disconnect', () => process.exit());

const { fileStore } = await import(pathToFileURL(join(dist, 'index.js')).href);

/**
 * A ring as writers make it: its number, who made it, and whose it replaced; with an end, so that a
 * part of it is none.
 */
const ringOf = (number, name, parent) =>
  JSON.stringify({ number, name, parent, pad: 'x'.repeat((number * 997) % 9_000), end: name });

/** What a writer put into a ring; null if that is not all there. */
function parse(ring) {
  if (ring === null) return { number: 0, name: '-' };
  try {
    const { number, name, pad, end } = JSON.parse(ring);
    if (end === name && pad.length === (number * 997) % 9_000) return { number, name };
  } catch {}
  say('torn', JSON.stringify(ring.slice(0, 60)));
  return null;
}

async function write(store, name) {
  const { ring, version, nowMs } = await store.read('storm', limits);
  const before = parse(ring);
  if (before === null) return;
  const text = ringOf(before.number + 1, name, before.name);
  say('try', name, before.name, before.number + 1);
  const wanted = { key: null, ring: { text, expiresAtMs: nowMs + 86_400_000 } };
  try {
    const { swapped, snapshot } = await store.swap('storm', version, wanted, { ...limits, notAfterMs: nowMs + 60_000 });
    say(swapped ? 'done' : 'conflict', name, nowUs());
    parse(snapshot.ring);
  } catch (error) {
    say('unknown', name, error.code ?? error, error.message);
  }
}

/** What was read, with the last instant at which a call that gave it began. */
let shown = { number: -1, name: '', atUs: 0n, reads: 0 };
function show({ number, name }, atUs) {
  if (name !== shown.name) {
    flush();
    shown = { number, name, atUs, reads: 0 };
  }
  shown.atUs = atUs;
  shown.reads += 1;
}
function flush() {
  if (shown.reads > 0) say('read', shown.name, shown.number, shown.atUs, shown.reads);
}

async function read(store) {
  const atUs = nowUs();
  const { ring, version } = await store.read('storm', limits);
  const found = parse(ring);
  if (found === null) return;
  show(found, atUs);
  for (let look = 0; look < 20; look += 1) {
    const lookedUs = nowUs();
    if (!store.isUnchanged('storm', version)) return;
    // A look may be remembered for a millisecond.
    show(found, lookedUs - 1_000n);
    await setImmediate();
  }
}

say('begun', process.pid, process.geteuid?.());
let store = fileStore({ path });
for (let turn = 1; !isEnding; turn += 1) {
  // A new store holds nothing, so that it has to list and to open.
  if (turn % 16 === 0) {
    await store.close();
    store = fileStore({ path });
  }
  await (role === 'writer' ? write(store, `${id}.${turn}`) : read(store));
  await setImmediate();
}
flush();
await store.close();
say('ended');
process.exit();
