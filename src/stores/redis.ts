/** The Redis store: one script reads both keys, another swaps them, both by the server's clock. */

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../deadline.js';
import { StoreError } from '../errors.js';
import { connectRedis } from '../redis/connect.js';
import { asRedisPort } from '../redis/detect.js';
import { asStoreError, isPassing } from '../redis/failure.js';
import { ANNOUNCE, ANNOUNCEMENTS, asAnnouncements, entryOf } from '../redis/fleet.js';
import { redisNames } from '../redis/names.js';
import { asError } from '../redis/outcomes.js';
import type { Command, Outcomes, RedisPort, Reply } from '../redis/port.js';
import { acknowledgedReplicas } from '../redis/replicas.js';
import { Route } from '../redis/route.js';
import { draftOf, READ, SWAP } from '../redis/scripts.js';
import { watchKeys } from '../redis/tracking.js';
import { ANNOUNCEMENT_LIFE_MS, type KeyEntry, LAST_INSTANT_MS, type Snapshot, type Store } from './store.js';

/** How long a draft outlives the deadline of its swap, which by then has taken it or never will. */
const DRAFT_GRACE_MS = 5_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 200;
/** What Redis said last is told a little before the time is over, when all that is left to say is that it was. */
const GRACE_MS = 25;

/**
 * The store for what a user gave as `redisConn`: a client, which stays the user's, or a URL.
 *
 * @throws {OptionError} naming `redisConn` or `redisNamespace`: at once, before anything is sent
 */
export function redisStoreFor(redisConn: object | string, namespace: string): Store {
  const port = typeof redisConn === 'string' ? connectRedis(redisConn) : asRedisPort(redisConn);
  // Throws where the name cannot be kept in one hash slot.
  redisNames(namespace, port.keyPrefix);
  return redisStore(port);
}

/** A store on one Redis, which every process with the same Redis and namespace shares. Closing it closes the port. */
export function redisStore(port: RedisPort): Store {
  let closed = false;
  /** By namespace, the ring that was written last: what replicas are asked about. */
  const written = new Map<string, string>();
  /** By namespace and member, what was announced last: it goes when something else is. */
  const announced = new Map<string, string>();

  /** By scope. */
  const routes = new Map<string, Route>();

  function routeFor(key: string): Route {
    const scope = port.scope(key);
    const route = routes.get(scope) ?? new Route(port, key);
    routes.set(scope, route);
    return route;
  }

  function ask(commands: readonly Command[], key: string, timeoutMs: number): Promise<Reply> {
    return askBy(routeFor(key), (route) => route.send(commands), timeoutMs);
  }

  /** Sends until there is an answer or a failure that lasts; throws at the deadline, whatever the client does. */
  async function askBy(route: Route, send: (route: Route) => Promise<Outcomes>, timeoutMs: number): Promise<Reply> {
    const begunAtMs = performance.now();
    const deadlineMs = begunAtMs + timeoutMs;
    let last: StoreError | undefined;
    const asking = async (): Promise<Reply> => {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        if (closed) throw closedError();
        const outcomes = await send(route).catch((error: unknown) => [asError(error)]);
        if (closed) throw closedError();
        const error = failureAmong(outcomes);
        if (error === null) return (outcomes.at(-1) ?? null) as Reply;
        // All scripts may be sent again: a swap is known by its text and done no later than its last instant, the others change nothing by it.
        last = asStoreError(error);
        if (!isPassing(error) || performance.now() + pauseMs + GRACE_MS >= deadlineMs) throw last;
        await sleep(pauseMs);
      }
    };
    return within(timeoutMs, asking(), () => {
      route.timedOut(begunAtMs);
      // What Redis said before says more than its silence now.
      if (last !== undefined) return last;
      return new StoreError(
        'ERR_REWT_STORE_TIMEOUT',
        'Redis did not answer in time: see whether it is up and reachable (and whether it speaks TLS, if the URL says rediss), or allow a longer storeTimeout.',
      );
    });
  }

  return {
    kind: 'redis',
    local: false,
    async read(namespace, { timeoutMs, isHeld }) {
      const { key, ring, draft } = redisNames(namespace, port.keyPrefix);
      const commands: readonly Command[] = [['EVAL', READ, '2', key, ring, draft('role')]];
      const shows = isHeld ? (outcomes: Outcomes) => showsHeld(outcomes, isHeld) : null;
      return asAnswer(await askBy(routeFor(key), (route) => route.read(commands, shows), timeoutMs)).snapshot;
    },
    async swap(namespace, expected, wanted, { timeoutMs, notAfterMs }) {
      const names = redisNames(namespace, port.keyPrefix);
      const draft = names.draft(randomBytes(12).toString('base64url'));
      const text = draftOf(expected, wanted.key?.value ?? null, wanted.ring.text);
      const reply = await ask(
        [
          ['SET', draft, text, 'PX', milliseconds(timeoutMs + DRAFT_GRACE_MS)],
          [
            'EVAL',
            SWAP,
            '3',
            names.key,
            names.ring,
            draft,
            sha1(wanted.ring.text),
            milliseconds(notAfterMs),
            milliseconds(wanted.key?.expiresAtMs ?? 0),
            milliseconds(wanted.ring.expiresAtMs),
          ],
        ],
        names.key,
        timeoutMs,
      );
      const { outcome, snapshot } = asAnswer(reply);
      if (outcome === 'swapped') written.set(namespace, wanted.ring.text);
      return { swapped: outcome === 'swapped', snapshot };
    },
    acknowledged(namespace, by) {
      const names = redisNames(namespace, port.keyPrefix);
      const route = routeFor(names.key);
      const onRoute = { ...port, send: (commands: readonly Command[]) => route.send(commands) };
      return acknowledgedReplicas(onRoute, names, written.get(namespace), by);
    },
    watch: (namespace, onSuspect) => watchKeys(port, redisNames(namespace, port.keyPrefix), onSuspect),
    async announce(namespace, id, text, { timeoutMs }) {
      const { key, fleet } = redisNames(namespace, port.keyPrefix);
      const whose = JSON.stringify([namespace, id]);
      const before = announced.get(whose) ?? '';
      const entry = text === null ? '' : entryOf(id, text);
      // Remembered before it is sent: one that was given up may have been written all the same.
      if (entry === '') announced.delete(whose);
      else announced.set(whose, entry);
      await ask([['EVAL', ANNOUNCE, '1', fleet, before, entry, String(ANNOUNCEMENT_LIFE_MS)]], key, timeoutMs);
    },
    async announcements(namespace, { timeoutMs }) {
      const { key, fleet } = redisNames(namespace, port.keyPrefix);
      return asAnnouncements(await ask([['EVAL', ANNOUNCEMENTS, '1', fleet]], key, timeoutMs)) ?? notTheAnswer();
    },
    caveats: port.caveats,
    async close() {
      closed = true;
      await port.close();
    },
  };
}

