/** The reader of `INFO replication`. Pure. */

import type { Reply } from './clients/port.js';

export interface Replication {
  readonly role: 'master' | 'replica';
  /** Connected replicas, in step or not. */
  readonly replicas: number;
  /** True if it was a replica before, and took over from its master. */
  readonly hasTakenOver?: true;
  /**
   * Replicas that count for `min-replicas-to-write`; null: the server does not set it, or is a
   * replica.
   */
  readonly goodReplicas: number | null;
}

/**
 * Parses the reply to `INFO replication` or `INFO`. Null for any other reply, for example an error
 * because the user lacks `+info`.
 */
export function parseReplication(info: Reply | Error): Replication | null {
  if (typeof info !== 'string') return null;
  const role = field(info, 'role');
  if (role === null) return null;
  const good = field(info, 'min_slaves_good_slaves');
  // The replication ID of the master that it followed; all zeros if it followed none.
  const hasTakenOver = role === 'master' && /[1-9a-f]/.test(field(info, 'master_replid2') ?? '');
  return {
    role: role === 'master' ? 'master' : 'replica',
    replicas: Number(field(info, 'connected_slaves') ?? 0),
    goodReplicas: good === null ? null : Number(good),
    ...(hasTakenOver ? { hasTakenOver } : {}),
  };
}

/**
 * Checks if another master may have replaced this one without its knowledge:
 * `min-replicas-to-write` is set, and no replica is in step. `INFO` does not show the required
 * number; a client that may write learns more from `NOREPLICAS`.
 */
export function mayBeDeposed({ role, goodReplicas }: Replication): boolean {
  return role === 'master' && goodReplicas === 0;
}

function field(info: string, name: string): string | null {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? null;
}
