/**
 * A store with a look: when a member of it reads, and when the look is enough (docs/protocol.md, "A
 * store with a look").
 */

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStore, Rewt, type RewtOptions, type Store, StoreError } from '../../src/index.js';
import { pass, times, turnTime } from '../support/turned-time.js';

/** What became of a call, in reads and looks. */
interface Cost {
  readonly reads: number;
  readonly looks: number;
}

let register: Store;
let reads: number;
let looks: number;
/** Set while the store has no look to offer, or its look fails. */
let isBlind: boolean;
/** Set while the store takes no writes of these members. */
let isFull: boolean;

beforeEach(() => {
  turnTime();
  register = memoryStore();
  isBlind = false;
  isFull = false;
});
afterEach(() => {
  vi.useRealTimers();
});

function member(options: Partial<RewtOptions> = {}): Rewt {
  const store: Store = {
    ...register,
    async read(...what) {
      reads += 1;
      current = await register.read(...what);
      return current;
    },
    async swap(...what) {
      if (isFull) throw new StoreError('ERR_REWT_STORE_FULL', 'full');
      const answer = await register.swap(...what);
      current = answer.snapshot;
      return answer;
    },
    isUnchanged(_, version) {
      looks += 1;
      return !isBlind && version === current?.version;
    },
  };
  return new Rewt({ ...times, ...options, store });
}

/** What is in the store now. Every member of a test writes it. */
let current: Awaited<ReturnType<Store['read']>> | null = null;

async function cost(work: () => Promise<unknown>): Promise<Cost> {
  reads = 0;
  looks = 0;
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  work().then(done, done);
  for (let waitedMs = 0; !isDone && waitedMs < 2_000; waitedMs += 10) await pass(waitedMs === 0 ? 0 : 10);
  expect(isDone).toBe(true);
  return { reads, looks };
}

interface Row {
  /** As in docs/protocol.md. */
  readonly when: string;
  readonly reads: 0 | 1;
  readonly options?: Partial<RewtOptions>;
  /** What happens between the member's last read and the call. */
  readonly before?: () => Promise<unknown> | unknown;
  readonly call?: (rewt: Rewt, token: string) => Promise<unknown>;
}

const rows: readonly Row[] = [
  { when: 'a token, the copy younger than the soft age, the same version', reads: 0 },
  { when: 'the same, for signing', reads: 0, call: (rewt) => rewt.sign({ sub: 'b' }) },
  { when: 'another version, or the look fails', reads: 1, before: () => member().revoke() },
  {
    when: 'another version, or the look fails',
    reads: 1,
    before: () => {
      isBlind = true;
    },
  },
  { when: 'the copy older than the soft age', reads: 1, before: () => pass(2_000) },
  { when: '`maxStaleness: 0`', reads: 1, options: { maxStaleness: 0 } },
  {
    when: 'a kid that the copy does not have',
    reads: 1,
    call: async (rewt) => rewt.verify(await new Rewt({ store: memoryStore() }).sign({})),
  },
  { when: '`rotate()`, `revoke()`', reads: 1, call: (rewt) => rewt.rotate({ force: true }) },
  { when: '`rotate()`, `revoke()`', reads: 1, call: (rewt) => rewt.revoke() },
  { when: '`refresh()`', reads: 1, call: (rewt) => rewt.refresh() },
];

describe('a store with a look', () => {
  it.for(rows)('costs a call $reads reads in this case: $when', async ({ reads: expected, options, before, call }) => {
    const rewt = member(options);
    const token = await rewt.sign({ sub: 'a' });
    await before?.();
    const found = await cost(() => (call ?? ((one, what) => one.verify(what)))(rewt, token));
    expect(found.reads).toBe(expected);
    if (expected === 0) expect(found.looks).toBe(1);
    if (options?.maxStaleness === 0) expect(found.looks).toBe(0);
  });

  it('has these rows in the protocol, and no other', () => {
    const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    const [, section = ''] = protocol.split('### A store with a look\n');
    const cells = section.split('\n## ')[0]?.matchAll(/^\| (.+?) +\| (reads|looks) +\|$/gm) ?? [];
    const stated = Array.from(cells, ([, when, what]) => `${when}: ${what === 'reads' ? 1 : 0}`);
    expect(stated).toEqual([...new Set(rows.map((row) => `${row.when}: ${row.reads}`))]);
  });

  it('is read ahead at half the soft age, so that what is due is written in time', async () => {
    const rewt = member();
    const token = await rewt.sign({ sub: 'a' });
    await pass(999);
    expect(await cost(() => rewt.verify(token))).toEqual({ reads: 0, looks: 1 });
    await pass(1);
    expect(await cost(() => rewt.verify(token))).toEqual({ reads: 1, looks: 1 });
    expect(await cost(() => rewt.verify(token))).toEqual({ reads: 0, looks: 1 });
  });

  it('shows a revocation by another member at once, also to verifySync', async () => {
    const [a, b] = [member(), member()];
    const token = await a.sign({ sub: 'a' });
    await b.verify(token);
    expect(b.verifySync(token)).toMatchObject({ sub: 'a' });
    await a.revoke();
    expect(() => b.verifySync(token)).toThrow(expect.objectContaining({ code: 'ERR_REWT_COPY_NOT_FRESH' }));
    await expect(b.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('makes no caller wait for a soft age after what was due could not be written', async () => {
    const rewt = member({ ttl: 120 });
    const token = await rewt.sign({ sub: 'a' });
    for (let second = 0; second < 112; second += 1) {
      await pass(1_000);
      await rewt.verify(token);
    }
    isFull = true;
    await pass(2_000);
    expect(await cost(() => rewt.verify(token))).toMatchObject({ reads: 1 });
    isFull = false;
    await member().revoke();
    await pass(999);
    expect(await rewt.verify(token)).toMatchObject({ sub: 'a' });
    await pass(1_001);
    await expect(rewt.verify(token)).rejects.toMatchObject({ code: 'ERR_REWT_UNKNOWN_KEY' });
  });

  it('is not asked if it is not local: its answer could be a message old', async () => {
    const rewt = new Rewt({ ...times, store: { ...register, local: false, isUnchanged: () => false } });
    const token = await rewt.sign({ sub: 'a' });
    expect(rewt.verifySync(token)).toMatchObject({ sub: 'a' });
  });
});
