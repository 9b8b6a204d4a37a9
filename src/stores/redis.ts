/** The Redis store: one script reads both keys, another swaps them, both by the server's clock. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../deadline.js';
import { StoreError } from '../errors.js';
import { type Answer, asAnswer, notTheAnswer, sha1, showsHeld } from '../redis/answer.js';
import { asRedisPort } from '../redis/detect.js';
import { asStoreError, isPassing } from '../redis/failure.js';
import { ANNOUNCE, ANNOUNCEMENTS, asAnnouncements, COPY_FLEET, entryOf } from '../redis/fleet.js';
import { redisNames } from '../redis/names.js';
import { asError } from '../redis/outcomes.js';
import { asCompared, hiddenRing, isBeforeIn, type Place, placeAt } from '../redis/places.js';
import type { Command, Outcomes, RedisPort, Reply } from '../redis/port.js';
import { acknowledgedReplicas } from '../redis/replicas.js';
import { keyRules } from '../redis/rights.js';
import { Route } from '../redis/route.js';
import { draftOf, READ, SWAP } from '../redis/scripts.js';
import { sharedRedis } from '../redis/shared.js';
import { watchKeys } from '../redis/tracking.js';
import {
  ANNOUNCEMENT_LIFE_MS,
  type ReadLimits,
  type Snapshot,
  type Store,
  type SwapAnswer,
  type SwapLimits,
  type WantedState,
} from './store.js';

/** How long a draft outlives the deadline of its swap, which by then has taken it or never will. */
const DRAFT_GRACE_MS = 5_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 200;
/** What Redis said last is told a little before the time is over, when all that is left to say is that it was. */
const GRACE_MS = 25;

/**
 * The store for what a user gave as `redisConn`: a client, which stays the user's, or a URL.
 *
 * @param keyPrefix for a URL; a client has its own
 * @throws {OptionError} naming `redisConn` or `redisNamespace`: at once, before anything is sent
 */
export function redisStoreFor(redisConn: object | string, namespace: string, keyPrefix = ''): Store {
  const port = typeof redisConn === 'string' ? sharedRedis(redisConn, keyPrefix) : asRedisPort(redisConn);
  try {
    // Throws where the name cannot be kept in one hash slot.
    redisNames(namespace, port.keyPrefix);
  } catch (error) {
    void port.close();
    throw error;
  }
  return redisStore(port);
}

export interface RedisStore extends Store {
  /** Whether a snapshot of this version shows a ring under the name without the key prefix in front. */
  hasOldName(version: string): boolean;
  /** As `swap`, but the ring gets the name with the key prefix, and the one under the other name goes. For `rewt move`. */
  move(namespace: string, expected: string, wanted: WantedState, limits: SwapLimits): Promise<SwapAnswer>;
}

