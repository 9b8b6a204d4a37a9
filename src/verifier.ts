/**
 * Verifies tokens for one member: the copy of the keyring, the signature, then what the token says.
 */

import { TokenError, type TokenRefusal } from './errors.js';
import { authenticate, isRefusal } from './jwt/authenticate.js';
import { checkClaims, checkText } from './jwt/check-claims.js';
import { decodeText } from './jwt/encoding.js';
import { parseObject } from './jwt/json.js';
import { applySchema, applySchemaSync, type StandardSchema, schemaTimedOut } from './jwt/schema.js';
import { readToken, UNKNOWN_KEY } from './jwt/token.js';
import { claimsOf, VerifiedTokens } from './jwt/verified-tokens.js';
import { type CompiledVerify, compileVerifyOptions } from './jwt/verify-options.js';
import type { CopyKey } from './keyring/copy.js';
import { ringAwaited, timedOut } from './keyring/errors.js';
import { type Instant, type Lease, storeNowMs } from './keyring/lease.js';
import type { Member } from './keyring/member.js';

/** `payload` is the claims or the text. */
type Verdict = { readonly payload: unknown } | TokenRefusal;

export class Verifier {
  readonly #member: Member;
  readonly #defaults: CompiledVerify;
  readonly #maxBytes: number;
  readonly #verified: VerifiedTokens;
  #kidlessMs: number | null = null;

  constructor(member: Member, settings: { verify: CompiledVerify; maxTokenBytes: number; tokenCache: number }) {
    this.#member = member;
    this.#defaults = settings.verify;
    this.#maxBytes = settings.maxTokenBytes;
    this.#verified = new VerifiedTokens(settings.tokenCache);
  }

  /**
   * When it last verified a token without a kid, by the store's clock. Null: never. One that it
   * remembered does not count again.
   */
  get kidlessMs(): number | null {
    return this.#kidlessMs;
  }

