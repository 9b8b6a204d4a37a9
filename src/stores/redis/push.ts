/**
 * A watch by Redis' client tracking. One connection beside each client subscribes to invalidations:
 * the server names every key of a namespace that any client writes.
 */

import { processClock } from '../../time/clock.js';
import type { PushStatus, Watch } from '../store.js';
import { weakWatch } from '../weak-watch.js';
import { unlessAborted } from './clients/connection.js';
import { OPEN_TIMEOUT_MS } from './clients/opening.js';
import type { Connection, RedisPort } from './clients/port.js';
import { asStoreError } from './errors.js';
import type { AllRedisNames } from './names.js';
import { ringNames } from './places.js';
import { commandsInWords, PUSH_CHANNEL } from './rights.js';

/** The time for which a ping's reply proves the connection, and the time-out of a ping. */
const PING_EVERY_MS = 1_000;
const PING_TIMEOUT_MS = 1_000;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;
/**
 * A connection that is lost sooner does not serve an idle member: a proxy on the way ends silent
 * connections.
 */
const LONG_LIFE_MS = 60_000;
/** Longer, because an idle member loses nothing: it reads before its next use anyway. */
const MAX_IDLE_PAUSE_MS = 60_000;
/** A read later than this after a loss was not caused by the loss: the member is in use. */
const LOSS_IS_READ_MS = 5_000;
/** If Redis denies the connection, only an operator can change that. */
const REFUSED_PAUSE_MS = 60_000;

interface Listener {
  /** The names that a push may have. */
  readonly keys: readonly string[];
  readonly onSuspect: WeakRef<() => void>;
}

interface Armed {
  readonly connection: Connection;
  /** The keys of all listeners at the time. */
  readonly keys: ReadonlySet<string>;
  readonly openedAtMs: number;
  /** Ends the connection. */
  readonly end: () => void;
}

/** By client, then by scope: one connection beside a client serves every Rewt on that client. */
const trackings = new WeakMap<object, Map<string, Tracking>>();

/**
 * Watches one namespace. The first watch beside a client opens the connection. The last one closes
 * it when it ends, or is garbage-collected.
 */
export function watchKeys(port: RedisPort, names: AllRedisNames, onSuspect: () => void): Watch {
  const { client, noConnection } = port;
  if (noConnection !== null) {
    return { status: () => ({ state: 'off', reason: noConnection }), check: () => {}, end: () => {} };
  }
  const scopes = trackings.get(client) ?? new Map<string, Tracking>();
  trackings.set(client, scopes);
  const scope = port.scope(names.key);
  const tracking = scopes.get(scope) ?? new Tracking(port, names.key);
  scopes.set(scope, tracking);
  const listener = { keys: [names.key, ...ringNames(names)], onSuspect: new WeakRef(onSuspect) };
  tracking.join(listener);
  const leave = (): void => {
    if (tracking.leave(listener) === 0 && scopes.get(scope) === tracking) scopes.delete(scope);
  };
  return weakWatch(onSuspect, leave, { status: () => tracking.status(), check: () => tracking.check() });
}

class Tracking {
  readonly #connect: RedisPort['connect'];
  readonly #key: string;
  readonly #listeners = new Set<Listener>();
  /** A push names a key: a process may have thousands of namespaces. */
  readonly #byKey = new Map<string, Set<Listener>>();
  /**
   * The listeners to notify at the end of this turn: a rotation writes two keys, but is one change.
   */
  readonly #suspects = new Set<Listener>();
  #armed: Armed | null = null;
  /** Ends the connection that is being opened. */
  #opening: (() => void) | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  /** The reason why there is no connection. */
  #reason: string | null = null;
  #refused = false;
  /** The time of the last loss; null if no connection could be opened since. */
  #lostAtMs: number | null = null;
  /** The time at which the connection last proved that it is alive. */
  #provenAtMs = 0;