/** A store on one Redis, which every process with the same Redis and namespace shares. Closing it closes the port. */
export function redisStore(port: RedisPort): RedisStore {
  let closed = false;
  /** By namespace, whether its ring was last seen under the name without the key prefix in front. It stays there, also if it is lost. */
  const isBefore = new Map<string, boolean>();
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
    return askBy(key, (route) => route.send(commands), timeoutMs);
  }

  /** Sends until there is an answer or a failure that lasts; throws at the deadline, whatever the client does. */
  async function askBy(key: string, send: (route: Route) => Promise<Outcomes>, timeoutMs: number): Promise<Reply> {
    const route = routeFor(key);
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
        last = asStoreError(error, port.address(), keyRules(key, port.keyPrefix));
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
        'Redis did not answer in time: see whether it is up and reachable (and whether it speaks TLS, if the URL says rediss), or allow a longer `storeTimeout`.',
      );
    });
  }

  const placeOf = (namespace: string): Place =>
    placeAt(redisNames(namespace, port.keyPrefix), isBefore.get(namespace) ?? false);

  async function readAt(namespace: string, place: Place, limits: ReadLimits): Promise<Snapshot> {
    const { names, other } = place;
    const { timeoutMs, isHeld, replacesWrongType } = limits;
    const mode = replacesWrongType ? 'replaces' : '';
    const command: Command = ['EVAL', READ, '2', names.key, names.ring, names.draft('role'), other?.ring ?? '', mode];
    const shows = isHeld ? (outcomes: Outcomes) => showsHeld(outcomes, isHeld) : null;
    const reply = await askBy(names.key, (route) => route.read([command], shows), timeoutMs);
    const { snapshot, found } = answerAt(namespace, place, reply);
    if (snapshot.ring !== null || isBefore.has(namespace)) return snapshot;
    // A keyring that this user cannot see must not be begun again beside itself.
    if (found.otherDigest === 'denied' && !place.isBefore && snapshot.key !== null) throw hiddenRing();
    if (place.isBefore) isBefore.set(namespace, true);
    return snapshot;
  }

  async function swapAt(
    namespace: string,
    toOldName: boolean,
    expected: string,
    wanted: WantedState,
    { timeoutMs, notAfterMs }: SwapLimits,
  ): Promise<SwapAnswer> {
    const place = placeAt(redisNames(namespace, port.keyPrefix), toOldName);
    const { names, other } = place;
    const draft = names.draft(randomBytes(12).toString('base64url'));
    const text = draftOf(asCompared(expected, place), wanted.key?.value ?? null, wanted.ring.text);
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
          other?.ring ?? '',
        ],
      ],
      names.key,
      timeoutMs,
    );
    const { outcome, snapshot } = answerAt(namespace, place, reply);
    return { swapped: outcome === 'swapped', snapshot };
  }

  function answerAt(namespace: string, place: Place, reply: Reply): Answer {
    const answer = asAnswer(reply, place);
    const where = isBeforeIn(answer.snapshot.version);
    if (where !== null && place.other !== null) isBefore.set(namespace, where);
    return answer;
  }

  return {
    kind: 'redis',
    local: false,
    async read(namespace, limits) {
      const begunAtMs = performance.now();
      const place = placeOf(namespace);
      try {
        return await readAt(namespace, place, limits);
      } catch (error) {
        if (place.other === null || !isDenied(error)) throw error;
        // The user may have a right to one of the names only.
        const otherPlace = placeAt(redisNames(namespace, port.keyPrefix), !place.isBefore);
        const leftMs = limits.timeoutMs - (performance.now() - begunAtMs);
        return readAt(namespace, otherPlace, { ...limits, timeoutMs: leftMs }).catch((again) => {
          throw isDenied(again) ? error : again;
        });
      }
    },
    swap: (namespace, expected, wanted, limits) =>
      swapAt(namespace, isBeforeIn(expected) ?? isBefore.get(namespace) ?? false, expected, wanted, limits),
    hasOldName: (version) => isBeforeIn(version) === true,
    async move(namespace, expected, wanted, limits) {
      const { key, fleet, before } = redisNames(namespace, port.keyPrefix);
      if (before !== null) {
        await ask([['EVAL', COPY_FLEET, '2', before.fleet, fleet]], key, limits.timeoutMs).catch((error) => {
          // The command has warned that it cannot see the members.
          if (!isDenied(error)) throw error;
        });
      }
      return swapAt(namespace, false, expected, wanted, limits);
    },
    acknowledged(namespace, by) {
      const { names } = placeOf(namespace);
      const route = routeFor(names.key);
      const onRoute = { ...port, send: (commands: readonly Command[]) => route.send(commands) };
      return acknowledgedReplicas(onRoute, names, by);
    },
    watch: (namespace, onSuspect) => watchKeys(port, redisNames(namespace, port.keyPrefix), onSuspect),
    async announce(namespace, id, text, { timeoutMs, keepMs = ANNOUNCEMENT_LIFE_MS }) {
      const { key, fleet } = placeOf(namespace).names;
      const whose = JSON.stringify([namespace, id]);
      const before = announced.get(whose) ?? '';
      const entry = text === null ? '' : entryOf(id, text, keepMs);
      // Remembered before it is sent: one that was given up may have been written all the same.
      if (!text) announced.delete(whose);
      else announced.set(whose, entry);
      await ask([['EVAL', ANNOUNCE, '1', fleet, before, entry, milliseconds(keepMs)]], key, timeoutMs);
    },
    async announcements(namespace, { timeoutMs }) {
      const { key, fleet } = placeOf(namespace).names;
      return asAnnouncements(await ask([['EVAL', ANNOUNCEMENTS, '1', fleet]], key, timeoutMs)) ?? notTheAnswer();
    },
    caveats: port.caveats,
    async close() {
      closed = true;
      await port.close();
    },
  };
}

/** The first error: where the draft was refused, that is the reason, and the script's "late" only what came of it. */
function failureAmong(outcomes: readonly (Reply | Error)[]): Error | null {
  const script = outcomes.at(-1);
  // Done all the same, by a sending before this one.
  if (Array.isArray(script) && script[0] === 'swapped') return null;
  return outcomes.find((outcome) => outcome instanceof Error) ?? null;
}

/** Redis takes whole milliseconds only. */
function milliseconds(ms: number): string {
  return Math.floor(ms).toFixed(0);
}

function isDenied(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'ERR_REWT_STORE_DENIED';
}

function closedError(): StoreError {
  return new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
}
