/**
 * The Redis store: one script reads both keys, another swaps them, both with the server's clock.
 */

import { randomBytes } from 'node:crypto';
import { StoreError } from '../../errors.js';
import {
  ANNOUNCEMENT_LIFE_MS,
  type ReadLimits,
  type Snapshot,
  type Store,
  type SwapAnswer,
  type SwapLimits,
  type WantedState,
} from '../store.js';
import { ANNOUNCE, ANNOUNCEMENTS, asAnnouncements, COPY_FLEET, entryOf } from './announcements.js';
import { type Answer, notTheAnswer, readAnswer, sha1, showsHeld, showsRing } from './answer.js';
import { Calls } from './calls.js';
import { readRedisPort } from './clients/detect.js';
import type { Command, Outcomes, RedisPort, Reply } from './clients/port.js';
import { sharedRedis } from './clients/shared.js';
import { redisNames } from './names.js';
import { asCompared, hiddenRing, isBeforeIn, type Place, placeAt, ringNames } from './places.js';
import { certain, locatePlainly, plainRead, readPlainly } from './plain-read.js';
import { watchKeys } from './push.js';
import { acknowledgedReplicas } from './replicas.js';
import { draftOf, READ, SWAP } from './scripts.js';

/**
 * The time that a draft outlives the deadline of its swap. By then the swap has used the draft, or
 * never will.
 */
const DRAFT_GRACE_MS = 5_000;
/**
 * Creates the store for the option `redisConn`: a client, which stays the user's, or a URL.
 *
 * @param options.keyPrefix for a URL; a client has its own
 * @throws {OptionError} naming `redisConn` or `redisNamespace`: at once, before anything is sent
 */
export function redisStoreFor(
  redisConn: object | string,
  namespace: string,
  { keyPrefix = '', readOnly = false }: RedisStoreOptions & { readonly keyPrefix?: string | undefined } = {},
): Store {
  const port = typeof redisConn === 'string' ? sharedRedis(redisConn, keyPrefix) : readRedisPort(redisConn);
  try {
    // Throws if the names cannot share one hash slot.
    redisNames(namespace, port.keyPrefix);
  } catch (error) {
    void port.close();
    throw error;
  }
  return redisStore(port, { readOnly });
}

export interface RedisStoreOptions {
  /** Reads by plain commands, without scripts, for a user that has no right to write. */
  readonly readOnly?: boolean;
}

export interface RedisStore extends Store {
  /**
   * Checks if a snapshot of this version shows a ring under the name without the leading key
   * prefix.
   */
  hasOldName(version: string): boolean;
  /**
   * Swaps as `swap` does, but writes the ring under the name with the key prefix, and removes the
   * one under the other name. For `rewt move`.
   */
  move(namespace: string, expected: string, wanted: WantedState, limits: SwapLimits): Promise<SwapAnswer>;
}

/**
 * Creates a store on one Redis. Every process with the same Redis and namespace shares it. Closing
 * it closes the port.
 */
