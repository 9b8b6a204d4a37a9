/**
 * The forms in which one member reads and writes rings: in plain text, or sealed (protocol.md, "A
 * sealed keyring").
 */

import { randomBytes } from 'node:crypto';
import { StoreError } from '../errors.js';
import { isSealed, openSealed, seal, sealedBy } from '../seal/envelope.js';
import type { KeyEntry, WantedState } from '../stores/store.js';
import { keyTextOf, markedKid } from './contents.js';
import { ringWasSealed } from './errors.js';
import { sealedSecrets, secretsOf } from './history.js';
import type { Form, Plan } from './plan.js';
import { formatRing, parseRing, type Ring, ringExpiresAt } from './ring.js';
import type { SealKeys } from './seal-keys.js';

/** A ring as it was read, and its form. */
export interface Opened {
  readonly ring: Ring;
  readonly form: Form;
}

export interface SealingOptions {
  /** The full name of K, which every sealed ring is bound to. */
  readonly keyName: string;
  /** Null: nothing is sealed. */
  readonly keys: SealKeys | null;
  /**
   * Takes plain rings too, until this member has seen a sealed one. It begins a ring in plain text,
   * or 'sealed'.
   */
  readonly migrates: boolean | 'sealed';
  /** Called if the form is another one than before. */
  onChange?(form: Form, before: Form): void;
}

export class Sealing {
  readonly #options: SealingOptions;
  /** The form of the last ring that this member read; null before the first. */
  #form: Form | null = null;
  /** Whether this member was shown an envelope, and took no plain ring since. */
  #sawEnvelope = false;
  /** Whether a plain ring may follow the last one: that was plain, or says so. */
  #plainMayFollow = true;
  /**
   * The last write of a lineage that says nothing of the kind: what says so and comes from before
   * it was put back.
   */
  #shut: Pick<Ring, 'id' | 'epoch' | 'gen'> | null = null;

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  /** The form of the last ring that this member read; null before the first. */
  get form(): Form | null {
    return this.#form;
  }

  /** Tests whether the last ring that this member read was sealed if, and only if, `form` is. */
  wasIn(form: Form): boolean {
    return this.#form === null || (this.#form === 'plain') === (form === 'plain');
  }

  /** The full name of K, which every sealed ring is bound to. */
  get keyName(): string {
    return this.#options.keyName;
  }

  /** The ids of the keys that this member opens. */
  get ids(): readonly string[] {
    return this.#options.keys?.ids ?? [];
  }

  /** Whether the keys are there that a read takes. */
  get isReady(): boolean {
    const { keys } = this.#options;
    return keys === null || keys.held.size > 0;
  }

  /** Waits for the keys. @throws {StoreError} ERR_REWT_RING_SEALED if they do not come in time */
  async ready(timeoutMs: number): Promise<void> {
    await this.#options.keys?.ready(timeoutMs);
  }

  /** Whether this member goes on with a plain ring that a sealed one announced. */
  get followsToPlain(): boolean {
    const { keys, migrates } = this.#options;
    return keys === null || migrates !== false;
  }

  /** Tests whether this member takes a plain ring for the keyring. */
  get takesPlain(): boolean {
    return this.#options.keys === null || (this.followsToPlain && this.#plainMayFollow);
  }

  /**
   * Opens and parses a ring.
   *
   * @throws {StoreError} ERR_REWT_RING_SEALED for a seal key that this member does not have; as
   * `parseRing`
   */
  open(text: string): Opened {
    if (!isSealed(text)) return { ring: plainRing(parseRing(text)), form: 'plain' };
    this.#sawEnvelope = true;
    const { keys, keyName } = this.#options;
    const keyId = sealedBy(text);
    if (keyId !== null && keys?.held.has(keyId) === false) keys.askAgain();
    const opened = openSealed(text, keys?.held ?? new Map(), keyName);
    // An envelope that opened has an id.
    return { ring: parseRing(opened), form: { keyId: keyId as string } };
  }

  /** Opens and parses a ring; null for one that cannot be read. */
  ringIn(text: string): Ring | null {
    try {
      return this.open(text).ring;
    } catch {
      return null;
    }
  }