interface Answer {
  readonly outcome: string;
  readonly snapshot: Snapshot;
}

/** The first error: where the draft was refused, that is the reason, and the script's "late" only what came of it. */
function failureAmong(outcomes: readonly (Reply | Error)[]): Error | null {
  const script = outcomes.at(-1);
  // Done all the same, by a sending before this one.
  if (Array.isArray(script) && script[0] === 'swapped') return null;
  return outcomes.find((outcome) => outcome instanceof Error) ?? null;
}

function showsHeld(outcomes: Outcomes, isHeld: (ring: string) => boolean): boolean {
  const script = outcomes.at(-1);
  return isAnswer(script) && script[5] !== '' && isHeld(script[5]);
}

/** What both scripts return (scripts.ts). */
function asAnswer(reply: Reply): Answer {
  if (!isAnswer(reply)) return notTheAnswer();
  const [outcome, now, key, keyTtlMs, keyDigest, ring, ringDigest, deposed] = reply;
  const nowMs = Number(now);
  return {
    outcome,
    snapshot: {
      nowMs,
      key: keyDigest === '' ? null : asKeyEntry(key, keyDigest, nowMs, Number(keyTtlMs)),
      ring: ringDigest === '' ? null : ring,
      version: `${keyDigest}:${ringDigest}`,
      mayBeDeposed: deposed !== '',
    },
  };
}

type AnswerReply = readonly [
  outcome: string,
  now: string,
  key: string,
  keyTtlMs: string,
  keyDigest: string,
  ring: string,
  ringDigest: string,
  deposed: string,
];

function isAnswer(reply: unknown): reply is AnswerReply {
  if (!Array.isArray(reply) || reply.length !== 8 || !reply.every((part) => typeof part === 'string')) return false;
  const [, now, , keyTtlMs] = reply as string[];
  return /^\d+$/.test(now ?? '') && /^-?\d+$/.test(keyTtlMs ?? '');
}

/** Clients decode replies as UTF-8, whatever they are: the text is the true one only if it has the digest of the true bytes. */
function asKeyEntry(text: string, digest: string, nowMs: number, ttlMs: number): KeyEntry {
  return {
    value: sha1(text) === digest ? text : null,
    expiresAtMs: ttlMs < 0 ? null : Math.min(nowMs + ttlMs, LAST_INSTANT_MS),
  };
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** Redis takes whole milliseconds only. */
function milliseconds(ms: number): string {
  return Math.floor(ms).toFixed(0);
}

function notTheAnswer(): never {
  throw new StoreError(
    'ERR_REWT_STORE_DOWN',
    'Redis answered with something that is not the answer to the question: see what stands between rewt and Redis (a proxy, another server).',
  );
}

function closedError(): StoreError {
  return new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
}
