/**
 * A store that already holds a keyring whose secrets the test knows, so that it can sign what no
 * honest member would.
 */

import { formatRing, type Ring, ringExpiresAt } from '../../src/keyring/ring.js';
import { memoryStore } from '../../src/stores/memory.js';
import type { Store } from '../../src/stores/store.js';
import { faultyStore } from './faulty-store.js';

export interface KnownSecrets {
  readonly current: string;
  readonly next: string;
  readonly retired: string;
  /** What K holds; the current secret, unless an operator's hand was at it. */
  readonly key?: string;
}

export const knownSecrets: KnownSecrets = {
  current: 'the-secret-that-signs-at-this-very-instant--',
  next: 'the-secret-that-signs-after-the-current-one-',
  retired: 'the-secret-that-signed-before-this-one-came-',
};

/**
 * As at the far end of a network, so that its members hold a copy on a lease; one register for all
 * of its namespaces.
 */
export async function knownStore(rings: Readonly<Record<string, KnownSecrets>>): Promise<Store> {
  const register = memoryStore();
  for (const [namespace, secrets] of Object.entries(rings)) {
    const { nowMs, version } = await register.read(namespace, { timeoutMs: 1 });
    const ring: Ring = {
      v: 1,
      id: 'known',
      epoch: 0,
      gen: 1,
      op: namespace,
      ttl: 3_600_000,
      overlap: 365_000,
      current: { secret: secrets.current, expiresAt: nowMs + 3_600_000 },
      next: { secret: secrets.next, since: nowMs },
      retired: [{ secret: secrets.retired, until: nowMs + 300_000 }],
    };
    const key = { value: secrets.key ?? secrets.current, expiresAtMs: ring.current.expiresAt };
    const wanted = { key, ring: { text: formatRing(ring), expiresAtMs: ringExpiresAt(ring) } };
    await register.swap(namespace, version, wanted, { timeoutMs: 1, notAfterMs: nowMs + 1_000 });
  }
  return faultyStore(register);
}
