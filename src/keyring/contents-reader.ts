/** Opens and parses what a read of the store showed: which ring counts, and in which form. */

import { isRewtError, StoreError } from '../errors.js';
import { isInstant, type KeyEntry, type Snapshot } from '../stores/store.js';
import type { Contents } from './contents.js';
import { waitsForRing } from './errors.js';
import type { Form } from './plan.js';
import { MAX_SOFT_AGE_MS } from './policy.js';
import type { Ring } from './ring.js';
import type { Opened, Sealing } from './sealing.js';
import { ringOfTwo } from './two-names.js';

/**
 * Contents of the store that cannot be read: no ring of rewt, one of a later version, or one under
 * a seal key that this member does not have.
 */
export type Replaceable = 'unreadable' | 'newer' | 'sealed';

/** How one exchange reads. */
export interface Reading {
  /** Unreadable contents that count as none. Only `revoke()` replaces them, and only by option. */
  readonly replace?: Replaceable | null;
  /** Begins a sealed ring beside a K at once, and waits for no member that may know the old one. */
  readonly isUrgent?: boolean;
}

/** What a read found, opened. */
export interface Read {
  readonly contents: Contents;
  /** The ring that is taken for the keyring; null for none. */
  readonly opened: Opened | null;
  /** The form in which a write of these contents goes on. */
  readonly form: Form;
}

export class ContentsReader {
  readonly #sealing: Sealing;
  /** The ring opened last: most reads find the same text again. */
  #last: { readonly text: string; readonly opened: Opened } | null = null;
  /** The store's clock when K without a ring was first read; null if there is a ring, or no K. */
  #ringlessSinceMs: number | null = null;

  constructor(sealing: Sealing) {
    this.#sealing = sealing;
  }

  /**
   * @param known the last ring that this member read and proved; null for none
   * @throws {StoreError} for a ring that cannot be read, or a sealed one that may come back.
   */
  read({ nowMs, key, ring: text, beside }: Snapshot, { replace = null, isUrgent }: Reading, known: Ring | null): Read {
    if (!isInstant(nowMs)) throw new StoreError('ERR_REWT_STORE_DOWN', 'The store gives no time: mend its clock.');
    const first = text === null ? null : this.#openOr(text, replace);
    // Opened whatever `text` is: a ring of a later version must not go unseen.
    const second = beside === undefined ? null : this.#openOr(beside, replace === 'newer' ? 'any' : 'unreadable');
    if (first?.form === 'plain') this.#sealing.catchUp(first.ring, known, nowMs);
    const isForeign = first !== null && !this.#isTaken(first);
    const opened = this.#oneOf(isForeign ? null : first, second, key);
    const form = opened?.form ?? this.#sealing.formToBegin(key, replace === 'sealed');
    const contents = { nowMs, key, ring: opened?.ring ?? null, sealed: form !== 'plain', isForeign };
    if (!isUrgent) this.#assertLost(contents, this.#sealing.wasIn(form) ? known : null);
    return { contents, opened, form };
  }

  #oneOf(one: Opened | null, other: Opened | null, key: KeyEntry | null): Opened | null {
    if (one === null || other === null || !this.#isTaken(other)) return one;
    return ringOfTwo(one.ring, other.ring, key) === other.ring ? other : one;
  }

  #isTaken({ form }: Opened): boolean {
    return form !== 'plain' || this.#sealing.takesPlain;
  }

  /**
   * Waits for one soft age if K of a sealed ring is there without it, and this member knows none:
   * one that does writes it back. @throws {StoreError} until then
   */
  #assertLost({ nowMs, key, ring, sealed, isForeign }: Contents, known: Ring | null): void {
    const mayComeBack = sealed && ring === null && !isForeign && key !== null && known === null;
    this.#ringlessSinceMs = mayComeBack ? Math.min(this.#ringlessSinceMs ?? nowMs, nowMs) : null;
    if (this.#ringlessSinceMs !== null && nowMs < this.#ringlessSinceMs + MAX_SOFT_AGE_MS) throw waitsForRing();
  }

  /** @throws {StoreError} for what this member cannot read, unless that may be replaced. */
  #openOr(text: string, replace: Replaceable | 'any' | null): Opened | null {
    try {
      if (this.#last?.text !== text) this.#last = { text, opened: this.#sealing.open(text) };
      return this.#last.opened;
    } catch (error) {
      if (replace === 'any' || replace === stateOf(error)) return null;
      throw error;
    }
  }
}

/** What a ring is that cannot be read, as `replace` names it. */
function stateOf(error: unknown): Replaceable {
  const code = isRewtError(error) ? error.code : null;
  if (code === 'ERR_REWT_RING_NEWER') return 'newer';
  return code === 'ERR_REWT_RING_SEALED' ? 'sealed' : 'unreadable';
}
