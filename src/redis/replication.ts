/** Reads what `INFO replication` says of a server's part in replication. Pure. */

import type { Reply } from './port.js';

export interface Replication {
  readonly role: 'master' | 'replica';
  /** Connected replicas, in step or not. */
  readonly replicas: number;
  /** Whether it was a replica before, and took over from its master. */
  readonly hasTakenOver?: true;
  /** Replicas that count for `min-replicas-to-write`; null: the server does not set it, or is a replica. */
  readonly goodReplicas: number | null;
}

/** Null for what is no answer to `INFO replication` or `INFO`, for instance an error because the user lacks `+info`. */
export function parseReplication(info: Reply | Error): Replication | null {
  if (typeof info !== 'string') return null;
  const role = field(info, 'role');
  if (role === null) return null;
  const good = field(info, 'min_slaves_good_slaves');
  // The history of the master that it followed; all zeros for one that followed none.
  const hasTakenOver = role === 'master' && /[1-9a-f]/.test(field(info, 'master_replid2') ?? '');
  return {
    role: role === 'master' ? 'master' : 'replica',
    replicas: Number(field(info, 'connected_slaves') ?? 0),
    goodReplicas: good === null ? null : Number(good),
    ...(hasTakenOver ? { hasTakenOver } : {}),
  };
}

/**
 * Tells whether another master may have replaced this one without its knowledge: `min-replicas-to-write` is set, and no
 * replica is in step. A client that may write learns more from `NOREPLICAS`, since the number that is wanted is not in `INFO`.
 */
export function mayBeDeposed({ role, goodReplicas }: Replication): boolean {
  return role === 'master' && goodReplicas === 0;
}

function field(info: string, name: string): string | null {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? null;
}
