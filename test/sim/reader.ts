/**
 * What servers hold, as the owner of the seal keys reads it: an envelope is its ring, and a mark in
 * K is the secret that it names. Written from protocol.md, "A sealed keyring".
 */

import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { kidOf } from '../../src/keyring/secret.js';
import { openSealed, sealedBy } from '../../src/seal/envelope.js';
import type { StoreRecord } from '../../src/stores/record.js';
import { KEY_NAME, sealKeys } from './seals.js';
import { type Entries, secretsIn, type Written } from './written.js';

/** A ring's text, opened. */
interface Opened {
  readonly ring: Written | null;
  /** The id of the seal key that it names; null for none. */
  readonly keyId: string | null;
  /** Why it is not the keyring of sealed members; null: it is, or there is none. */
  readonly odd: 'plain' | 'unreadable' | null;
}

const NONE: Opened = { ring: null, keyId: null, odd: null };
const MARK = 'rewt-kid.';

export class Reader {
  /** Whether the members seal. */
  readonly isSealed: boolean;
  readonly #opened = new WeakMap<StoreRecord, Opened>();
  readonly #secretsByMark = new Map<string, string>();

  constructor(isSealed: boolean) {
    this.isSealed = isSealed;
  }

  ringIn(record: StoreRecord): Written | null {
    return this.#open(record).ring;
  }

  /** The id of the seal key that a member needs for this; null for none. */
  keyIdIn(record: StoreRecord): string | null {
    return this.#open(record).keyId;
  }

  /** What is there at `nowMs` of the store's clock. */
  entriesOf(record: StoreRecord, nowMs: number): Entries {
    const { key, ring } = record;
    const keyEndMs = key?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const isRing = ring !== null && nowMs < (ring.expiresAtMs ?? Number.POSITIVE_INFINITY);
    // Opened before K is read: its marks are known from then on.
    const { ring: written, odd } = isRing ? this.#open(record) : NONE;
    return {
      key: key !== null && nowMs < keyEndMs ? { value: this.#valueOf(key.value, written), endMs: keyEndMs } : null,
      ring: written,
      odd,
    };
  }

  #open(record: StoreRecord): Opened {
    let opened = this.#opened.get(record);
    if (opened === undefined) {
      opened = record.ring === null ? NONE : this.#read(record.ring.text);
      this.#opened.set(record, opened);
      if (this.isSealed) {
        for (const secret of secretsIn({ key: null, ring: opened.ring }))
          this.#secretsByMark.set(MARK + kidOf(secret), secret);
      }
    }
    return opened;
  }

  #read(text: string): Opened {
    if (!this.isSealed) return { ...NONE, ring: JSON.parse(text) as Ring };
    const keyId = sealedBy(text);
    try {
      // A plain ring is none here, and neither is any other text.
      if (keyId === null) return { ...NONE, odd: parseRing(text) && 'plain' };
      return { ring: parseRing(openSealed(text, sealKeys, KEY_NAME)), keyId, odd: null };
    } catch {
      return { ring: null, keyId, odd: 'unreadable' };
    }
  }

  /** The secret that K stands for. Beside a sealed ring no other value is a secret. */
  #valueOf(value: string | null, ring: Written | null): string | null {
    if (!this.isSealed || value === null) return value;
    const isUnmarked = ring !== null && (value === ring.current.secret || value === ring.next.secret);
    return isUnmarked ? value : (this.#secretsByMark.get(value) ?? 'no mark of a secret');
  }
}
