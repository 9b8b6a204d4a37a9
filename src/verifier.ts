/** Verifies tokens for one member: the copy of the keyring, the signature, then what the token says. */

import { TokenError, type TokenRefusal } from './errors.js';
import { type Authentic, authenticate, mayLackKey } from './jwt/authenticate.js';
import {
  type CompiledVerify,
  checkClaims,
  checkText,
  compileVerifyOptions,
  fitted,
  fittedSync,
  type StandardSchema,
  schemaTimedOut,
} from './jwt/claims.js';
import { decodeText } from './jwt/encoding.js';
import { parseObject } from './jwt/json.js';
import { isRefusal, readToken, UNKNOWN_KEY } from './jwt/token.js';
import { claimsOf, VerifiedTokens } from './jwt/verified-tokens.js';
import type { CopyKey } from './keyring/copy.js';
import { type Instant, type Lease, storeNowMs } from './keyring/lease.js';
import type { Member } from './keyring/member.js';
import { timedOut } from './keyring/refusals.js';

/** `payload` is what `verify` resolves with: the claims or the text, or `{ header, payload, signature }` with `complete`. */
type Verdict = { readonly payload: unknown } | TokenRefusal;

export class Verifier {
  readonly #member: Member;
  readonly #defaults: CompiledVerify;
  readonly #maxBytes: number;
  readonly #verified: VerifiedTokens;

  constructor(member: Member, settings: { verify: CompiledVerify; maxTokenBytes: number; tokenCache: number }) {
    this.#member = member;
    this.#defaults = settings.verify;
    this.#maxBytes = settings.maxTokenBytes;
    this.#verified = new VerifiedTokens(settings.tokenCache);
  }

  /**
   * Not an async function: what needs no waiting costs one promise, and nothing to come back to (5 to 10 % of the time that a remembered token takes).
   *
   * @throws {TokenError | StoreError | OptionError} in the promise.
   */
  verify(token: unknown, options: unknown): Promise<unknown> {
    try {
      const compiled = this.#compiled(options);
      const arrived = this.#member.now();
      const answer = this.#answer(token, compiled, arrived);
      return compiled.schema === undefined
        ? answer
        : this.#onceFitted(answer, compiled.schema, token, compiled, arrived);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws {TokenError | StoreError | OptionError} */
  verifySync(token: unknown, options: unknown): unknown {
    const compiled = this.#compiled(options);
    const now = this.#member.now();
    const lease = this.#member.fresh(now, this.#member.syncSoftAgeMs);
    const verdict = lease && this.#judge(token, compiled, lease, now);
    if (verdict === null || (isRefusal(verdict) && mayLackKey(verdict))) {
      this.#assertMayVerify(token);
      throw this.#member.notFresh('verify');
    }
    const answer = orThrow(verdict);
    return compiled.schema === undefined ? answer : fittedSync(answer, compiled.schema, compiled.complete);
  }

  /** Which secret a token was signed with that has just been verified; null where the copy has it no more. */
  secretOf(token: string): CopyKey['role'] | 'unnamed' | null {
    const parsed = readToken(token, this.#maxBytes);
    if (isRefusal(parsed)) return null;
    if (parsed.kid === undefined) return 'unnamed';
    return this.#member.held()?.copy.keys.find(({ kid }) => kid === parsed.kid)?.role ?? null;
  }

  /** Lets go of the tokens that it remembers. */
  close(): void {
    this.#verified.forget();
  }

  /** The payload or the whole, before any schema. What needs no waiting throws, and does not reject. */
  #answer(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    const lease = this.#member.fresh(arrived);
    if (lease === null) return this.#answerOnceRead(token, options, arrived);
    const verdict = this.#judge(token, options, lease, arrived);
    if (isRefusal(verdict) && mayLackKey(verdict)) return this.#answerOnceReadAgain(token, options, arrived);
    return Promise.resolve(orThrow(verdict));
  }

  async #onceFitted(
    answer: Promise<unknown>,
    schema: StandardSchema,
    token: unknown,
    options: CompiledVerify,
    arrived: Instant,
  ): Promise<unknown> {
    const payload = fitted(await answer, schema, options.complete);
    if (!(payload instanceof Promise)) return payload;
    let late: () => Error = schemaTimedOut;
    const judgedAgain = payload.then(async (settled) => {
      late = timedOut;
      // It may have waited for longer than a revocation takes.
      await this.#answer(token, options, this.#member.now());
      return settled;
    });
    return this.#member.inTime(arrived, judgedAgain, () => late());
  }

  async #answerOnceRead(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    // These wait for nobody, also while the store cannot be read.
    this.#assertMayVerify(token);
    const lease = await this.#member.lease(arrived);
    const verdict = this.#judge(token, options, lease, this.#member.now());
    const mayBeNewer = isRefusal(verdict) && mayLackKey(verdict) && lease.sent.order < arrived.order;
    return mayBeNewer ? this.#answerOnceReadAgain(token, options, arrived) : orThrow(verdict);
  }

  /** The secret may be newer than the copy: one read begun after the token came settles it. */
  async #answerOnceReadAgain(token: unknown, options: CompiledVerify, arrived: Instant): Promise<unknown> {
    this.#assertMayVerify(token);
    const lease = await this.#member.leaseSince(arrived);
    return orThrow(this.#judge(token, options, lease, this.#member.now()));
  }

  #compiled(options: unknown): CompiledVerify {
    return compileVerifyOptions(options, 'verify options', this.#defaults);
  }

  /** Refuses what no read could make good: junk, and a token whose secret this member saw revoked. Looks at the header only. */
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
    const known = this.#isLookedUp(token, options) ? this.#verified.find(token, lease.copy) : null;
    if (known !== null && storeMs < known.key.verifiesUntilMs && lease.keys.some((key) => key === known.key)) {
      const payload = claimsOf(known);
      return checkClaims(payload, options, now.wallMs) ?? { payload };
    }
    const authentic = authenticate(token, lease.keys, storeMs, this.#maxBytes);
    if (isRefusal(authentic)) return authentic;
    const { claims, text } = authentic;
    const refusal = claims === null ? checkText(options) : checkClaims(claims, options, now.wallMs);
    if (refusal !== null) return refusal;
    if (this.#isLookedUp(token, options)) {
      this.#verified.admit(token, authentic);
      return { payload: claims ?? text };
    }
    // Whatever is authentic is a string.
    return { payload: complete(token as string, authentic) };
  }

  /** Not where the header is asked for too, which is not remembered; and nothing that is too long to be looked at. */
  #isLookedUp(token: unknown, { complete }: CompiledVerify): token is string {
    return typeof token === 'string' && token.length <= this.#maxBytes && !complete;
  }
}

function complete(token: string, { claims, text }: Authentic): object {
  const [header = '', , signature] = token.split('.');
  // It was read before, or is one that we wrote.
  return { header: parseObject(decodeText(header) ?? ''), payload: claims ?? text, signature };
}

function orThrow(verdict: Verdict): unknown {
  if (isRefusal(verdict)) throw new TokenError(verdict);
  return verdict.payload;
}
