/**
 * The step between the contents of the store and the decisions: K becomes a role, a plan becomes
 * texts. Pure.
 */

import type { KeyEntry, WantedState } from '../stores/store.js';
import { type History, secretsOf } from './history.js';
import type { Plan, Seen, SeenKey } from './plan.js';
import { formatRing, type Ring, ringExpiresAt } from './ring.js';
import { isUsableSecret } from './secret.js';

/** What was read, with the ring parsed. */
export interface Contents {
  readonly nowMs: number;
  readonly key: KeyEntry | null;
  readonly ring: Ring | null;
}

/** Replaces K's text by its role, for a member that has seen `history`. */
export function seenIn({ nowMs, key, ring }: Contents, history: History): Seen {
  return { nowMs, key: keyIn(key, ring, history), ring };
}

/** The contents of the store once a plan is written. */
export function contentsFor({ ring, writesKey }: Plan): WantedState {
  const { secret, expiresAt } = ring.current;
  return {
    key: writesKey ? { value: secret, expiresAtMs: expiresAt } : null,
    ring: { text: formatRing(ring), expiresAtMs: ringExpiresAt(ring) },
  };
}

/** Tests whether K is the secret that signs, or the one after it. */
export function holdsCurrentOrNext({ current, next }: Ring, key: KeyEntry | null): boolean {
  return key !== null && (key.value === current.secret || key.value === next.secret);
}

function keyIn(key: KeyEntry | null, ring: Ring | null, history: History): SeenKey {
  if (key === null) return { role: 'none', secret: null, expiresAtMs: null };
  const { value, expiresAtMs } = key;
  if (!isUsableSecret(value)) return { role: 'unusable', secret: null, expiresAtMs };
  const inRing = ring === null ? null : roleIn(ring, value);
  // A secret that was revoked stays so, whether a failover or an operator brings it back.
  if (inRing === null && history.revoked.has(value)) return { role: 'revoked', secret: null, expiresAtMs };
  return { role: inRing ?? roleBefore(value, ring, history), secret: value, expiresAtMs };
}

/** The role of a value that the ring that was read does not have. */
function roleBefore(value: string, ring: Ring | null, history: History): SeenKey['role'] {
  const known = history.ring === null ? null : roleIn(history.ring, value);
  if (ring === null && known !== null) return known;
  return known !== null || history.lost.has(value) ? 'lost' : 'other';
}

function roleIn(ring: Ring, value: string): 'current' | 'next' | 'retired' | null {
  if (value === ring.next.secret) return 'next';
  if (value === ring.current.secret) return 'current';
  return secretsOf(ring).includes(value) ? 'retired' : null;
}
