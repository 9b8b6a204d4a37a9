/** The LMDB store keeps the contract of every store, across processes, crashes and bad folders. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lmdbStore } from '../../src/stores/lmdb.js';
import { storeConformance } from '../conformance/store.js';

storeConformance('the lmdb store', async () => {
  let nowMs = 1_700_000_000_000;
  const now = () => nowMs;
  const path = mkdtempSync(join(tmpdir(), 'rewt-lmdb-'));
  const stores = [lmdbStore({ path, now })];
  return {
    store: stores[0] ?? lmdbStore({ path }),
    async dispose() {
      await Promise.all(stores.map((s) => s.close()));
      rmSync(path, { recursive: true });
    },
    advanceMs: (ms) => {
      nowMs += ms;
    },
    async second() {
      const store = lmdbStore({ path, now });
      stores.push(store);
      return store;
    },
  };
});
