/** Names for secrets, by their order of appearance: the same seed, the same names. */

import { kidOf } from '../../src/keyring/secret.js';
import { BEGIN_MS } from './machine.js';
import { type Entries, isUsable } from './written.js';

export class Names {
  readonly #named = new Map<string, string>();
  readonly #byKid = new Map<string, string>();

  of(secret: string): string {
    let name = this.#named.get(secret);
    if (name === undefined) {
      name = `s${this.#named.size + 1}`;
      this.#named.set(secret, name);
      this.#byKid.set(kidOf(secret), secret);
    }
    return name;
  }

  secretOf(kid: string): string | undefined {
    return this.#byKid.get(kid);
  }

  show({ key, ring }: Entries): string {
    const at = (ms: number) => (Number.isFinite(ms) ? ((ms - BEGIN_MS) / 1000).toFixed(2) : 'never');
    const value = key === null ? '-' : !isUsable(key.value) ? 'short' : `${this.of(key.value)}<${at(key.endMs)}`;
    if (ring === null) return `K ${value} R -`;
    const retired = ring.retired.map((slot) => `${this.of(slot.secret)}<${at(slot.until)}`).join(' ');
    const { current, next, epoch } = ring;
    const signing = `${this.of(current.secret)}<${at(current.expiresAt)}`;
    return `K ${value} R e${epoch} ${signing} next ${this.of(next.secret)} [${retired}]`;
  }
}