  constructor(port: RedisPort, key: string) {
    this.#connect = port.connect;
    this.#key = key;
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
    for (const key of listener.keys) {
      const those = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, those.add(listener));
    }
    if (!covers(this.#armed, listener)) void this.#open();
  }

  /** Returns how many are left. */
  leave(listener: Listener): number {
    this.#listeners.delete(listener);
    for (const key of listener.keys) {
      const those = this.#byKey.get(key);
      those?.delete(listener);
      if (those?.size === 0) this.#byKey.delete(key);
    }
    this.#suspects.delete(listener);
    if (this.#listeners.size === 0) this.#stop();
    return this.#listeners.size;
  }

  status(): PushStatus {
    if (this.#armed !== null) return { state: 'on', reason: null };
    return {
      state: this.#refused ? 'off' : 'connecting',
      reason: this.#reason ?? 'Its connection is being opened.',
    };
  }

  /**
   * Checks for what a connection never reports by itself: a dead peer, or keys that moved to
   * another node.
   */
  check(): void {
    const armed = this.#armed;
    if (armed === null) {
      if (this.#lostAtMs !== null && performance.now() - this.#lostAtMs > LOSS_IS_READ_MS) void this.#open();
      return;
    }
    if (!armed.connection.isOwner()) {
      this.#lose(armed, 'The keys have moved to another node of the cluster: its connection is opened anew.');
      return;
    }
    if (performance.now() - this.#provenAtMs < PING_EVERY_MS) return;
    this.#provenAtMs = performance.now();
    void isAlive(armed.connection).then((alive) => {
      if (!alive) this.#lose(armed, 'Its connection had fallen silent: it is opened anew.');
    });
  }

  /**
   * Arms a connection for all current listeners. One that lacks a new listener's names serves until
   * it is replaced.
   */
  async #open(): Promise<void> {
    if (this.#opening !== null) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const keys = new Set(this.#byKey.keys());
    const ending = new AbortController();
    const end = () => ending.abort();
    const cancel = processClock.timer(OPEN_TIMEOUT_MS, end, 'unref');
    this.#opening = end;
    try {
      const connection = await this.#arm(prefixesOf(keys), ending.signal);
      if (this.#opening !== end) return end();
      this.#opening = null;
      this.#replace({ connection, keys, openedAtMs: performance.now(), end });
    } catch (error) {
      end();
      if (this.#opening !== end) return;
      this.#opening = null;
      this.#lostAtMs = null;
      this.#refused = isRefusal(error);
      this.#reason = reasonOf(error);
      this.#openLater();
    } finally {
      cancel();
    }
  }

  async #arm(prefixes: readonly string[], signal: AbortSignal): Promise<Connection> {
    const connection = await unlessAborted(this.#connect(this.#key, signal), signal);
    // The name is for CLIENT LIST; a user without the right does without.
    const named = connection.send([
      ['CLIENT', 'ID'],
      ['CLIENT', 'SETNAME', 'rewt-push'],
    ]);
    const [id] = await unlessAborted(named, signal);
    if (typeof id !== 'string') throw id;
    const options = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
    const armed = connection.send([['CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...options]]);
    const [outcome] = await unlessAborted(armed, signal);
    if (outcome instanceof Error) throw outcome;
    await unlessAborted(
      connection.subscribe(PUSH_CHANNEL, (message) => this.#onMessage(message)),
      signal,
    );
    return connection;
  }

  #replace(armed: Armed): void {
    const before = this.#armed;
    this.#armed = armed;
    this.#reason = null;
    this.#refused = false;
    this.#provenAtMs = performance.now();
    armed.connection.onLost(() => this.#lose(armed, 'Its connection was lost: it is opened anew.'));
    // Armed first, read second: this connection reported no earlier write, and the previous one
    // served only some listeners.
    this.#suspect([...this.#listeners].filter((listener) => !covers(before, listener)));
    if (before !== null) void this.#retire(before);
    if (![...this.#listeners].every((listener) => covers(armed, listener))) void this.#open();
  }

  /** Ends a replaced connection. Its earlier messages have arrived once it answers a ping. */
  async #retire(before: Armed): Promise<void> {
    if (!(await isAlive(before.connection))) this.#suspectAll();
    before.end();
  }

  #lose(armed: Armed, reason: string): void {
    armed.end();
    if (this.#armed !== armed) return;
    this.#armed = null;
    this.#lostAtMs = performance.now();
    // A connection that is lost at once must not be reopened twenty times a second. Nor must one
    // without traffic after each time-out of a proxy.
    if (this.#lostAtMs - armed.openedAtMs > LONG_LIFE_MS) this.#failures = 0;
    this.#reason = reason;
    this.#suspectAll();
    this.#openLater();
  }

  #openLater(): void {
    if (this.#listeners.size === 0 || this.#retry !== null || this.#opening !== null) return;
    const longestMs = this.#lostAtMs === null ? MAX_PAUSE_MS : MAX_IDLE_PAUSE_MS;
    const pauseMs = this.#refused ? REFUSED_PAUSE_MS : Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, longestMs);
    this.#failures += 1;
    // Spreads the attempts, because a thousand members may lose their connections at the same
    // instant.
    this.#retry = setTimeout(() => void this.#open(), pauseMs * (0.5 + Math.random() / 2));
    this.#retry.unref();
  }

  #stop(): void {
    this.#opening?.();
    this.#opening = null;
    this.#armed?.end();
    this.#armed = null;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }

  #onMessage(message: unknown): void {
    this.#provenAtMs = performance.now();
    const keys = keysIn(message);
    if (keys === null) this.#suspectAll();
    else for (const key of keys) this.#suspect(this.#byKey.get(key) ?? []);
  }

  #suspectAll(): void {
    this.#suspect(this.#listeners);
  }

  #suspect(listeners: Iterable<Listener>): void {
    if (this.#suspects.size === 0) {
      setImmediate(() => {
        const suspects = [...this.#suspects];
        this.#suspects.clear();
        for (const { onSuspect } of suspects) onSuspect.deref()?.();
      });
    }
    for (const listener of listeners) this.#suspects.add(listener);
  }
}

function covers(armed: Armed | null, { keys }: Listener): boolean {
  return armed !== null && keys.every((key) => armed.keys.has(key));
}

async function isAlive(connection: Connection): Promise<boolean> {
  const answer = connection.ping().then(
    () => true,
    () => false,
  );
  for (;;) {
    const sentAtMs = performance.now();
    const alive = await Promise.race([answer, passed(PING_TIMEOUT_MS)]);
    if (alive !== null) return alive;
    // A suspended process has not read its sockets either.
    if (performance.now() - sentAtMs < PING_TIMEOUT_MS + 100) return false;
  }
}

function passed(ms: number): Promise<null> {
  return new Promise((resolve) => {
    processClock.timer(ms, () => resolve(null), 'unref');
  });
}

/**
 * Returns the keys as prefixes, without those that begin with a shorter one: Redis rejects them,
 * and the shorter one covers both. In order, they come right after it.
 */
function prefixesOf(keys: Iterable<string>): readonly string[] {
  const prefixes: string[] = [];
  for (const key of [...keys].sort()) {
    const before = prefixes.at(-1);
    if (before === undefined || !key.startsWith(before)) prefixes.push(key);
  }
  return prefixes;
}

/**
 * Returns the keys that a message names. Null if it may concern any key: a FLUSHALL, or a message
 * that another client published.
 */
function keysIn(message: unknown): readonly string[] | null {
  return Array.isArray(message) ? message.map(String) : null;
}

function isRefusal(error: unknown): boolean {
  return asStoreError(error).code === 'ERR_REWT_STORE_DENIED';
}

function reasonOf(error: unknown): string {
  const { message } = asStoreError(error);
  if (!isRefusal(error)) return message;
  return `${message} Push needs ${commandsInWords('push')}, on the channel ${PUSH_CHANNEL}. Or set push: false.`;
}
