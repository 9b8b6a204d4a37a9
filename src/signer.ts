/** Signs tokens for one member: the claims, the copy of the keyring, then the signature. */

import { claimsToSign, type SignablePayload } from './jwt/payload.js';
import { type CompiledSign, compileSignOptions } from './jwt/sign-options.js';
import { encodeHeader, signToken } from './jwt/token.js';
import { readOnlyRefusal } from './keyring/errors.js';
import type { Instant, Lease } from './keyring/lease.js';
import type { Member } from './keyring/member.js';

export interface SignerSettings {
  readonly sign: CompiledSign;
  readonly tokenLifetimeSeconds: number;
  readonly maxTokenBytes: number;
  readonly readOnly: boolean;
}

export class Signer {
  readonly #member: Member;
  readonly #settings: SignerSettings;

  constructor(member: Member, settings: SignerSettings) {
    this.#member = member;
    this.#settings = settings;
  }

  /**
   * Reads the options of a call; those not given are the instance's.
   * @throws {OptionError} also for a member that only reads: every way to sign begins here.
   */
  compile(options: unknown): CompiledSign {
    if (this.#settings.readOnly) throw readOnlyRefusal('sign');
    return compileSignOptions(options, 'sign options', this.#settings.sign);
  }

  /** @throws {OptionError | StoreError} in the promise. */
  sign(payload: unknown, options: unknown): Promise<string> {
    try {
      return this.signCompiled(payload, this.compile(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Not an async function, as in the verifier.
   *
   * @throws {OptionError | StoreError} in the promise.
   */
  signCompiled(payload: unknown, compiled: CompiledSign): Promise<string> {
    try {
      const arrived = this.#member.now();
      const signable = this.#signable(payload, compiled, arrived);
      const fresh = this.#member.freshSigningLease(arrived);
      if (fresh === null) return this.#signAfterRead(signable, compiled, arrived);
      return Promise.resolve(this.#seal(signable, compiled, fresh, arrived));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws {OptionError | StoreError} */
  signSync(payload: unknown, options: unknown): string {
    const compiled = this.compile(options);
    const now = this.#member.now();
    const signable = this.#signable(payload, compiled, now);
    const lease = this.#member.freshSigningLease(now, this.#member.syncSoftAgeMs);
    if (lease === null) throw this.#member.refreshForSync('sign');
    return this.#seal(signable, compiled, lease, now);
  }

  async #signAfterRead(signable: SignablePayload, compiled: CompiledSign, arrived: Instant): Promise<string> {
    const lease = await this.#member.signingLease(arrived);
    return this.#seal(signable, compiled, lease, this.#member.now());
  }

  #signable(payload: unknown, options: CompiledSign, now: Instant): SignablePayload {
    return claimsToSign(payload, options, now.wallMs, this.#settings.tokenLifetimeSeconds);
  }

  #seal({ kind, text }: SignablePayload, { header }: CompiledSign, lease: Lease, now: Instant): string {
    const key = this.#member.signingKey(lease, now);
    const segment = header === null ? key.headers[kind] : encodeHeader(key.kid, kind, header);
    return signToken(segment, text, key.mac, this.#settings.maxTokenBytes);
  }
}
