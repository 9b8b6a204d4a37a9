/**
 * `fileStore`: the embedded store by its public name. A process loads the rest of it at the first
 * call (docs/adr/0031).
 */

import { type FileStoreOptions, fileStoreOn } from './files/file-store.js';
import { nodeFileSystem } from './files/system.js';
import type { Store } from './store.js';

/**
 * Creates a store in the folder `path`. Opens nothing before the first call.
 *
 * @throws {OptionError} for an invalid path, and on a platform other than Linux and macOS
 *
 * @example
 * ```ts
 * import { fileStore, Rewt } from 'rewt';
 *
 * const store = fileStore({ path: '/var/lib/orders/keyring' });
 * const rewt = new Rewt({ store });
 * ```
 */
export function fileStore(options: FileStoreOptions): Store {
  return fileStoreOn(nodeFileSystem, process.platform, options);
}
