/** What can be said of a keyring without saying anything of its secrets. Pure. */

import { advance, type Plan, type Policy } from '../../keyring/advance.js';
import { createCopy } from '../../keyring/copy.js';
import { mint } from '../../keyring/exchange.js';
import { NOTHING_KNOWN } from '../../keyring/known.js';
import { parseRing, type Ring } from '../../keyring/ring.js';
import { isUsableSecret } from '../../keyring/secret.js';
import { type KeyringStatus, keyringStatusOf } from '../../status.js';
import type { Snapshot } from '../../stores/store.js';

/** 'uuid': as the original rewt makes them. 'weak': long enough, but made of few different characters. 'unusable': no member signs with it. */
export type SecretShape = 'good' | 'uuid' | 'weak' | 'unusable';

export interface KeyringFacts {
  /** K; null: there is none. */
  readonly key: { readonly hasTtl: boolean; readonly shape: SecretShape } | null;
  readonly ring: 'none' | 'readable' | 'unreadable' | 'newer';
  /** What the next member that reads this writes, by its row in protocol.md; null: nothing. */
  readonly plan: Plan['name'] | null;
  /** Secrets in the ring that an original rewt made: how long tokens without kid can still verify. */
  readonly withoutKid: { readonly current: boolean; readonly untilMs: number } | null;
  /** As `status()` would show it; null where it cannot be read. */
  readonly status: KeyringStatus | null;
  readonly nowMs: number;
}

/** Fewer different characters are no random text. */
const FEWEST_CHARACTERS = 10;

export function keyringFactsOf({ nowMs, key, ring: text }: Snapshot): KeyringFacts {
  const { ring, state } = readRing(text);
  const seen = { nowMs, key, ring };
  const plan = state === 'unreadable' || state === 'newer' ? null : advance(seen, policyFor(ring), NOTHING_KNOWN, mint);
  return {
    key: key === null ? null : { hasTtl: key.expiresAtMs !== null, shape: shapeOf(key.value) },
    ring: state,
    plan: plan?.name ?? null,
    withoutKid: ring === null ? null : withoutKidIn(ring, nowMs),
    status: ring === null ? null : keyringStatusOf(createCopy(ring), nowMs),
    nowMs,
  };
}

export function shapeOf(secret: string | null): SecretShape {
  if (!isUsableSecret(secret)) return 'unusable';
  if (isUuid(secret)) return 'uuid';
  return new Set(secret).size < FEWEST_CHARACTERS ? 'weak' : 'good';
}

function isUuid(secret: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(secret);
}

function readRing(text: string | null): { ring: Ring | null; state: KeyringFacts['ring'] } {
  if (text === null) return { ring: null, state: 'none' };
  try {
    return { ring: parseRing(text), state: 'readable' };
  } catch (error) {
    const isNewer = (error as { code?: unknown }).code === 'ERR_REWT_RING_NEWER';
    return { ring: null, state: isNewer ? 'newer' : 'unreadable' };
  }
}

/** That of a member which asks for nothing, with the usual times as far as they fit the ring. */
function policyFor(ring: Ring | null): Policy {
  const ttlMs = ring?.ttl ?? 86_400_000;
  const clockToleranceMs = Math.min(5_000, ttlMs / 4);
  const maxStalenessMs = Math.min(60_000, ttlMs / 2);
  const leadMs = Math.min(2_000, maxStalenessMs / 2) + clockToleranceMs;
  return { ttlMs, overlapMs: ring?.overlap ?? 365_000, clockToleranceMs, maxStalenessMs, leadMs, asks: null };
}

function withoutKidIn({ current, overlap, retired }: Ring, nowMs: number): KeyringFacts['withoutKid'] {
  const isCurrent = isUuid(current.secret);
  const untilMs = Math.max(
    isCurrent ? current.expiresAt + overlap : 0,
    ...retired.filter(({ secret, until }) => isUuid(secret) && until > nowMs).map(({ until }) => until),
  );
  return untilMs === 0 ? null : { current: isCurrent, untilMs };
}
