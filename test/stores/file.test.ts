/** The file store: the suite of all stores, and what only a store of files can get wrong in one process. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore } from '../../src/stores/file.js';
import { Drafts } from '../../src/stores/file-drafts.js';
import { Look } from '../../src/stores/file-look.js';
import { Place } from '../../src/stores/file-place.js';
import { Reader } from '../../src/stores/file-reader.js';
import { formatRecord, recordName } from '../../src/stores/file-record.js';
import { nodeFileSystem } from '../../src/stores/file-system.js';
import type { StoreRecord } from '../../src/stores/record.js';
import type { Store } from '../../src/stores/store.js';
import { storeConformance } from '../conformance/store.js';

const createFolder = (): string => mkdtempSync(join(tmpdir(), 'rewt-file-'));
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Writes the next record past the store. */
async function rewrite(
  path: string,
  namespace: string,
  text: (before: StoreRecord, parent: string | null) => string,
): Promise<void> {
  const place = new Place(nodeFileSystem, path, namespace);
  const look = new Look(nodeFileSystem);
  const birth = await new Drafts(place).makeBirth();
  const { record, op, generation } = await new Reader(place, look).read();
  await look.end();
  writeFileSync(place.file(recordName(birth ?? '', generation + 1)), text(record, op), { flag: 'wx', mode: 0o600 });
}

storeConformance('the file store', async () => {
  let nowMs = 1_700_000_000_000;
  const path = createFolder();
  const stores: Store[] = [];
  const create = (): Store => {
    const store = fileStore({ path, now: () => nowMs });
    stores.push(store);
    return store;
  };
  const setKey = (namespace: string, key: StoreRecord['key']): Promise<void> =>
    rewrite(path, namespace, ({ ring }, parent) => formatRecord(nodeFileSystem.randomName(12), parent, { key, ring }));
  return {
    store: create(),
    async dispose() {
      await Promise.all(stores.map((store) => store.close()));
      remove(path);
    },
    advanceMs: (ms) => {
      nowMs += ms;
    },
    second: async () => create(),
    operatorSet: (namespace, value, ttlMs) =>
      setKey(namespace, { value, expiresAtMs: ttlMs === null ? null : nowMs + ttlMs }),
    operatorDelete: (namespace) => setKey(namespace, null),
  };
});
