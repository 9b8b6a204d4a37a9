/**
 * The step between the contents of the store and the decisions: K becomes a role, a plan becomes
 * texts. Pure.
 */

import type { KeyEntry } from '../stores/store.js';
import { type History, secretsOf } from './history.js';
import type { Seen, SeenKey } from './plan.js';
import type { Ring } from './ring.js';
import { isUsableSecret, kidOf } from './secret.js';

/** The beginning of K beside a sealed ring; the kid of current follows. Too short to sign. */
const MARK = 'rewt-kid.';

/** What was read, with the ring opened and parsed. */
export interface Contents extends Pick<Seen, 'nowMs' | 'ring' | 'sealed' | 'isForeign'> {
  readonly key: KeyEntry | null;
}

/** Returns the contents of a store whose keyring is plain text. */
export function plainContents(read: Pick<Contents, 'nowMs' | 'key' | 'ring'>): Contents {
  return { ...read, sealed: false, isForeign: false };
}

/**
 * Replaces K's text by its role, for a member that has seen `history`.
 *
 * @param repairs whether this member would write the known ring back as it read it. One that was
 * plain text is not sealed so: a writer may have put it there.
 */
export function seenIn({ key, ...read }: Contents, history: History, repairs = true): Seen {
  const seen = (read.sealed ? markedKey : plainKey)(key, read.ring, history);
  const isKnown = read.ring === null && !repairs && seen.role !== 'none' && seen.role !== 'revoked';
  return { ...read, key: isKnown ? { ...seen, role: 'lost' } : seen };
}

/** The text of K that stands for a secret. */
export function keyTextOf(secret: string, sealed: boolean): string {
  return sealed ? MARK + kidOf(secret) : secret;
}

/** Returns the kid that a mark names; null for every other text. */
export function markedKid(text: string): string | null {
  return /^rewt-kid\.([\w-]{11})$/.exec(text)?.[1] ?? null;
}

/** Tests whether K stands for the secret that signs, or the one after it. */
export function holdsCurrentOrNext({ current, next }: Ring, key: KeyEntry | null): boolean {
  return (
    key !== null && [current, next].some(({ secret }) => key.value === secret || key.value === keyTextOf(secret, true))
  );
}

function plainKey(key: KeyEntry | null, ring: Ring | null, history: History): SeenKey {
  if (key === null) return { role: 'none', secret: null, expiresAtMs: null };
  const { value, expiresAtMs } = key;
  if (!isUsableSecret(value)) return { role: 'unusable', secret: null, expiresAtMs };
  const is = (secret: string) => secret === value;
  const role = roleOf(is, ring, history) ?? 'other';
  // A secret that was revoked stays so, whether a failover or an operator brings it back.
  return { role, secret: role === 'revoked' ? null : value, expiresAtMs };
}

/** K beside a sealed ring, or without a ring where the last one was sealed. Nothing is adopted. */
function markedKey(key: KeyEntry | null, ring: Ring | null, history: History): SeenKey {
  if (key === null) return { role: 'none', secret: null, expiresAtMs: null };
  const { value, expiresAtMs } = key;
  const role = value === null ? 'unusable' : (markedRole(value, ring, history) ?? 'other');
  return { role, secret: null, expiresAtMs };
}

function markedRole(value: string, ring: Ring | null, history: History): SeenKey['role'] | null {
  if (value.startsWith(MARK)) {
    const is = (secret: string) => keyTextOf(secret, true) === value;
    return roleOf(is, ring, history) ?? 'unknown';
  }
  return ring !== null && [ring.current, ring.next].some(({ secret }) => secret === value) ? 'unmarked' : null;
}

/** The role of the secret that K stands for; null for one that this member does not know. */
function roleOf(is: (secret: string) => boolean, ring: Ring | null, history: History): SeenKey['role'] | null {
  const inRing = ring === null ? null : roleIn(ring, is);
  if (inRing !== null) return inRing;
  if ([...history.revoked].some(is)) return 'revoked';
  const known = history.ring === null ? null : roleIn(history.ring, is);
  if (ring === null && known !== null) return known;
  return known !== null || [...history.lost].some(is) ? 'lost' : null;
}

function roleIn(ring: Ring, is: (secret: string) => boolean): 'current' | 'next' | 'retired' | null {
  if (is(ring.next.secret)) return 'next';
  if (is(ring.current.secret)) return 'current';
  return secretsOf(ring).some(is) ? 'retired' : null;
}
