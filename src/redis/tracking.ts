/** Redis' client tracking as a watch: one connection beside each client, on which the server names every key of ours that anyone writes. */

import { processClock } from '../clock.js';
import type { PushStatus, Watch } from '../stores/store.js';
import { weakWatch } from '../stores/weak-watch.js';
import { unlessAborted } from './connection.js';
import { asStoreError } from './failure.js';
import type { AllRedisNames } from './names.js';
import { ringNames } from './places.js';
import type { Connection, RedisPort } from './port.js';
import { commandsInWords, PUSH_CHANNEL } from './rights.js';

/** Five round trips and a TLS handshake, on a slow line. */
const OPEN_TIMEOUT_MS = 10_000;
/** How long an answered ping proves that the connection is alive, and how long one may take. */
const PING_EVERY_MS = 1_000;
const PING_TIMEOUT_MS = 1_000;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
/** A connection that is lost sooner is no good while nobody uses the member: something on the way ends those that say nothing. */
const LONG_LIFE_MS = 60_000;
/** Longer, because a member that is not used loses nothing by it: it reads before its next use anyway. */
const LONGEST_IDLE_PAUSE_MS = 60_000;
/** What reads later than this after a loss was not caused by it: the member is used. */
const LOSS_IS_READ_MS = 5_000;
/** Where Redis refuses rather than fails, only an operator can change that. */
const REFUSED_PAUSE_MS = 60_000;

interface Listener {
  readonly names: AllRedisNames;
  readonly onSuspect: WeakRef<() => void>;
}

interface Armed {
  readonly connection: Connection;
  readonly prefixes: readonly string[];
  readonly openedAtMs: number;
  /** Ends the connection. */
  readonly end: () => void;
}

/** By client, then by scope: what a client has beside it serves every Rewt on that client. */
const trackings = new WeakMap<object, Map<string, Tracking>>();

/** Watches one namespace; the first watch beside a client opens the connection, the last one that ends, or is forgotten, closes it. */
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
  const listener = { names, onSuspect: new WeakRef(onSuspect) };
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
  /** Those that hear of a message at the end of this turn: a rotation writes two keys, and is one piece of news. */
  readonly #suspects = new Set<Listener>();
  #armed: Armed | null = null;
  /** Ends the connection that is being opened. */
  #opening: (() => void) | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  /** Why there is no connection. */
  #reason: string | null = null;
  #refused = false;
  /** When the last connection was lost; null if none could be opened since. */
  #lostAtMs: number | null = null;
  /** When the connection last proved that it is alive. */
  #provenAtMs = 0;

  constructor(port: RedisPort, key: string) {
    this.#connect = port.connect;
    this.#key = key;
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
    if (!covers(this.#armed, listener)) void this.#open();
  }

  /** How many are left. */
  leave(listener: Listener): number {
    this.#listeners.delete(listener);
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

  /** Looks for what a connection never tells by itself: that nobody is at the other end, or that the keys have moved to another node. */
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

  /** Arms a connection for all listeners there are. One that lacks a newcomer's names goes on until it is replaced. */
  async #open(): Promise<void> {
    if (this.#opening !== null) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const prefixes = prefixesOf(this.#listeners);
    const ending = new AbortController();
    const end = () => ending.abort();
    const cancel = processClock.timer(OPEN_TIMEOUT_MS, end, 'unheard');
    this.#opening = end;
    try {
      const connection = await this.#arm(prefixes, ending.signal);
      if (this.#opening !== end) return end();
      this.#opening = null;
      this.#replace({ connection, prefixes, openedAtMs: performance.now(), end });
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
    // The name is for whoever looks at CLIENT LIST; a user who may not set it does without.
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
      connection.subscribe(PUSH_CHANNEL, (message) => this.#hear(message)),
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
    // Armed first, read second: what was written before this was told to nobody, but for those whom another connection served.
    this.#suspect([...this.#listeners].filter((listener) => !covers(before, listener)));
    if (before !== null) void this.#retire(before);
    if (![...this.#listeners].every((listener) => covers(armed, listener))) void this.#open();
  }

  /** Ends a connection in whose place there is another; what it was told before has arrived once a ping is answered. */
  async #retire(before: Armed): Promise<void> {
    if (!(await isAlive(before.connection))) this.#suspectAll();
    before.end();
  }

  #lose(armed: Armed, reason: string): void {
    armed.end();
    if (this.#armed !== armed) return;
    this.#armed = null;
    this.#lostAtMs = performance.now();
    // One that is lost as soon as it is made must not be made twenty times a second, nor one without traffic after each time-out of a proxy.
    if (this.#lostAtMs - armed.openedAtMs > LONG_LIFE_MS) this.#failures = 0;
    this.#reason = reason;
    this.#suspectAll();
    this.#openLater();
  }

  #openLater(): void {
    if (this.#listeners.size === 0 || this.#retry !== null || this.#opening !== null) return;
    const longestMs = this.#lostAtMs === null ? LONGEST_PAUSE_MS : LONGEST_IDLE_PAUSE_MS;
    const pauseMs = this.#refused ? REFUSED_PAUSE_MS : Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, longestMs);
    this.#failures += 1;
    // A thousand members lose their connections at the same instant.
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

  #hear(message: unknown): void {
    this.#provenAtMs = performance.now();
    const keys = keysIn(message);
    this.#suspect([...this.#listeners].filter((listener) => concerns(keys, listener)));
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

function keysOf({ names }: Listener): readonly string[] {
  return [names.key, ...ringNames(names)];
}

function covers(armed: Armed | null, listener: Listener): boolean {
  return keysOf(listener).every((name) => armed?.prefixes.some((prefix) => name.startsWith(prefix)));
}

async function isAlive(connection: Connection): Promise<boolean> {
  const answer = connection.ping().then(
    () => true,
    () => false,
  );
  for (;;) {
    const askedAtMs = performance.now();
    const alive = await Promise.race([answer, passed(PING_TIMEOUT_MS)]);
    if (alive !== null) return alive;
    // A process that stood still has not looked at its sockets either.
    if (performance.now() - askedAtMs < PING_TIMEOUT_MS + 100) return false;
  }
}

function passed(ms: number): Promise<null> {
  return new Promise((resolve) => {
    processClock.timer(ms, () => resolve(null), 'unheard');
  });
}

/** No prefix may begin with another one (Redis refuses that), nor has it to: the shorter one covers both. */
function prefixesOf(listeners: Iterable<Listener>): readonly string[] {
  const names = new Set([...listeners].flatMap(keysOf));
  return [...names].filter((name) => ![...names].some((other) => other !== name && name.startsWith(other)));
}

/** The keys that a message names; null where it may mean any: a FLUSHALL, or something that anyone can publish. */
function keysIn(message: unknown): readonly string[] | null {
  return Array.isArray(message) ? message.map(String) : null;
}

function concerns(keys: readonly string[] | null, listener: Listener): boolean {
  return keys === null || keys.some((name) => keysOf(listener).includes(name));
}

function isRefusal(error: unknown): boolean {
  return asStoreError(error).code === 'ERR_REWT_STORE_DENIED';
}

function reasonOf(error: unknown): string {
  const { message } = asStoreError(error);
  if (!isRefusal(error)) return message;
  return `${message} Push needs ${commandsInWords('push')}, on the channel ${PUSH_CHANNEL}. Or set push: false.`;
}
