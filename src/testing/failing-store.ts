/** A store that can be made to fail, so that a service's answer to an outage can be tested. */

import { type Store, StoreError } from '../index.js';

export interface FailingStore extends Store {
  /** From now on every read and write is refused, as by a Redis that is gone, until `recover()`. */
  fail(): void;
  recover(): void;
}

export function createFailingStore(store: Store): FailingStore {
  let isFailing = false;

  /** What it was told when the call came, not when it would be answered. */
  function assertUp(): void {
    if (isFailing) throw new StoreError('ERR_REWT_STORE_DOWN', 'The store of this test was told to fail.');
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
