/**
 * The forms in which one run of the command reads and writes rings. A run is a short-lived member
 * without memory, so it takes plain and sealed rings, and writes back the form that it found: it
 * may come at any time while a fleet moves to a seal key, or back. Pure.
 */

import { markedKid } from '../../keyring/contents.js';
import { SealKeys } from '../../keyring/seal-keys.js';
import { SEALS, type Seals } from '../../keyring/seal-options.js';
import { Sealing } from '../../keyring/sealing.js';
import { isSealed } from '../../seal/envelope.js';
import type { SealKey } from '../../seal/seal-key.js';
import { processClock } from '../../time/clock.js';
import type { Found } from './found.js';

/** @param keyName the full name of K */
export function sealingWith(keys: readonly SealKey[], keyName: string): Sealing {
  return new Sealing({ keyName, keys: keys.length === 0 ? null : new SealKeys(keys, processClock), migrates: true });
}

/**
 * Returns the options of a member with these keys. It begins a ring sealed, unless there is a plain
 * ring, or a secret in plain text whose ring is missing.
 */
export function sealsFor(keys: readonly SealKey[], { entries: { key, ring } }: Found): { readonly [SEALS]?: Seals } {
  if (keys.length === 0) return {};
  const value = key?.value ?? null;
  const isPlain = ring === null ? value !== null && markedKid(value) === null : !isSealed(ring);
  return { [SEALS]: { sealKeys: keys, migrates: isPlain ? true : 'sealed' } };
}

/** Returns the note on a plain keyring if there is a seal key; null if there is nothing to note. */
export function plainNote(keys: readonly SealKey[], { ring, sealed }: Found): string | null {
  if (keys.length === 0 || ring === null || sealed !== null) return null;
  return 'the keyring is plain text, although there is a seal key here: rewt reseal seals it';
}
