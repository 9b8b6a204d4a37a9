/** The options `sealKey` and `sealing` of a Rewt. */

import { OptionError } from '../errors.js';
import { readSealKey, type SealKey } from '../seal/seal-key.js';
import type { SealKeySource } from './seal-keys.js';
import type { SealingOptions } from './sealing.js';

/** As many as a member can announce that it opens. */
const MAX_SEAL_KEYS = 4;

/** The seal keys of a member, once read. */
export interface Seals {
  /** Null: nothing is sealed. */
  readonly sealKeys: readonly SealKey[] | SealKeySource | null;
  readonly migrates: SealingOptions['migrates'];
}

/**
 * The option of the command, which has read the keys already, in place of `sealKey` and `sealing`.
 * @internal
 */
export const SEALS: unique symbol = Symbol('rewt.seals');

/**
 * Puts both options together.
 *
 * @throws {OptionError} for `sealing` without a key
 */
export function sealingOf(sealKeys: Seals['sealKeys'], sealing: 'migrate' | null): Seals {
  if (sealing === null || sealKeys !== null) return { sealKeys, migrates: sealing !== null };
  throw new OptionError("sealing: 'migrate' needs `sealKey`, the key to move to. Give it, or leave sealing out", {
    option: 'sealing',
  });
}

/** @throws {OptionError} for what is no key; what a function returns is read at each call. */
export function readSealKeys(value: unknown, option: string): readonly SealKey[] | SealKeySource {
  if (typeof value === 'function') return async () => readKeyList(await value(), option);
  return readKeyList(value, option);
}

function readKeyList(value: unknown, option: string): readonly SealKey[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.length <= MAX_SEAL_KEYS) return list.map((key) => readSealKey(key, option));
  throw new OptionError(`${option}: must be 1 to ${MAX_SEAL_KEYS} keys. Keep those that a keyring is still under`, {
    option,
  });
}

export function readSealing(value: unknown, option: string): 'migrate' {
  if (value === 'migrate') return value;
  throw new OptionError(`${option}: must be 'migrate', or be left out`, { option });
}
