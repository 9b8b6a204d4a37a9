/** The namespaces in the folder of an embedded store. */

import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRewtError, StoreError } from '../../errors.js';
import { asStoreError } from '../../stores/files/faults.js';
import { Place } from '../../stores/files/place.js';
import { folderName, NAMESPACE } from '../../stores/files/records.js';
import { errnoOf, nodeFileSystem } from '../../stores/files/system.js';
import type { FoundNamespaces } from '../../stores/redis/find.js';

/**
 * Finds the namespaces that have a record. Creates nothing.
 *
 * @throws {StoreError} if the folder cannot be listed, or the store rejects it
 */
export async function namespacesIn(folder: string): Promise<FoundNamespaces> {
  const names: string[] = [];
  const unread: { of: string; error: StoreError }[] = [];
  // Without a particular namespace.
  const place = new Place(nodeFileSystem, resolve(folder), '');
  const owner = await place.guard.root();
  if (owner === null) return { names, unread };
  for (const inside of foldersIn(folder)) {
    try {
      if (!hasRecord(join(folder, inside))) continue;
      const name = await place.text(join(folder, inside, NAMESPACE), owner);
      if (name === null) throw nameless();
      if (folderName(name) === inside) names.push(name);
    } catch (error) {
      unread.push({ of: join(folder, inside), error: asFailure(error, folder) });
    }
  }
  return { names: names.sort(), unread };
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f]{32}$/.test(name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw asFailure(error, folder);
  }
}

function hasRecord(path: string): boolean {
  return readdirSync(path).some((name) => name.startsWith('ring.'));
}

function nameless(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DOWN',
    `The file ${NAMESPACE} is missing there: the next rotation writes it. If you know the name, you can ` +
      'use the keyring anyway.',
  );
}

function asFailure(error: unknown, folder: string): StoreError {
  const failure = asStoreError(error, folder);
  if (isRewtError(failure) && failure.status === 503) return failure as StoreError;
  throw failure;
}
