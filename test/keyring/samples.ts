/** Rings, policies and a mint that can be foretold, for the tests of the pure keyring. */

import type { History } from '../../src/keyring/history.js';
import { EMPTY_HISTORY, remember } from '../../src/keyring/history.js';
import type { Mint, Plan } from '../../src/keyring/plan.js';
import type { Policy } from '../../src/keyring/policy.js';
import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { advance, type PlainContents as Contents, wantedOf } from './decisions.js';

/** The store's clock in the samples. Milliseconds. */
export const NOW_MS = 1_700_000_000_000;

/** A usable secret that differs from others in a failure's diff. */
export function secretNamed(name: string): string {
  return `${name}-`.padEnd(43, '.');
}

export const CURRENT = secretNamed('current');
export const NEXT = secretNamed('next');
export const RETIRED = secretNamed('retired');
export const OTHER = secretNamed('other');

/** Half of its turn is over. */
export const RING: Ring = {
  v: 1,
  id: 'lineage-a',
  epoch: 3,
  gen: 7,
  op: 'op-7',
  ttl: 60_000,
  overlap: 12_000,
  current: { secret: CURRENT, expiresAt: NOW_MS + 30_000 },
  next: { secret: NEXT, since: NOW_MS - 30_000 },
  retired: [{ secret: RETIRED, until: NOW_MS + 5_000 }],
};

/** Nothing in it is clamped by `RING`'s `ttl`. */
export const POLICY: Policy = {
  ttlMs: 60_000,
  overlapMs: 12_000,
  clockToleranceMs: 1_000,
  maxStalenessMs: 6_000,
  leadMs: 3_000,
  minimums: null,
};

/**
 * Secrets `fresh-1`, `fresh-2` and ids `id-1`, `id-2`, each in the order in which they are asked
 * for.
 */
export function countingMint(): Mint {
  let secrets = 0;
  let ids = 0;
  return {
    secret: () => {
      secrets += 1;
      return secretNamed(`fresh-${secrets}`);
    },
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
  };
}

export const FRESH_1 = secretNamed('fresh-1');
export const FRESH_2 = secretNamed('fresh-2');

/** A member that has read these rings, in this order. */
export function havingSeen(...rings: readonly Ring[]): History {
  return rings.reduce(remember, EMPTY_HISTORY);
}

/** Store contents at `NOW_MS`: by default a steady `RING`. */
export function seenWith(part: Partial<Contents> = {}): Contents {
  return { nowMs: NOW_MS, key: { value: CURRENT, expiresAtMs: RING.current.expiresAt }, ring: RING, ...part };
}

/** The ring that a plan writes. */
export function ringOf(plan: Plan): Ring {
  return parseRing(wantedOf(plan).ring.text);
}

/** The first instant of `due` in the samples. */
export const DUE = RING.current.expiresAt - POLICY.clockToleranceMs;
/** The first instant of a scheduled rotation in the samples. */
export const LEAD = RING.current.expiresAt - POLICY.leadMs;

/** Values of K that cannot sign: a title, and the value as a store gives it. */
export const UNUSABLE: readonly (readonly [string, string | null])[] = [
  ['not UTF-8', null],
  ['31 bytes long', 'x'.repeat(31)],
  ['empty', ''],
];

export const seenEmpty = (key: Contents['key'] = null): Contents => seenWith({ key, ring: null });

export function decide(
  seen: Contents,
  { policy = POLICY, known = EMPTY_HISTORY }: { policy?: Policy; known?: History } = {},
): Plan | null {
  return advance(seen, { policy, history: known, mint: countingMint() });
}

/** The plan for what was seen; fails where there is none. */
export function planFor(seen: Contents, setting: { policy?: Policy; known?: History } = {}): Plan {
  const plan = decide(seen, setting);
  if (plan === null) throw new Error('expected a plan');
  return plan;
}
