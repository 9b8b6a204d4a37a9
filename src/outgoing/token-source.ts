/**
 * A cache of tokens by audience. A token is signed once, sent many times, and dropped as soon as
 * its secret no longer signs.
 */

import type { SignOptions } from '../jwt/sign-options.js';
import { CLOCK, type Clock, processClock } from '../time/clock.js';

/** The methods of a Rewt that sending tokens needs, so that any copy of the class fits. */
export interface Signing {
  sign(payload: object, options?: SignOptions): Promise<string>;
  ready(): Promise<void>;
  refresh(): Promise<void>;
  status(): { readonly keyring: { readonly signing: string } | null };
}

interface Held {
  readonly token: string;
  /** The kid of the secret that signed it. */
  readonly kid: string;
  /**
   * The time of signing, on both clocks. A suspended machine stops one, an administrator sets the
   * other.
   */
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** The time for which the token is sent after that. */
  readonly goodForMs: number;
}

/** If an audience function returns ever new audiences, only the latest are kept. */
const MAX_HELD = 1_000;

/**
 * A margin for the request's travel time and the other service's clock. A short token gives a fifth
 * of its life.
 */
const MAX_MARGIN_MS = 30_000;

export class TokenSource {
  readonly #rewt: Signing;
  readonly #clock: Clock;
  readonly #claims: object;
  readonly #options: SignOptions;
  /** By audience; the oldest token is first. */
  readonly #held = new Map<string, Held>();
  readonly #signing = new Map<string, Promise<Held>>();

  constructor(rewt: Signing, claims: object, options: SignOptions) {
    this.#rewt = rewt;
    this.#clock = (rewt as { readonly [CLOCK]?: Clock })[CLOCK] ?? processClock;
    this.#claims = claims;
    this.#options = options;
  }

  /** Returns a cached token, or signs one. @throws {StoreError | OptionError} as `sign`. */
  async tokenFor(audience: string): Promise<string> {
    // Keeps the cached keyring as fresh as a signature for each request would. A rotation or
    // revocation is noticed as soon.
    await this.#rewt.ready();
    const held = this.#held.get(audience);
    if (held !== undefined && this.#isGood(held)) return held.token;
    const signed = await (this.#signing.get(audience) ?? this.#sign(audience));
    if (this.#isGood(signed)) return signed.token;
    // The signature was started before the keyring changed.
    return (await this.#sign(audience)).token;
  }

  /**
   * Returns a token to replace a rejected one, signed with the current keyring of the store.
   * @throws as `tokenFor`.
   */
  async tokenInPlaceOf(refused: string, audience: string): Promise<string> {
    if (this.#held.get(audience)?.token === refused) this.#held.delete(audience);
    await this.#rewt.refresh();
    return this.tokenFor(audience);
  }

  #isGood({ kid, monotonicMs, wallMs, goodForMs }: Held): boolean {
    if (kid !== this.#rewt.status().keyring?.signing) return false;
    return Math.max(this.#clock.monotonicMs() - monotonicMs, this.#clock.wallMs() - wallMs) < goodForMs;
  }

  #sign(audience: string): Promise<Held> {
    const signing = this.#signed(audience).finally(() => {
      if (this.#signing.get(audience) === signing) this.#signing.delete(audience);
    });
    this.#signing.set(audience, signing);
    return signing;
  }

  async #signed(audience: string): Promise<Held> {
    const [monotonicMs, wallMs] = [this.#clock.monotonicMs(), this.#clock.wallMs()];
    const token = await this.#rewt.sign(this.#claims, { ...this.#options, audience });
    const [header, payload] = token.split('.').map(members);
    const lifeMs = Number(payload?.exp) * 1_000 - wallMs;
    const goodForMs = lifeMs - Math.min(MAX_MARGIN_MS, lifeMs / 5);
    const held = { token, kid: String(header?.kid), monotonicMs, wallMs, goodForMs };
    this.#held.delete(audience);
    this.#held.set(audience, held);
    if (this.#held.size > MAX_HELD) this.#held.delete(this.#held.keys().next().value as string);
    return held;
  }
}

/** Decodes a segment of our own token. */
function members(segment: string, place: number): Readonly<Record<string, unknown>> | undefined {
  // The third segment is the signature.
  return place < 2 ? JSON.parse(Buffer.from(segment, 'base64url').toString()) : undefined;
}
