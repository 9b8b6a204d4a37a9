/** A store that a test can make fail, to test a service during an outage. */

import { type Store, StoreError } from '../index.js';

/**
 * The store of a test, which a test can make fail.
 *
 * @example
 * ```ts
 * import { createTestRewt } from 'rewt/testing';
 *
 * const { store, clock } = await createTestRewt();
 * store.fail();
 * clock.advance('61s'); // members use their copy for maxStaleness, which is 60 s
 * ```
 */
export interface FailingStore extends Store {
  /**
   * From now on every read and write fails, like those of an unreachable Redis, until `recover()`.
   */
  fail(): void;
  /** Ends the outage. */
  recover(): void;
}

export function createFailingStore(store: Store): FailingStore {
  let isFailing = false;

  /** Throws if the store is set to fail at the time of the call, not of the reply. */
  function assertUp(): void {
    if (isFailing) throw new StoreError('ERR_REWT_STORE_DOWN', 'The store of this test is set to fail.');
  }

  return {
    kind: store.kind,
    local: store.local,
    async read(namespace, limits) {
      assertUp();
      return store.read(namespace, limits);
    },
    async swap(namespace, expected, wanted, limits) {
      assertUp();
      return store.swap(namespace, expected, wanted, limits);
    },
    close: () => store.close(),
    fail() {
      isFailing = true;
    },
    recover() {
      isFailing = false;
    },
  };
}
