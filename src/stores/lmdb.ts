/** The name of the former embedded store. */

import { OptionError } from '../errors.js';

/**
 * Reports that the store on LMDB was replaced by `fileStore`.
 *
 * @deprecated
 * @throws {OptionError} always
 */
export function lmdbStore(_options?: object): never {
  throw new OptionError('store: lmdbStore was removed. Use fileStore({ path }) with another folder.', {
    option: 'store',
  });
}
