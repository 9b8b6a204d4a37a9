/**
 * The log of a ring: the last rotations that were called for, and revocations, each with the reason
 * that was given (protocol.md, `changes`). Pure.
 */

import { LAST_INSTANT_MS } from '../stores/store.js';
import type { Ring } from './ring.js';

/** Older ones are forgotten. */
const MAX_CHANGES = 8;

const causes = ['rotate', 'revoke', 'rollback', 'bootstrap', 'adopt', 'brake'] as const;

/**
 * What led to a change: a call of `rotate()` or `revoke()`, or the row of protocol.md's table that
 * revoked.
 */
export type ChangeCause = (typeof causes)[number];

export interface Change {
  /** Milliseconds of the store's clock. */
  readonly at: number;
  readonly cause: ChangeCause;
  readonly reason?: string;
}

/**
 * The log of a ring, the newest first. What is no entry is left out: a log is for people, and
 * nothing is decided by it.
 * @internal
 */
export function changesOf({ changes }: Pick<Ring, 'changes'>): readonly Change[] {
  return Array.isArray(changes) ? changes.filter(isChange).slice(0, MAX_CHANGES) : [];
}

/**
 * The same ring or base with one more entry in its log. Entries of a later version are kept, though
 * only that one can read them.
 * @internal
 */
export function withChange<Base extends Pick<Ring, 'changes'>>(
  base: Base,
  at: number,
  cause: ChangeCause,
  reason: string | null,
): Base {
  const change: Change = reason === null ? { at, cause } : { at, cause, reason };
  const log: readonly unknown[] = Array.isArray(base.changes) ? base.changes : [];
  return { ...base, changes: [change, ...log].slice(0, MAX_CHANGES) };
}

/** Whether a text may be kept as a reason: one line of at most 200 characters. @internal */
export function isReason(value: unknown): value is string {
  return typeof value === 'string' && /^\P{C}{1,200}$/u.test(value);
}

function isChange(value: unknown): value is Change {
  if (typeof value !== 'object' || value === null) return false;
  const { at, cause, reason } = value as { readonly [Name in keyof Change]?: unknown };
  if (typeof at !== 'number' || !(at >= 0 && at <= LAST_INSTANT_MS)) return false;
  return causes.some((known) => known === cause) && (reason === undefined || isReason(reason));
}