export function redisStore(port: RedisPort, { readOnly = false }: RedisStoreOptions = {}): RedisStore {
  const calls = new Calls(port, readOnly ? 'verifier' : 'member');
  /**
   * True if the ring was last found under the name without the leading key prefix, by namespace. It
   * stays there, even after it was lost.
   */
  const isBefore = new Map<string, boolean>();
  /** The last announcement by namespace and member, which the next one replaces. */
  const announced = new Map<string, string>();

  function send(commands: readonly Command[], key: string, timeoutMs: number): Promise<Reply> {
    return calls.ask({ key, timeoutMs, send: (route) => route.send(commands), answerOf });
  }

  const placeOf = (namespace: string): Place =>
    placeAt(redisNames(namespace, port.keyPrefix), isBefore.get(namespace) ?? false);

  async function readAt(namespace: string, place: Place, limits: ReadLimits): Promise<Snapshot> {
    const { names, other } = place;
    const { timeoutMs, isHeld, replacesWrongType } = limits;
    const mode = replacesWrongType ? 'replaces' : '';
    const command: Command = ['EVAL', READ, '2', names.key, names.ring, names.draft('role'), other?.ring ?? '', mode];
    const shows = isHeld ? (outcomes: Outcomes) => showsHeld(outcomes, isHeld) : null;
    const reply = await calls.ask({
      ...{ key: names.key, timeoutMs, answerOf },
      send: (route) => route.read([command], shows),
    });
    const { snapshot, found } = answerAt(namespace, place, reply);
    if (snapshot.ring !== null || isBefore.has(namespace)) return snapshot;
    // A keyring that this user cannot read must not be created a second time.
    if (found.otherDigest === 'denied' && !place.isBefore && snapshot.key !== null) throw hiddenRing();
    if (place.isBefore) isBefore.set(namespace, true);
    return snapshot;
  }

  async function readEntries(namespace: string, { timeoutMs, isHeld }: ReadLimits): Promise<Snapshot> {
    const names = redisNames(namespace, port.keyPrefix);
    const rings = ringNames(names);
    const shows = isHeld ? (outcomes: Outcomes) => showsRing(outcomes, isHeld) : null;
    const found = await calls.ask({
      ...{ key: names.key, timeoutMs },
      send: (route) => route.read(plainRead(names.key, rings), shows),
      answerOf: (outcomes) => certain(readPlainly(outcomes, rings)),
    });
    const { isBefore: where, ring, beside } = locatePlainly(names, found);
    if (ring !== null && names.before !== null) isBefore.set(namespace, where);
    const { nowMs, key, mayBeDeposed } = found;
    const version = sha1(JSON.stringify([key?.value, ring, beside]));
    return { nowMs, key, ring, ...(beside === undefined ? {} : { beside }), version, mayBeDeposed };
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
    const reply = await send(
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
    const answer = readAnswer(reply, place);
    const where = isBeforeIn(answer.snapshot.version);
    if (where !== null && place.other !== null) isBefore.set(namespace, where);
    return answer;
  }

  return {
    kind: 'redis',
    local: false,
    keyName: (namespace) => redisNames(namespace, port.keyPrefix).key,
    async read(namespace, limits) {
      if (readOnly) return readEntries(namespace, limits);
      const begunAtMs = performance.now();
      const place = placeOf(namespace);
      try {
        return await readAt(namespace, place, limits);
      } catch (error) {
        if (place.other === null || !isDenied(error)) throw error;
        // The user may have the right to only one of the names.
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
        await send([['EVAL', COPY_FLEET, '2', before.fleet, fleet]], key, limits.timeoutMs).catch((error) => {
          // The command has already warned that it cannot see the members.
          if (!isDenied(error)) throw error;
        });
      }
      return swapAt(namespace, false, expected, wanted, limits);
    },
    acknowledged(namespace, by) {
      const { names } = placeOf(namespace);
      const route = calls.routeFor(names.key);
      const onRoute = { ...port, send: (commands: readonly Command[]) => route.send(commands) };
      return acknowledgedReplicas(onRoute, names, by);
    },
    watch: (namespace, onSuspect) => watchKeys(port, redisNames(namespace, port.keyPrefix), onSuspect),
    async announce(namespace, id, text, { timeoutMs, keepMs = ANNOUNCEMENT_LIFE_MS }) {
      const { key, fleet } = placeOf(namespace).names;
      const whose = JSON.stringify([namespace, id]);
      const before = announced.get(whose) ?? '';
      const entry = text === null ? '' : entryOf(id, text, keepMs);
      // Recorded before it is sent, because a call that timed out may still have written it.
      if (!text) announced.delete(whose);
      else announced.set(whose, entry);
      await send([['EVAL', ANNOUNCE, '1', fleet, before, entry, milliseconds(keepMs)]], key, timeoutMs);
    },
    async announcements(namespace, { timeoutMs }) {
      const { key, fleet } = placeOf(namespace).names;
      return asAnnouncements(await send([['EVAL', ANNOUNCEMENTS, '1', fleet]], key, timeoutMs)) ?? notTheAnswer();
    },
    clientWarnings: port.clientWarnings,
    async close() {
      calls.close();
      await port.close();
    },
  };
}

/**
 * Returns the reply of a script, which is sent last, or the first error. If the draft was denied,
 * that is the reason; the script's "late" is only its consequence.
 */
// Every script may be sent again. A swap is identified by its text, and happens no later than its
// last instant; the others change nothing.
function answerOf(outcomes: Outcomes): Reply | Error {
  const script = outcomes.at(-1) ?? null;
  // An earlier sending of the same swap has succeeded.
  if (Array.isArray(script) && script[0] === 'swapped') return script;
  return outcomes.find((outcome) => outcome instanceof Error) ?? script;
}

/** Rounds, because Redis accepts whole milliseconds only. */
function milliseconds(ms: number): string {
  return Math.floor(ms).toFixed(0);
}

function isDenied(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'ERR_REWT_STORE_DENIED';
}