  /** Remembers the form of a ring that was read and is taken for the keyring. */
  took({ ring, form }: Opened): void {
    const before = this.#form;
    this.#form = form;
    this.#sawEnvelope = form !== 'plain';
    if (before !== null && keyIdOf(before) !== keyIdOf(form)) this.#options.onChange?.(form, before);
    const { id, epoch, gen } = ring;
    // A later epoch may count its writes anew: row 1 goes on from an older ring.
    const shut = this.#shut?.id === id && this.#shut.epoch >= epoch ? this.#shut : { id, epoch, gen: -1 };
    this.#plainMayFollow = form === 'plain' || (ring.opening === true && gen > shut.gen);
    if (form !== 'plain' && !ring.opening) this.#shut = { ...shut, gen: Math.max(gen, shut.gen) };
  }

  /**
   * Lets a plain ring follow that has a secret which only the known sealed one had: a member wrote
   * it, and this one did not read the announcement.
   *
   * @param known the last ring that this member read and proved. After its end nothing is taken: a
   * writer may have kept its secrets since.
   */
  catchUp(plain: Ring, known: Ring | null, nowMs: number): void {
    const wasSealed = this.#form !== null && this.#form !== 'plain';
    if (known === null || !wasSealed || !this.followsToPlain || nowMs >= ringExpiresAt(known)) return;
    const secrets = secretsOf(plain);
    if (sealedSecrets(known).some((secret) => secrets.includes(secret))) this.#plainMayFollow = true;
  }

  /** Remembers a ring that was read and is not trusted. After a sealed one no plain one follows. */
  distrusted({ form }: Opened): void {
    if (form !== 'plain') this.#plainMayFollow = false;
  }

  /**
   * Returns the form in which this member begins a ring: that of the last one that it read, else
   * its first key. Plain text only if nothing shows that the namespace was sealed.
   *
   * @param replacesSealed whether `revoke()` replaces a sealed ring, by option
   * @throws {StoreError} ERR_REWT_RING_SEALED for a member without a key in a sealed namespace
   */
  formToBegin(key: KeyEntry | null, replacesSealed: boolean): Form {
    const { keys, migrates } = this.#options;
    const wasSealed = this.#sawEnvelope || markedKid(key?.value ?? '') !== null;
    if (keys === null) {
      if (wasSealed && !replacesSealed) throw ringWasSealed();
      return 'plain';
    }
    const last = this.#form;
    if (last !== null && last !== 'plain' && keys.held.has(last.keyId)) return last;
    const isPlain = last === null ? migrates === true : this.takesPlain;
    return isPlain && !wasSealed ? 'plain' : { keyId: keys.first() };
  }

  /** Returns the form for a ring in place of one that is not trusted: a writer chose its key. */
  formInPlaceOf(form: Form): Form {
    return form === 'plain' ? form : this.formToBegin(null, false);
  }

  /**
   * Writes a plan's texts, sealed anew at each call: once for each plan.
   *
   * @throws {StoreError} ERR_REWT_RING_SEALED for a seal key that this member does not have
   */
  contentsFor({ ring, writesKey }: Pick<Plan, 'ring' | 'writesKey'>, form: Form): WantedState {
    const { keys, keyName } = this.#options;
    const { secret, expiresAt } = ring.current;
    const text = formatRing(ring);
    return {
      key: writesKey ? { value: keyTextOf(secret, form !== 'plain'), expiresAtMs: expiresAt } : null,
      ring: {
        text: form === 'plain' ? text : seal(text, keyIn(keys, form.keyId), keyName, randomBytes),
        expiresAtMs: ringExpiresAt(ring),
      },
    };
  }
}

/** Drops what only a sealed ring has: in a plain one a writer put it there. */
function plainRing(ring: Ring): Ring {
  const { opening, exposed, current, ...rest } = ring;
  if (opening === undefined && exposed === undefined && current.since === undefined) return ring;
  const { since: _, ...plain } = current;
  return { ...rest, current: plain };
}

/** Returns the forms of a member without a seal key. */
export function unsealed(): Sealing {
  return new Sealing({ keyName: '', keys: null, migrates: false });
}

/** The id of the seal key of a form; null for plain text. */
export function keyIdOf(form: Form): string | null {
  return form === 'plain' ? null : form.keyId;
}

function keyIn(keys: SealKeys | null, id: string) {
  const key = keys?.held.get(id);
  if (key !== undefined) return key;
  throw new StoreError('ERR_REWT_RING_SEALED', `This member does not have the seal key ${id}. Add it to \`sealKey\`.`);
}
