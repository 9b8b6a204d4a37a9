/** The seal keys of simulated fleets: the same ones in each play. */

import { createHash } from 'node:crypto';
import { SealKey } from '../../src/seal/seal-key.js';

/** The full name of K. */
export const KEY_NAME = 'rewt:rewt-secret';

/** The key that each sealed fleet has, and one that it may move to. */
export const keyBytes = { old: bytesOf('old'), new: bytesOf('new') };

export const keyIds = { old: new SealKey(keyBytes.old).id, new: new SealKey(keyBytes.new).id };

/** By their ids. */
export const sealKeys: ReadonlyMap<string, SealKey> = new Map(
  Object.values(keyBytes).map((bytes) => {
    const key = new SealKey(bytes);
    return [key.id, key];
  }),
);

function bytesOf(name: string): Buffer {
  return createHash('sha256').update(`the ${name} seal key of a simulated fleet`).digest();
}
