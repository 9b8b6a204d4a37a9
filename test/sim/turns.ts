/** How long a sealed secret can be in use, wherever the TTL of K was moved. */

import type { Written } from './written.js';

export class Turns {
  readonly #sinceMs = new Map<string, number>();
  #ttlMs = 0;
  #overlapMs = 0;

  note({ current, ttl, overlap }: Written, storeMs: number): void {
    this.#ttlMs = Math.max(this.#ttlMs, ttl);
    this.#overlapMs = Math.max(this.#overlapMs, overlap);
    if (!this.#sinceMs.has(current.secret)) this.#sinceMs.set(current.secret, storeMs);
  }

  /** "Up to `since` and two `ttl`", and one `overlap`. By the store's clock. */
  lastMs(secret: string): number {
    return (this.#sinceMs.get(secret) ?? Number.POSITIVE_INFINITY) + 2 * this.#ttlMs + this.#overlapMs;
  }
}
