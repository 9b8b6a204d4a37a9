/** What the suites of store.ts are run on: a store, and what they do with it. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Snapshot, Store, SwapAnswer, WantedState } from '../../src/stores/store.js';

/** One store on separate data, and what a test can do to it from outside. */
export interface StoreFixture {
  readonly store: Store;
  /** Closes the store, every second one, and removes the data. */
  dispose(): Promise<void>;
  /** Turns the store's clock forward, where tests can turn it. */
  advanceMs?(ms: number): void;
  /** Another connection or handle on the same data; absent where there is only one. */
  second?(): Promise<Store>;
  /** Writes K past rewt, as an operator would; `ttlMs` null: without a TTL. */
  operatorSet?(namespace: string, value: string, ttlMs: number | null): Promise<void>;
  operatorDelete?(namespace: string): Promise<void>;
}

export const limits = { timeoutMs: 5_000 };
export const secret = 'an-old-secret-of-forty-three-characters-000';
export const otherSecret = 'another-secret-of-forty-three-characters-11';

/** A ring text as unique as a real one. */
export function ringText(filling = ''): string {
  return JSON.stringify({ v: 1, op: randomUUID(), filling });
}

/** All of a snapshot but its times, which a store may give with a grain. */
export function contentsOf({ key, ring, version }: Snapshot) {
  return { key: key && { value: key.value }, ring, version };
}

/** What some stores have and others, by their nature, have not; what is not there has no tests. */
export interface StoreTraits {
  /** Others than rewt can write K: the fixture has `operatorSet` and `operatorDelete`. */
  readonly operator: boolean;
  /** Several handles can share the data: the fixture has `second`. */
  readonly shared: boolean;
  /** It carries what members say of themselves. */
  readonly announces: boolean;
}

export interface Wish {
  readonly key?: string | null;
  readonly text?: string;
  readonly keyTtlMs?: number;
  readonly ringTtlMs?: number;
}

/** Gives each test a store of `make` and a separate namespace, and says how to use them. */
export function subjectOf(make: () => Promise<StoreFixture>) {
  let fixture: StoreFixture;
  let store: Store;
  let namespace: string;

  beforeEach(async () => {
    fixture = await make();
    store = fixture.store;
    namespace = `conformance-${randomUUID()}`;
  });
  afterEach(() => fixture.dispose());

  /**
   * How much an expiry may be off: a store with a separate clock may keep a TTL rather than an
   * instant. A turned clock is exact.
   */
  const grainMs = (): number => (fixture.advanceMs ? 0 : 5);

  const read = (): Promise<Snapshot> => store.read(namespace, limits);

  function wish(
    from: Snapshot,
    { key = secret, text = ringText(), keyTtlMs = 60_000, ringTtlMs = 90_000 }: Wish,
  ): WantedState {
    return {
      key: key === null ? null : { value: key, expiresAtMs: from.nowMs + keyTtlMs },
      ring: { text, expiresAtMs: from.nowMs + ringTtlMs },
    };
  }
  const send = (from: Snapshot, wanted: WantedState, on = store): Promise<SwapAnswer> =>
    on.swap(namespace, from.version, wanted, { ...limits, notAfterMs: from.nowMs + 10_000 });
  const swap = (from: Snapshot, wanted: Wish = {}): Promise<SwapAnswer> => send(from, wish(from, wanted));

  /** A swap that must succeed; answers with what is there then. */
  async function write(wanted: Wish = {}): Promise<Snapshot> {
    const { swapped, snapshot } = await swap(await read(), wanted);
    expect(swapped).toBe(true);
    return snapshot;
  }

  /**
   * Lets the store's clock reach `untilMs`: turned where it can be, else waited for. Calls `look`
   * with each read on the way.
   */
  async function reach(untilMs: number, look: (snapshot: Snapshot) => void = () => {}): Promise<Snapshot> {
    const giveUpMs = Date.now() + 10_000;
    for (;;) {
      const snapshot = await read();
      look(snapshot);
      if (snapshot.nowMs >= untilMs) return snapshot;
      if (Date.now() > giveUpMs) throw new Error(`the store's clock is still ${untilMs - snapshot.nowMs} ms away`);
      if (fixture.advanceMs) fixture.advanceMs(1);
      else await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async function operatorSet(value: string, ttlMs: number | null): Promise<void> {
    if (!fixture.operatorSet) throw new Error('the fixture lacks operatorSet');
    await fixture.operatorSet(namespace, value, ttlMs);
  }
  async function operatorDelete(): Promise<void> {
    if (!fixture.operatorDelete) throw new Error('the fixture lacks operatorDelete');
    await fixture.operatorDelete(namespace);
  }

  return {
    get fixture() {
      return fixture;
    },
    get store() {
      return store;
    },
    get namespace() {
      return namespace;
    },
    grainMs,
    read,
    wish,
    send,
    swap,
    write,
    reach,
    operatorSet,
    operatorDelete,
  };
}

export type Subject = ReturnType<typeof subjectOf>;
