/**
 * A member in a separate process that signs and verifies without pause, and reports every
 * operation: when, on which token, with what result.
 * `node member.js <folder of the compiled library> <{ place, options } as JSON>`; tokens come and
 * go through its parent, by IPC.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect } from './clients.js';

const [, , dist, setting] = process.argv;
const { place, options } = JSON.parse(setting);

/**
 * A verification per turn, a token every tenth: leaves two cores room for four members and their
 * servers.
 */
const TURN_MS = 2;
const TURNS_PER_TOKEN = 10;
const TURNS_PER_REPORT = 20;
/** Users wait as well: while so many do, none is added. */
const MAX_WAITING = 100;
const MAX_KEPT = 5_000;
/** Ten times what was promised (storeTimeout), for machines that are busy. */
const MAX_ANSWER_MS = 10_000;

/** One clock for all processes of a machine. */
const nowMs = () => Number(process.hrtime.bigint() / 1_000n) / 1_000;

const { Rewt } = await import(pathToFileURL(join(dist, 'index.js')).href);
const rewt = new Rewt({ ...options, redisConn: await connect(place) });

/** Tokens that this member has not refused: { id, kid, endsMs, token }. */
let kept = [];
/** By kid, one token of each secret that this member has refused. */
const refused = new Map();
let done = [];
let seen = '';
let signed = 0;
let unanswered = 0;
let waiting = 0;
let running = true;

async function attempt(kind, call) {
  unanswered += 1;
  const startMs = nowMs();
  const outcome = await call().then(
    (value) => ({ value, code: null }),
    (error) => ({ code: error.code ?? String(error) }),
  );
  unanswered -= 1;
  return { kind, startMs, endMs: nowMs(), ...outcome };
}

async function sign() {
  signed += 1;
  const id = `${process.pid}/${signed}`;
  const { value, ...operation } = await attempt('sign', () => rewt.sign({ id }));
  done.push({ ...operation, token: id });
  if (value === undefined) return;
  // Before anybody sees the token: which keyring its secret belongs to.
  look();
  const [{ kid }, { exp }] = value.split('.', 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  process.send({ token: { id, kid, endsMs: nowMs() + exp * 1_000 - Date.now(), token: value } });
}

async function verify(entry) {
  const { value, ...operation } = await attempt('verify', () => rewt.verify(entry.token));
  done.push({ ...operation, token: entry.id });
  if (operation.code !== 'ERR_REWT_UNKNOWN_KEY' || refused.has(entry.kid)) return;
  // A caller that is refused comes back with another token. To go on with this one would be to read
  // the store, which shows more than this one.
  refused.set(entry.kid, entry);
  kept = kept.filter(({ kid }) => kid !== entry.kid);
}

async function receive(entry) {
  await verify(entry);
  if (refused.has(entry.kid)) return;
  if (kept.length < MAX_KEPT) kept.push(entry);
  else kept[Math.floor(Math.random() * MAX_KEPT)] = entry;
}

/** Verifies any of the tokens seen so far, young or at its very end. */
async function verifyAny() {
  const index = Math.floor(Math.random() * kept.length);
  const entry = kept[index];
  if (entry === undefined) return;
  if (nowMs() < entry.endsMs) return verify(entry);
  const last = kept.pop();
  if (index < kept.length) kept[index] = last;
}

/**
 * Tells which keyring this member holds, whenever it is another one, with the kids that belong to
 * it.
 */
function look() {
  const { keyring } = rewt.status();
  if (keyring === null) return null;
  const { lineage, epoch, current, next, retired } = keyring;
  const generation = `${lineage}/${epoch}`;
  const kids = [current, next, ...retired].map(({ kid }) => kid);
  const now = `${generation} ${kids}`;
  if (now !== seen) process.send({ seen: { generation, kids, atMs: nowMs() } });
  seen = now;
  return generation;
}

function report() {
  process.send({ done });
  done = [];
}

async function counted(operation) {
  if (waiting === MAX_WAITING) return;
  waiting += 1;
  await operation();
  waiting -= 1;
}

async function traffic() {
  for (let turn = 1; running; turn += 1) {
    if (turn % TURNS_PER_TOKEN === 0) void counted(sign);
    void counted(verifyAny);
    if (turn % 5 === 0) look();
    if (turn % TURNS_PER_REPORT === 0) report();
    await setTimeout(TURN_MS);
  }
}

const verbs = {
  async start() {
    await rewt.ready();
    look();
    void traffic();
  },
  status: () => rewt.status(),
  async rotate() {
    await rewt.rotate({ force: true });
  },
  async revoke() {
    const { value, ...revocation } = await attempt('revoke', () => rewt.revoke());
    const generation = value === undefined ? null : `${rewt.status().keyring?.lineage}/${value.epoch}`;
    look();
    return { ...revocation, generation };
  },
  /** Whether any secret that was refused once has come back. */
  async recall() {
    await Promise.all([...refused.values()].map(verify));
  },
  async stop() {
    running = false;
    const giveUpMs = nowMs() + MAX_ANSWER_MS;
    while (unanswered > 0) {
      if (nowMs() > giveUpMs) throw new Error(`${unanswered} operations have not been answered`);
      await setTimeout(TURN_MS);
    }
    report();
  },
};

process.on('message', async ({ token, number, verb }) => {
  if (token) return running && receive(token);
  try {
    process.send({ number, value: await verbs[verb]() });
  } catch (error) {
    process.send({ number, error: error.code ?? String(error) });
  }
});
// A parent that has gone needs no member.
process.on('disconnect', () => process.exit());
process.send({ number: 0 });
