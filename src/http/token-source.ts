/** The token for each audience: signed once, sent many times, and dropped as soon as its secret no longer signs. */

import { CLOCK, type Clock, processClock } from '../clock.js';
import type { SignOptions } from '../jwt/sign-options.js';

/** As much of a Rewt as it takes to send its tokens, so that any copy of the class will do. */
export interface Signing {
  sign(payload: object, options?: SignOptions): Promise<string>;
  ready(): Promise<void>;
  refresh(): Promise<void>;
  status(): { readonly keyring: { readonly signing: string } | null };
}

interface Held {
  readonly token: string;
  /** Names the secret that signed it. */
  readonly kid: string;
  /** When it was signed, on both clocks: a suspended machine stops the one, an administrator sets the other. */
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** How long it is sent from then on. */
  readonly goodForMs: number;
}

/** Of an audience function that has no end of answers, the latest are kept. */
const MOST_HELD = 1_000;

/** For the way to the other service, and for its clock. A short token gives a fifth of its life. */
const MOST_MARGIN_MS = 30_000;

export class TokenSource {
  readonly #rewt: Signing;
  readonly #clock: Clock;
  readonly #claims: object;
  readonly #options: SignOptions;
  /** By audience, the one that was signed longest ago first. */
  readonly #held = new Map<string, Held>();
  readonly #signing = new Map<string, Promise<Held>>();

  constructor(rewt: Signing, claims: object, options: SignOptions) {
    this.#rewt = rewt;
    this.#clock = (rewt as { readonly [CLOCK]?: Clock })[CLOCK] ?? processClock;
    this.#claims = claims;
    this.#options = options;
  }

  /** @throws {StoreError | OptionError} as `sign`. */
  async tokenFor(audience: string): Promise<string> {
    // The copy is kept as young as if each request had a token signed for it: so a rotation or revocation is noticed as soon.
    await this.#rewt.ready();
    const held = this.#held.get(audience);
    if (held !== undefined && this.#isGood(held)) return held.token;
    const signed = await (this.#signing.get(audience) ?? this.#sign(audience));
    if (this.#isGood(signed)) return signed.token;
    // It was begun before a change of the keyring.
    return (await this.#sign(audience)).token;
  }

  /** A token in place of one that was refused, signed by what the store says now. @throws as `tokenFor`. */
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
    const goodForMs = lifeMs - Math.min(MOST_MARGIN_MS, lifeMs / 5);
    const held = { token, kid: String(header?.kid), monotonicMs, wallMs, goodForMs };
    this.#held.delete(audience);
    this.#held.set(audience, held);
    if (this.#held.size > MOST_HELD) this.#held.delete(this.#held.keys().next().value as string);
    return held;
  }
}

/** Of a segment of our own token. */
function members(segment: string, place: number): Readonly<Record<string, unknown>> | undefined {
  // The third is the signature.
  return place < 2 ? JSON.parse(Buffer.from(segment, 'base64url').toString()) : undefined;
}
