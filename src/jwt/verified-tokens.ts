/**
 * Remembers tokens whose MAC was right, since services send the same one many times.
 *
 * An entry stands for "this text is authentic under this copy of the keyring", and for nothing
 * else: its secret may have come to its end, and its claims are judged anew each time. Only
 * authentic tokens come in, and only when they are seen again, so an attacker can neither fill it
 * nor flush it.
 */

import type { Authentic, VerifyingKey } from './authenticate.js';
import { copierOf, copyJson, hasFewContainers, isContainer, type JsonObject } from './json.js';
import { MAC_CHARACTERS } from './mac.js';

/**
 * The bytes of tokens that all entries together may have; in the heap an entry takes about twice
 * its token.
 */
const MAX_BYTES = 1_048_576;

/**
 * The lists and objects that remembered claims may have, themselves included: an empty list takes
 * ten times the two characters that it has in a token. Roles and permissions have far fewer.
 */
const MAX_CONTAINERS = 64;

/**
 * Where signatures of tokens that were seen once are kept: two in each place, since one alone would
 * keep two tokens that come in turns from ever being seen twice.
 */
const SEEN_PLACES = 4_096;

/** A token that is known to be authentic. Look at what `claimsOf` makes of its claims. */
export interface VerifiedToken {
  readonly token: string;
  readonly key: VerifyingKey;
  /** The claims; as JSON if so much is nested in them that it takes less room. */
  readonly claims: Readonly<JsonObject> | string;
  /** The lists and objects among the claims, which a copy would share, each with what copies it. */
  readonly nested: readonly (readonly [name: string, copy: (value: object) => object])[];
}

export class VerifiedTokens {
  readonly #mostEntries: number;
  /** What the entries were verified under. */
  #under: object | null = null;
  /**
   * Two generations: when the young one is full, the old one is dropped and the young one takes its
   * place. By signature: 43 characters to hash in place of all.
   */
  #young = new Map<string, VerifiedToken>();
  #old = new Map<string, VerifiedToken>();
  #youngBytes = 0;
  /** 32 kB, and none for a member that verifies nothing. */
  #seen = new Uint32Array(0);

  /** @param mostEntries 0: nothing is remembered. */
  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries;
  }

  /**
   * What is known of a token under this copy of the keyring; whatever was known under another is
   * forgotten.
   */
  find(token: string, copy: object): VerifiedToken | null {
    if (this.#mostEntries === 0) return null;
    if (copy !== this.#under) this.forget(copy);
    const signature = token.slice(-MAC_CHARACTERS);
    const young = this.#young.get(signature);
    const entry = young ?? this.#old.get(signature);
    // The lookup leaks nothing: V8's hashes are seeded, and a client with a complete valid
    // signature has the token already.
    if (entry === undefined || entry.token !== token) return null;
    if (young === undefined) this.#insert(signature, entry);
    return entry;
  }

  /** Remembers an authentic token if this is the second time that it is seen. */
  admit(token: string, { key, claims, text }: Authentic): void {
    if (this.#mostEntries === 0 || claims === null || !this.#wasSeen(token)) return;
    // A copy of the text: a slice would keep alive what it was cut from, such as a request's whole
    // header.
    const own = Buffer.from(token, 'latin1').toString('latin1');
    const kept = hasFewContainers(claims, MAX_CONTAINERS) ? copyJson(claims) : text;
    const nested = Object.entries(kept === text ? {} : claims).flatMap(([name, value]) =>
      isContainer(value) ? [[name, copierOf(value)] as const] : [],
    );
    this.#insert(own.slice(-MAC_CHARACTERS), { token: own, key, claims: kept, nested });
  }

  /** Forgets everything, and goes on under another copy of the keyring. */
  forget(copy: object | null = null): void {
    this.#under = copy;
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }

  #insert(signature: string, entry: VerifiedToken): void {
    if (this.#young.has(signature)) return;
    const bytes = entry.token.length;
    if (this.#young.size >= this.#mostEntries / 2 || this.#youngBytes + bytes > MAX_BYTES / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(signature, entry);
    this.#youngBytes += bytes;
  }

  /**
   * Whether this token was among the last two in its place; now it is. Tokens that never come again
   * cost a look there, and no memory.
   */
  #wasSeen(token: string): boolean {
    if (this.#seen.length === 0) this.#seen = new Uint32Array(2 * SEEN_PLACES);
    const at = token.length - MAC_CHARACTERS;
    const place = 2 * (((token.charCodeAt(at) << 6) ^ token.charCodeAt(at + 1)) % SEEN_PLACES);
    let bits = 0;
    for (let next = at + 2; next < at + 7; next += 1) bits = (bits << 6) ^ token.charCodeAt(next);
    const mark = bits >>> 0;
    const last = this.#seen[place] as number;
    if (mark === last || mark === this.#seen[place + 1]) return true;
    this.#seen[place] = mark;
    this.#seen[place + 1] = last;
    return false;
  }
}

/** Copies the claims for one caller, who may alter the copy. */
export function claimsOf({ claims, nested }: VerifiedToken): JsonObject {
  if (typeof claims === 'string') return JSON.parse(claims) as JsonObject;
  const copy = { ...claims };
  for (const [name, copyOne] of nested) copy[name] = copyOne(copy[name] as object);
  return copy;
}
