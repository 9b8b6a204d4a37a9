/**
 * A store in this process's memory: for tests, and for trials without a server. It shares and
 * persists nothing.
 */

import { OptionError, StoreError } from '../errors.js';
import { optionReader, readClock } from '../validation/option-values.js';
import { type Entries, entriesAt, entriesWith } from './announced.js';
import { emptyRecord, type StoreRecord, snapshotOf, swapRecord } from './record.js';
import { isInstant, type Store } from './store.js';

/**
 * Creates an empty store that lives as long as the object does.
 *
 * @param options.now its clock, in milliseconds since the epoch; `Date.now` by default
 *
 * @example
 * ```ts
 * import { memoryStore, Rewt } from 'rewt';
 *
 * const rewt = new Rewt({ store: memoryStore() });
 * ```
 */
export function memoryStore(options: { now?: () => number } = {}): Store {
  const option = optionReader(options, { now: readClock }, 'memoryStore options');
  const clock = option('now', Date.now);
  // Whole milliseconds, as in every ring.
  const now = (): number => {
    const ms = Math.floor(clock());
    if (isInstant(ms)) return ms;
    throw new OptionError('now: must give milliseconds since the epoch. It gave something else', { option: 'now' });
  };
  const records = new Map<string, StoreRecord>();
  const announced = new Map<string, Entries>();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new StoreError('ERR_REWT_STORE_CLOSED', 'The store has been closed.');
  }

  function recordOf(namespace: string): StoreRecord {
    assertOpen();
    return records.get(namespace) ?? emptyRecord;
  }

  return {
    kind: 'memory',
    local: true,
    async read(namespace) {
      return snapshotOf(recordOf(namespace), now());
    },
    async swap(namespace, expected, wanted, { notAfterMs }) {
      const { write, answer } = swapRecord(recordOf(namespace), now(), { expected, wanted, notAfterMs });
      if (write) records.set(namespace, write);
      return answer;
    },
    async announce(namespace, id, text, { keepMs }) {
      assertOpen();
      announced.set(
        namespace,
        entriesWith(announced.get(namespace) ?? {}, id, text === null ? null : { text, keepMs }, now()),
      );
    },
    async announcements(namespace) {
      assertOpen();
      return entriesAt(announced.get(namespace) ?? {}, now());
    },
    async close() {
      closed = true;
      records.clear();
      announced.clear();
    },
  };
}