  /** Reads the options of a call; those not given are the instance's. @throws {OptionError} */
  compile(options: unknown): CompiledVerify {
    return compileVerifyOptions(options, 'verify options', this.#defaults);
  }

  /**
   * Not an async function: what needs no waiting costs one promise, and nothing to come back to (5
   * to 10 % of the time that a remembered token takes).
   *
   * @throws {TokenError | StoreError | OptionError} in the promise.
   */
  verify(token: unknown, options: unknown): Promise<unknown> {
    try {
      return this.verifyCompiled(token, options === undefined ? this.#defaults : this.compile(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws {TokenError | StoreError | OptionError} in the promise. */
  verifyCompiled(token: unknown, options: CompiledVerify): Promise<unknown> {
    try {
      const arrived = this.#member.now();
      const answer = this.#verifyWithLease(token, options, arrived);
      return options.schema === undefined ? answer : this.#applySchema(answer, options.schema, token, options, arrived);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws {TokenError | StoreError | OptionError} in the promise. */
  async verifyComplete(token: unknown, options: unknown): Promise<object> {
    const payload = await this.verify(token, options);
    // It is authentic, so its header is a JSON object in strict base64url.
    const [header = '', , signature] = (token as string).split('.');
    return { header: parseObject(decodeText(header) ?? ''), payload, signature };
  }

  /** @throws {TokenError | StoreError | OptionError} */
  verifySync(token: unknown, options: unknown): unknown {
    const compiled = this.compile(options);
    const now = this.#member.now();
    const lease = this.#member.freshLease(now, this.#member.syncSoftAgeMs);
    const verdict = lease && this.#judge(token, compiled, lease, now);
    if (verdict === null || lacksKey(verdict)) {
      this.#assertMayVerify(token);
      throw this.#member.refreshForSync('verify');
    }
    const answer = orThrow(verdict);
    return compiled.schema === undefined ? answer : applySchemaSync(answer, compiled.schema);
  }

  /**
   * Returns the role of the secret that a token was signed with, once it is verified. Null if the
   * copy has that secret no more.
   */
  secretOf(token: string): CopyKey['role'] | 'unnamed' | null {
    const parsed = readToken(token, this.#maxBytes);
    if (isRefusal(parsed)) return null;
    if (parsed.kid === undefined) return 'unnamed';
    return this.#member.currentLease()?.copy.keys.find(({ kid }) => kid === parsed.kid)?.role ?? null;
  }

  /** Lets go of the tokens that it remembers. */
  close(): void {
    this.#verified.forget();
  }

  /**
   * The payload or the whole, before any schema. What needs no waiting throws, and does not reject.
   */
  #verifyWithLease(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    const lease = this.#member.freshLease(arrived);
    if (lease === null) return this.#verifyAfterRead(token, options, arrived);
    const verdict = this.#judge(token, options, lease, arrived);
    if (!isRefusal(verdict)) return Promise.resolve(verdict.payload);
    if (lacksKey(verdict)) return this.#verifyAfterSecondRead(token, options, arrived);
    throw new TokenError(verdict);
  }

  async #applySchema(
    answer: Promise<unknown>,
    schema: StandardSchema,
    token: unknown,
    options: CompiledVerify,
    arrived: Instant,
  ): Promise<unknown> {
    const payload = applySchema(await answer, schema);
    if (!(payload instanceof Promise)) return payload;
    let late: () => Error = schemaTimedOut;
    const judgedAgain = payload.then(async (settled) => {
      late = timedOut;
      // It may have waited for longer than a revocation takes.
      await this.#verifyWithLease(token, options, this.#member.now());
      return settled;
    });
    return this.#member.inTime(arrived, judgedAgain, () => late());
  }

  async #verifyAfterRead(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    // These are refused without waiting, even while the store cannot be read.
    this.#assertMayVerify(token);
    const lease = await this.#member.lease(arrived);
    const verdict = this.#judge(token, options, lease, this.#member.now());
    const mayBeNewer = lacksKey(verdict) && lease.sent.sequence < arrived.sequence;
    return mayBeNewer ? this.#verifyAfterSecondRead(token, options, arrived) : finalOrThrow(verdict, lease);
  }

  /** The secret may be newer than the copy: one read begun after the token came settles it. */
  async #verifyAfterSecondRead(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    this.#assertMayVerify(token);
    const judge = (lease: Lease): Verdict => this.#judge(token, options, lease, this.#member.now());
    const hasKey = (lease: Lease): boolean => !lacksKey(judge(lease));
    const lease = await this.#member.leaseReadAfter(arrived, hasKey);
    return finalOrThrow(judge(lease), lease);
  }

  /**
   * Refuses what no read could make good: junk, and a token whose secret this member saw revoked.
   * Looks at the header only.
   */
  #assertMayVerify(token: unknown): void {
    const parsed = readToken(token, this.#maxBytes);
    if (isRefusal(parsed)) throw new TokenError(parsed);
    if (parsed.kid === undefined || !this.#member.hasRevoked(parsed.kid)) return;
    this.#member.keepYoung();
    throw new TokenError(UNKNOWN_KEY);
  }

  /** Signature first, then claims; both without waiting and without throwing. */
  #judge(token: unknown, options: CompiledVerify, lease: Lease, now: Instant): Verdict {
    const storeMs = storeNowMs(lease, now);
    const isLookedUp = typeof token === 'string' && token.length <= this.#maxBytes;
    const known = isLookedUp ? this.#verified.find(token, lease.copy) : null;
    if (known !== null && storeMs < known.key.verifiesUntilMs && lease.keys.some((key) => key === known.key)) {
      const payload = claimsOf(known);
      return checkClaims(payload, options, now.wallMs) ?? { payload };
    }
    const authentic = authenticate(token, lease.keys, storeMs, this.#maxBytes);
    if (isRefusal(authentic)) return authentic;
    const { claims, text } = authentic;
    const refusal = claims === null ? checkText(options) : checkClaims(claims, options, now.wallMs);
    if (refusal !== null) return refusal;
    if (!authentic.hasKid) this.#kidlessMs = Math.floor(storeMs);
    // What is authentic is a string of at most that length.
    this.#verified.admit(token as string, authentic);
    return { payload: claims ?? text };
  }
}

/** Whether the token's secret may be one that the copy does not have. */
function lacksKey(verdict: Verdict): boolean {
  return isRefusal(verdict) && verdict.mayLackKey === true;
}

/**
 * The payload. @throws {StoreError} if the token may be good, and no read of this member shows it.
 */
function finalOrThrow(verdict: Verdict, { isBehind }: Lease): unknown {
  if (isBehind && lacksKey(verdict)) throw ringAwaited('adopt');
  return orThrow(verdict);
}

function orThrow(verdict: Verdict): unknown {
  if (isRefusal(verdict)) throw new TokenError(verdict);
  return verdict.payload;
}
