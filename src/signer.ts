/** Signs tokens for one member: the claims, the copy of the keyring, then the signature. */

import { type CompiledSign, claimsToSign, compileSignOptions, type SignablePayload } from './jwt/claims.js';
import { encodeHeader, signToken } from './jwt/token.js';
import type { Instant, Lease } from './keyring/lease.js';
import type { Member } from './keyring/member.js';

export interface SignerSettings {
  readonly sign: CompiledSign;
  readonly tokenLifetimeSeconds: number;
  readonly maxTokenBytes: number;
}

export class Signer {
  readonly #member: Member;
  readonly #settings: SignerSettings;

  constructor(member: Member, settings: SignerSettings) {
    this.#member = member;
    this.#settings = settings;
  }

  /** @throws {OptionError | StoreError} */
  async sign(payload: unknown, options: unknown): Promise<string> {
    const compiled = this.#compiled(options);
    const arrived = this.#member.now();
    const signable = this.#signable(payload, compiled, arrived);
    const fresh = this.#member.freshToSign(arrived);
    if (fresh !== null) return this.#seal(signable, compiled, fresh, arrived);
    const lease = await this.#member.signingLease(arrived);
    return this.#seal(signable, compiled, lease, this.#member.now());
  }

  /** @throws {OptionError | StoreError} */
  signSync(payload: unknown, options: unknown): string {
    const compiled = this.#compiled(options);
    const now = this.#member.now();
    const signable = this.#signable(payload, compiled, now);
    const lease = this.#member.freshToSign(now, this.#member.syncSoftAgeMs);
    if (lease === null) throw this.#member.notFresh('sign');
    return this.#seal(signable, compiled, lease, now);
  }

  #compiled(options: unknown): CompiledSign {
    return compileSignOptions(options, 'sign options', this.#settings.sign);
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
