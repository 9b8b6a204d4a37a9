/** The namespaces in the folder of an embedded store. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRewtError, type StoreError } from '../errors.js';
import type { FoundNamespaces } from '../redis/find.js';
import { asStoreError } from '../stores/file-errors.js';
import { Guard } from '../stores/file-guard.js';
import { folderName, NAMESPACE } from '../stores/file-record.js';
import { errnoOf, nodeFileSystem } from '../stores/file-system.js';

/**
 * Finds those that have a record. Makes nothing.
 *
 * @throws {StoreError} if the folder cannot be listed, or the store refuses it
 */
export async function namespacesIn(folder: string): Promise<FoundNamespaces> {
  const names: string[] = [];
  const unread: { of: string; error: StoreError }[] = [];
  await new Guard(nodeFileSystem, folder, dirname(folder)).root();
  for (const inside of foldersIn(folder)) {
    try {
      const name = nameOf(join(folder, inside));
      if (name !== null && folderName(name) === inside) names.push(name);
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

/** Null for a folder without a record. */
function nameOf(path: string): string | null {
  if (!readdirSync(path).some((name) => name.startsWith('ring.'))) return null;
  return readFileSync(join(path, NAMESPACE), 'utf8');
}

function asFailure(error: unknown, folder: string): StoreError {
  const failure = asStoreError(error, folder);
  if (isRewtError(failure) && failure.status === 503) return failure as StoreError;
  throw failure;
}
