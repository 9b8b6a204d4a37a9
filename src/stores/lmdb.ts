/** `lmdbStore`: the name of the former embedded store, which only throws. */

import { OptionError } from '../errors.js';

/**
 * Reports that `fileStore` replaced the store on LMDB.
 *
 * @deprecated
 * @throws {OptionError} always
 *
 * @example
 * ```ts
 * import { fileStore } from 'rewt';
 *
 * const store = fileStore({ path: '/var/lib/orders/keyring' }); // in place of lmdbStore()
 * ```
 */
export function lmdbStore(_options?: object): never {
  throw new OptionError('store: lmdbStore was removed. Use fileStore({ path }) with another folder.', {
    option: 'store',
  });
}
