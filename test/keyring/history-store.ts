/**
 * The store of a random history: its two entries, and what an operator, old rewt members and
 * failovers do to them. It keeps account of the tokens that must verify after that.
 */

import { parseRing, type Ring } from '../../src/keyring/ring.js';
import { isUsableSecret } from '../../src/keyring/secret.js';
import type { KeyEntry, WantedState } from '../../src/stores/store.js';
import type { PlainContents as Found } from './decisions.js';
import { NOW_MS, secretNamed } from './samples.js';

/**
 * What becomes of a swap: done, lost on the way, K written and R not, or another member was
 * quicker.
 */
export type Fault = 'fine' | 'lost' | 'half' | 'conflict';

/** What an operator, an old rewt or a failover does to the store. */
export type OperatorCommand =
  | { readonly do: 'SET'; readonly what: 'new' | 'short' | 'retired' | 'next'; readonly ttlMs: number | null }
  | { readonly do: 'EXPIRE' | 'old rewt'; readonly ttlMs: number }
  | { readonly do: 'DEL' | 'PERSIST' | 'FLUSHALL' | 'lose R' | 'old rewt signs' | 'other master' };

export interface Contents {
  readonly key: KeyEntry | null;
  readonly ring: { readonly text: string; readonly expiresAtMs: number } | null;
}

/** A token, as far as the keyring is concerned. */
interface Token {
  readonly secret: string;
  readonly endsAtMs: number;
}

export class HistoryStore {
  nowMs = NOW_MS;
  contents: Contents = { key: null, ring: null };
  /** What the store held before each write. */
  #past: Contents[] = [];
  /** What the master had that was left with the last failover. */
  #left: { readonly contents: Contents; readonly past: Contents[] } | null = null;
  /**
   * Secrets that an operator or an old rewt put there by hand: they may come back, or be there
   * twice.
   */
  protected readonly byHand = new Set<string>();
  /**
   * Values that were K while no ring held them. A failover that loses both their adoption and their
   * revocation brings them back as what looks like an operator's new secret, to a member that had
   * not held them when they were revoked.
   */
  protected readonly strays = new Set<string>();
  protected tokens: Token[] = [];
  /**
   * How often tokens have been given up: by a revocation, or by losing more than is promised to be
   * survived.
   */
  protected losses = 0;
  #named = 0;

  read(): Found {
    const { key, ring } = this.contents;
    return { nowMs: this.nowMs, key, ring: ring === null ? null : parseRing(ring.text) };
  }

  /** Lets time pass, and what has ended by then go. */
  protected wait(ms: number): void {
    this.nowMs += ms;
    this.#expire();
  }

  /** The swap itself. `expected` is what was read. */
  protected swap(expected: Contents, wanted: WantedState, fault: Fault): boolean {
    if (fault === 'lost' || this.contents !== expected) return false;
    const key = wanted.key ?? expected.key;
    this.#write({ key, ring: fault === 'half' ? expected.ring : wanted.ring });
    return fault !== 'half';
  }

  protected operate(command: OperatorCommand): void {
    const { key, ring } = this.contents;
    switch (command.do) {
      case 'DEL':
        if (key !== null) this.#write({ key: null, ring });
        return;
      case 'SET':
        this.#put(this.#valueOf(command.what), command.ttlMs);
        return;
      case 'old rewt':
        if (key === null) this.#put(this.#newValue(), command.ttlMs);
        return;
      case 'old rewt signs':
        // A K that outlived its end in the ring, for want of a TTL, is left out: should the swap
        // that retires it be cut short after K, nothing in the store tells this from a K that ended
        // in time. Where it is not cut short, advance.test.ts has the case.
        if (key !== null && key.expiresAtMs !== null && isUsableSecret(key.value)) {
          this.tokens.push({ secret: key.value, endsAtMs: this.nowMs + 5_000 });
        }
        return;
      case 'EXPIRE':
        if (key !== null) this.#write({ key: { ...key, expiresAtMs: this.nowMs + command.ttlMs }, ring });
        return;
      case 'PERSIST':
        if (key !== null) this.#write({ key: { ...key, expiresAtMs: null }, ring });
        return;
      case 'FLUSHALL':
        this.#write({ key: null, ring: null });
        return;
      case 'other master':
        if (this.#left !== null) this.#failOver(this.#left.contents, this.#left.past);
        return;
      case 'lose R':
        this.#write({ key, ring: null });
        // What only R held cannot be verified by a member that never read it.
        this.giveUpTokens();
        return;
    }
  }

  /** A failover to a replica that lacks the last writes. The clock goes on. */
  protected rollBack(writes: number): void {
    const earlier = this.#past.at(-writes);
    if (earlier !== undefined) this.#failOver(earlier, this.#past.slice(0, -writes));
  }

  protected giveUpTokens(): void {
    this.tokens = [];
    this.losses += 1;
  }

  #put(value: string, ttlMs: number | null): void {
    this.byHand.add(value);
    const expiresAtMs = ttlMs === null ? null : this.nowMs + ttlMs;
    this.#write({ key: { value, expiresAtMs }, ring: this.contents.ring });
  }

  #newValue(): string {
    this.#named += 1;
    return secretNamed(`hand-${this.#named}`);
  }

  #valueOf(what: 'new' | 'short' | 'retired' | 'next'): string {
    const { ring } = this.read();
    if (what === 'short') return 'too short to sign';
    if (what === 'next' && ring !== null) return ring.next.secret;
    if (what === 'retired') return ring?.retired[0]?.secret ?? this.#newValue();
    return this.#newValue();
  }

  #failOver(contents: Contents, past: Contents[]): void {
    this.#left = { contents: this.contents, past: this.#past };
    this.#past = past;
    this.contents = { ...contents };
    this.#expire();
    // More than one rotation may be lost, and that is not promised.
    this.giveUpTokens();
  }

  #write(contents: Contents): void {
    this.#past.push(this.contents);
    this.#become(contents);
    const { key, ring } = this.read();
    const isStray = key !== null && key.value !== ring?.current.secret && key.value !== ring?.next.secret;
    if (isStray && key.value !== null) this.strays.add(key.value);
  }

  #expire(): void {
    const { key, ring } = this.contents;
    const keyEnded = key !== null && key.expiresAtMs !== null && key.expiresAtMs <= this.nowMs;
    const ringEnded = ring !== null && ring.expiresAtMs <= this.nowMs;
    if (keyEnded || ringEnded) this.#become({ key: keyEnded ? null : key, ring: ringEnded ? null : ring });
  }

  /**
   * A K that went before any member adopted it takes the tokens along that old rewt members signed
   * with it: no other member ever knew it.
   */
  #become(contents: Contents): void {
    const { key, ring } = this.read();
    const adopted = new Set(ring === null ? [] : secretsOf(ring));
    this.contents = contents;
    if (key === null || key.value === contents.key?.value || adopted.has(key.value ?? '')) return;
    if (contents.ring !== null && secretsOf(parseRing(contents.ring.text)).includes(key.value ?? '')) return;
    this.tokens = this.tokens.filter(({ secret }) => secret !== key.value);
  }
}

export function secretsOf(ring: Ring): string[] {
  return [ring.current, ring.next, ...ring.retired].map((slot) => slot.secret);
}
