/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The class that users make: options in, one member wired to its store, promises and callbacks out.
 */

import { within } from './async/race.js';
import { answer, type Callback, givenBefore, isMisplaced, withoutCallback } from './callbacks.js';
import type { JwtClaims, RegisteredClaims } from './jwt/registered-claims.js';
import type { SignOptions } from './jwt/sign-options.js';
import type { VerifyOptions } from './jwt/verify-options.js';
import { readReason, readReplaceable } from './keyring/command-options.js';
import { type Command, revocation, rotation } from './keyring/commands.js';
import { readOnlyRefusal } from './keyring/errors.js';
import { Member } from './keyring/member.js';
import type { Policy } from './keyring/policy.js';
import { Presence, withPresence } from './keyring/presence.js';
import { RESEAL, type Resealed, type Resealing, resealKeyring } from './keyring/reseal.js';
import { SealKeys } from './keyring/seal-keys.js';
import { keyIdOf, Sealing } from './keyring/sealing.js';
import { type NewTimes, SET_TIMES, setTimes, type TimesSet } from './keyring/set-times.js';
import { operationChannel } from './observe/channels.js';
import { Operations } from './observe/operations.js';
import { announce } from './observe/publisher.js';
import { type RewtOptions, readOptions, type Settings } from './options.js';
import { Signer } from './signer.js';
import { type Status, statusOf } from './status.js';
import { redisStoreFor } from './stores/redis/redis-store.js';
import { SECRET_SUFFIX, type Store } from './stores/store.js';
import { CLOCK, type Clock } from './time/clock.js';
import {
  copyGiven,
  type Given,
  type GivenName,
  type OptionReaders,
  optionReader,
  readCount,
  readFlag,
  readTimeout,
} from './validation/option-values.js';
import { ownVerify } from './validation/own-verify.js';
import { Verifier } from './verifier.js';

/** The wait for a replica if the caller set no number of them. */
const UNASKED_WAIT_MS = 100;

/** Payloads of `sign`: claims, or a text that is signed as it is (a Buffer must be UTF-8). */
export type Payload = object | string | Uint8Array;

/**
 * The payload that `verify<Claims>` gives: your claims beside the registered ones. A type that is
 * no object (`verify<string>`) stays as it is.
 */
export type Verified<Claims> = Claims extends object
  ? Claims & RegisteredClaims
  : unknown extends Claims
    ? JwtClaims
    : Claims;

/** The result of a verification: the output of the schema, or without one the verified claims. */
export type VerifiedBy<Claims, Output> = unknown extends Output ? Verified<Fixed<Claims>> : Fixed<Output>;

/**
 * A type that TypeScript does not infer from the variable that a result is assigned to. `NoInfer`
 * does the same, but stays in every hover text.
 */
type Fixed<Type> = [Type][Type extends unknown ? 0 : never];

/**
 * The payload that `sign` of a `Rewt<Claims>` takes: your claims; options may write the registered
 * ones. Without claims of your own, any payload.
 */
export type Signable<Claims> = JwtClaims extends Claims
  ? Payload
  : Claims extends object
    ? { [Name in keyof Claims as Name extends keyof RegisteredClaims ? never : Name]: Claims[Name] } & RegisteredClaims
    : Claims;

/**
 * A `sign` whose options were read before. A method's type, so that a Rewt<Claims> goes wherever a
 * Rewt is wanted.
 */
export type BoundSign<Claims> = { sign(payload: Signable<Claims>): Promise<string> }['sign'];

/** The result of `verifyComplete`. */
export interface CompleteToken<Payload = JwtClaims> {
  /** The members of the header, `alg` and `kid` among them. */
  readonly header: Readonly<Record<string, unknown>>;
  /** The payload, as `verify` gives it. */
  readonly payload: Payload;
  /** The last part of the token: base64url. */
  readonly signature: string;
}

/** Options of `revoke`. */
export interface RevokeOptions {
  /**
   * The number of replicas to wait for, so that a failover to one of them keeps the revocation. The
   * result has the number that acknowledged it, even if it is smaller. Default: 0.
   */
  replicas?: number;
  /**
   * The maximum wait for the replicas, beside `storeTimeout`: seconds, or a string such as `'5s'`.
   * Default: `storeTimeout`.
   */
  timeout?: number | string;
  /**
   * A text for the log of the keyring, which `status().keyring.changes` shows: at most 200
   * characters, and no secret. Default: none.
   */
  reason?: string;
  /**
   * Contents that are replaced although this rewt cannot read them: `'unreadable'` after
   * ERR_REWT_RING_UNREADABLE or ERR_REWT_STORE_WRONG_TYPE, `'newer'` after ERR_REWT_RING_NEWER,
   * `'sealed'` after ERR_REWT_RING_SEALED. A readable keyring is revoked as always. Default: none.
   */
  replace?: 'unreadable' | 'newer' | 'sealed';
}

const revokeReaders = {
  replicas: readCount,
  timeout: (value, name) => readTimeout(value, name) * 1_000,
  reason: readReason,
  replace: readReplaceable,
} satisfies OptionReaders<RevokeOptions>;

/** What a rotation or revocation led to. */
export interface KeyringChange {
  /** The kid that signs now. */
  readonly kid: string;
  /** Revocations so far in this lineage of the keyring. */
  readonly epoch: number;
  /**
   * Replicas that have it already. If there are replicas and this is 0, a failover now may undo it.
   * Null if the store does not know, or has no replicas by its nature.
   */
  readonly replicas: number | null;
}

/**
 * One member of a namespace: signs and verifies with the secret that all members share.
 *
 * Nothing is opened or read before the first call. Every promise settles within `storeTimeout`;
 * `revoke({ replicas })` also waits for the replicas.
 *
 * @typeParam Claims the payload of `sign` and `verify`. It is not checked at run time: give
 * `verify` a schema for that.
 * @typeParam Output the payload of `verify`, if it differs: by default, the output of the schema
 * among the options.
 *
 * @example
 * ```ts
 * import { Rewt } from 'rewt';
 *
 * const rewt = new Rewt({ redisConn: 'redis://localhost:6379' });
 * const token = await rewt.sign({ sub: 'ann' }, { audience: 'orders' });
 * const { sub } = await rewt.verify(token, { audience: 'orders' });
 * ```
 */
export class Rewt<Claims = JwtClaims, Output = Claims> {
  readonly #settings: Settings;
  readonly #store: Store;
  readonly #member: Member;
  /** Null without a `memberName`. */
  readonly #presence: Presence | null;
  readonly #signer: Signer;
  readonly #verifier: Verifier;
  readonly #operations: Operations;
  readonly #sealing: Sealing;

  /**
   * Creates a member. Reads the options, and opens nothing.
   *
   * @throws {OptionError} for options that are wrong or do not fit each other.
   */
  constructor(options: RewtOptions<Output>) {
    this.#settings = readOptions(options);
    const { namespace, redisConn, store, member, clock, memberName, readOnly, sealKeys, migrates } = this.#settings;
    // One of the two is given: the options were read.
    this.#store = store ?? redisStoreFor(redisConn as object | string, namespace, { readOnly });
    // Reading a local store is cheaper than tracking the age of a copy.
    const softAgeMs = this.#store.local ? 0 : member.softAgeMs;
    const listener = announce(namespace);
    this.#sealing = new Sealing({
      keyName: this.#store.keyName?.(namespace) ?? namespace + SECRET_SUFFIX,
      keys: sealKeys === null ? null : new SealKeys(sealKeys, clock),
      migrates,
      onChange: (form, before) => listener.resealed(keyIdOf(form), keyIdOf(before)),
    });
    const sealing = this.#sealing;
    const { storeTimeoutMs: timeoutMs } = member;
    const currentLease = () => this.#member.currentLease();
    const { maxStalenessMs } = member.policy;
    const needs = () => ({ ...this.#member.needs, maxStalenessMs });
    const seals = () => ({ opens: sealing.ids, takesPlain: sealing.followsToPlain });
    this.#presence =
      memberName === null
        ? null
        : new Presence({
            store: this.#store,
            namespace,
            memberName,
            clock,
            timeoutMs,
            currentLease,
            needs,
            seals,
            kidlessMs: () => this.#verifier.kidlessMs,
            listener,
          });
    this.#member = new Member({
      ...member,
      store: this.#store,
      namespace,
      clock,
      readOnly,
      sealing,
      softAgeMs,
      syncSoftAgeMs: member.softAgeMs,
      pushOff: whyNoPush(this.#settings, this.#store),
      listener: withPresence(listener, this.#presence),
    });
    this.#signer = new Signer(this.#member, this.#settings);
    this.#verifier = new Verifier(this.#member, this.#settings);
    this.#operations = new Operations({ namespace, clock, secretOf: (token) => this.#verifier.secretOf(token) });
    for (const warning of this.#store.clientWarnings ?? []) listener.clientWarning(warning);
  }

  /** Signs a payload, and gives the token, or the error of the other form, to a callback. */
  // The payload stands in the list, so that TypeScript compares members, and not type arguments: a
  // Rewt<Claims> goes wherever a Rewt is wanted.
  sign(
    ...call:
      | [payload: Signable<Claims>, callback: Callback<string>]
      | [payload: Signable<Claims>, options: SignOptions | undefined, callback: Callback<string>]
  ): void;
  /**
   * Signs a payload: a JWT (RFC 7519) for claims, a plain JWS (RFC 7515) for a text.
   *
   * @throws {OptionError} for a wrong payload or option; {StoreError} if the keyring cannot be
   * used.
   *
   * @example
   * ```ts
   * const token = await rewt.sign({ sub: 'ann' }, { audience: 'orders', expiresIn: '1m' });
   * ```
   */
  sign(payload: Signable<Claims>, options?: SignOptions): Promise<string>;
  sign(payload: unknown, ...rest: readonly unknown[]): Promise<string> | undefined {
    return answer(rest, (options) => {
      if (!operationChannel.hasSubscribers) return this.#signer.sign(payload, options);
      return this.#operations.trace('sign', () => this.#signer.sign(payload, options));
    });
  }

  /** Verifies a token, and gives its payload, or the error of the other form, to a callback. */
  verify<Asked = Output, Fitted = unknown>(
    token: string,
    ...rest:
      | [callback: Callback<VerifiedBy<Asked, Fitted>>]
      | [options: VerifyOptions<Fitted> | undefined, callback: Callback<VerifiedBy<Asked, Fitted>>]
  ): void;
  /**
   * Verifies a token and gives its payload: an object if that is a JSON object, else a string.
   *
   * @typeParam Asked the type of the claims, which is not checked.
   * @typeParam Fitted the output of the schema among the options.
   * @throws {TokenError} if the token is refused (401); {StoreError} if the keyring cannot be used
   * (503), so that nothing is known about the token; {OptionError} for a wrong option, or a schema
   * that fails.
   *
   * @example
   * ```ts
   * const { sub } = await rewt.verify(token, { audience: 'orders', maxAge: '5m' });
   * ```
   */
  verify<Asked = Output, Fitted = unknown>(
    token: string,
    options?: VerifyOptions<Fitted>,
  ): Promise<VerifiedBy<Asked, Fitted>>;
  verify(token: string, ...rest: readonly unknown[]): Promise<unknown> | undefined {
    return answer(rest, (options) => {
      if (!operationChannel.hasSubscribers) return this.#verifier.verify(token, options);
      return this.#operations.trace('verify', () => this.#verifier.verify(token, options), token);
    });
  }

  /**
   * Verifies a token as `verify` does, and gives its header and signature too.
   *
   * @throws as `verify`, in the promise.
   *
   * @example
   * ```ts
   * const { header, payload, signature } = await rewt.verifyComplete(token);
   * ```
   */
  verifyComplete<Asked = Output, Fitted = unknown>(
    token: string,
    options?: VerifyOptions<Fitted>,
  ): Promise<CompleteToken<VerifiedBy<Asked, Fitted>>>;
  async verifyComplete(token: string, ...rest: readonly unknown[]): Promise<object> {
    const options = withoutCallback(rest, 'verifyComplete');
    if (!operationChannel.hasSubscribers) return this.#verifier.verifyComplete(token, options);
    return this.#operations.trace('verify', () => this.#verifier.verifyComplete(token, options), token);
  }

  /**
   * Signs as `sign` does, for code that cannot wait: only with a fresh copy of the keyring, so
   * await a first `sign()` before.
   *
   * @throws {StoreError} ERR_REWT_COPY_NOT_FRESH if the store has to be read first: the copy is two
   * seconds old (or half of `maxStaleness`, so always with `maxStaleness: 0`), or may have changed.
   * The call starts that read, so that a later call finds a fresh copy; `sign` waits for it.
   * Otherwise as `sign`.
   *
   * @example
   * ```ts
   * await rewt.ready();
   * const token = rewt.signSync({ sub: 'ann' });
   * ```
   */
  signSync(payload: Signable<Claims>, options?: SignOptions): string;
  signSync(payload: unknown, ...rest: readonly unknown[]): string {
    const options = withoutCallback(rest, 'signSync');
    if (!operationChannel.hasSubscribers) return this.#signer.signSync(payload, options);
    return this.#operations.traceSync('sign', () => this.#signer.signSync(payload, options));
  }

  /**
   * Verifies as `verify` does, for code that cannot wait: only with a fresh copy of the keyring, so
   * await `ready()` before.
   *
   * @throws {StoreError} ERR_REWT_COPY_NOT_FRESH as `signSync`, and also if the copy has no secret
   * for the token, which may have been signed with a newer one. Nothing is known about the token
   * then: await `verify`, which reads the store. Otherwise as `verify`.
   *
   * @example
   * ```ts
   * await rewt.ready();
   * const { sub } = rewt.verifySync(token, { audience: 'orders' });
   * ```
   */
  verifySync<Asked = Output, Fitted = unknown>(
    token: string,
    options?: VerifyOptions<Fitted>,
  ): VerifiedBy<Asked, Fitted>;
  verifySync(token: string, ...rest: readonly unknown[]): unknown {
    const options = withoutCallback(rest, 'verifySync');
    if (!operationChannel.hasSubscribers) return this.#verifier.verifySync(token, options);
    return this.#operations.traceSync('verify', () => this.#verifier.verifySync(token, options), token);
  }

  /**
   * Reads options of `sign` once, and returns a `sign` with them, for tokens that always have the
   * same.
   *
   * @throws {OptionError} for a wrong option. The returned function rejects as `sign` does.
   *
   * @example
   * ```ts
   * const signForOrders = rewt.signer({ audience: 'orders', expiresIn: '1m' });
   * const token = await signForOrders({ sub: 'ann' });
   * ```
   */
  signer(options?: Given<SignOptions, GivenName>): BoundSign<Claims> {
    const compiled = this.#signer.compile(options);
    const given = copyGiven(options);
    return (payload, more?: unknown) => {
      if (isMisplaced(more)) return Promise.reject(givenBefore('signer'));
      // A subclass may sign more claims.
      if (this.sign !== OWN.sign) return this.sign(payload, given);
      if (!operationChannel.hasSubscribers) return this.#signer.signCompiled(payload, compiled);
      return this.#operations.trace('sign', () => this.#signer.signCompiled(payload, compiled));
    };
  }

  /**
   * Reads options of `verify` once, and returns a `verify` with them, for a route or a queue that
   * always expects the same. The middlewares use it.
   *
   * @throws {OptionError} for a wrong option. The returned function rejects as `verify` does.
   *
   * @example
   * ```ts
   * const verifyOrder = rewt.verifier({ audience: 'orders', maxAge: '5m' });
   * const { sub } = await verifyOrder(token);
   * ```
   */
  verifier<Asked = Output, Fitted = unknown>(
    options?: Given<VerifyOptions<Fitted>, GivenName>,
  ): (token: string) => Promise<VerifiedBy<Asked, Fitted>>;
  verifier(options?: object): (token: string) => Promise<unknown> {
    const compiled = this.#verifier.compile(options);
    const given = copyGiven(options);
    return (token, more?: unknown) => {
      if (isMisplaced(more)) return Promise.reject(givenBefore('verifier'));
      // A subclass may refuse more tokens.
      if (this.verify !== OWN.verify) return this.verify(token, given);
      if (!operationChannel.hasSubscribers) return this.#verifier.verifyCompiled(token, compiled);
      return this.#operations.trace('verify', () => this.#verifier.verifyCompiled(token, compiled), token);
    };
  }

  /**
   * Lets the next secret sign now. No token is refused for it (protocol.md, `rotate()`).
   *
   * @param options.force rotates even if a member may not hold `next` yet, which could cost it
   * requests.
   * @param options.reason is kept in the keyring and shown by `status().keyring.changes`: at most
   * 200 characters, and no secret. Lost if another member's rotation came first.
   * @throws {OptionError} ERR_REWT_ROTATION_REFUSED if it comes too soon after another;
   * {StoreError} if it could not be written, or the answer to its write could not be read again:
   * then it may or may not have happened.
   *
   * @example
   * ```ts
   * const { kid } = await rewt.rotate({ reason: 'before the audit' });
   * ```
   */
  async rotate(options: { force?: boolean; reason?: string } = {}): Promise<KeyringChange> {
    this.#assertWrites('rotate');
    const option = optionReader(options, { force: readFlag, reason: readReason }, 'rotate options');
    const how = { force: option('force', false), reason: option('reason', null) };
    return this.#operations.trace('rotate', () => this.#change((policy) => rotation(policy, how), 0, UNASKED_WAIT_MS));
  }

  /**
   * Drops every secret: no token signed before verifies any more, at reachable members within two
   * seconds (half of `maxStaleness`, if that is less), at no member after `maxStaleness`. With
   * push, within milliseconds.
   *
   * @throws {OptionError} for a wrong option; {StoreError} if it could not be written: then it may
   * or may not have happened, and has to be repeated.
   *
   * @example
   * ```ts
   * const { replicas } = await rewt.revoke({ replicas: 1, reason: 'laptop stolen' });
   * if (replicas === 0) console.warn('A failover now would undo it.');
   * ```
   */
  async revoke(options: RevokeOptions = {}): Promise<KeyringChange> {
    this.#assertWrites('revoke');
    const option = optionReader(options, revokeReaders, 'revoke options');
    const how = { reason: option('reason', null), replace: option('replace', null) };
    const replicas = option('replicas', 0);
    const { storeTimeoutMs } = this.#settings.member;
    const askedMs = option('timeout', storeTimeoutMs);
    const waitMs = replicas === 0 ? UNASKED_WAIT_MS : askedMs;
    return this.#operations.trace('revoke', () => this.#change((policy) => revocation(policy, how), replicas, waitMs));
  }

  /** Gives the keyring other times. @internal */
  async [SET_TIMES](times: NewTimes): Promise<TimesSet> {
    this.#assertWrites('set times');
    const { namespace, member } = this.#settings;
    return setTimes(times, {
      ...{ namespace, store: this.#store, member: this.#member },
      timeoutMs: member.storeTimeoutMs,
    });
  }

  /** Puts the keyring under another seal key. @internal */
  async [RESEAL](how: Resealing): Promise<Resealed> {
    const { namespace, member } = this.#settings;
    const { storeTimeoutMs: timeoutMs } = member;
    return resealKeyring(how, {
      ...{ namespace, timeoutMs, store: this.#store, member: this.#member, sealing: this.#sealing },
    });
  }

  /**
   * Returns the state of this member without reading the store. Kids and times, never a secret.
   *
   * @example
   * ```ts
   * const { copy, push, keyring } = rewt.status();
   * console.log(copy, push.state, keyring?.current.kid);
   * ```
   */
  status(): Status {
    return statusOf(this.#settings, this.#store.kind, this.#member);
  }

  /**
   * Resolves once there is a usable copy of the keyring. @throws {StoreError} if there is none.
   *
   * @example
   * ```ts
   * await rewt.ready(); // in a readiness probe, and before verifySync()
   * ```
   */
  async ready(): Promise<void> {
    const now = this.#member.now();
    if (this.#member.freshLease(now) === null) await this.#member.lease(now);
  }

  /**
   * Reads the keyring now, however young the copy is. Call it after a sign of a change, such as a
   * service that refuses a token of this one. All callers share ten reads a second.
   *
   * @throws {StoreError} if it cannot be read.
   *
   * @example
   * ```ts
   * await rewt.refresh();
   * const again = await rewt.sign({ sub: 'ann' }, { audience: 'orders' });
   * ```
   */
  async refresh(): Promise<void> {
    await this.#member.leaseReadAfter(this.#member.now());
  }

  /** The time that this member goes by. @internal */
  get [CLOCK](): Clock {
    return this.#settings.clock;
  }

  /**
   * Ends this member and what it opened itself; a client or store that it was given stays open. A
   * member with a `memberName` removes its announcement, within `storeTimeout`. Idempotent.
   *
   * @example
   * ```ts
   * process.once('SIGTERM', () => rewt.close());
   * ```
   */
  async close(): Promise<void> {
    this.#member.close();
    this.#verifier.close();
    await this.#presence?.end();
    if (this.#settings.store === null) await this.#store.close();
  }

  /** Closes this member at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertWrites(verb: Parameters<typeof readOnlyRefusal>[0]): void {
    if (this.#settings.readOnly) throw readOnlyRefusal(verb);
  }

  /**
   * Waits for replicas for `waitMs`. If the caller asked for replicas, the time for the change
   * itself comes on top.
   */
  async #change(command: (policy: () => Policy) => Command, replicas: number, waitMs: number): Promise<KeyringChange> {
    const { clock, member } = this.#settings;
    const giveUpMs = clock.monotonicMs() + member.storeTimeoutMs;
    const { copy } = (await this.#member.carryOut(command)).lease;
    const timeoutMs = giveUpMs - clock.monotonicMs() + (replicas > 0 ? waitMs : 0);
    // Only a report: that it cannot be had is no reason to call a change that was made a failure.
    const asked = this.#member.acknowledged(copy.ring, { replicas, waitMs, timeoutMs });
    const acknowledged = await within(timeoutMs, asked, () => new Error('late'), clock).catch(() => null);
    return { kid: copy.current.kid, epoch: copy.ring.epoch, replicas: acknowledged };
  }
}

/** The methods as they stand above, even if a program patches the class. */
const OWN = { sign: Rewt.prototype.sign, verify: Rewt.prototype.verify };
ownVerify.add(OWN.verify);

function whyNoPush({ push, member }: Settings, { local, watch }: Store): string | null {
  if (!push) return 'It was turned off: push is false.';
  if (member.softAgeMs === 0) return 'Push is not needed: with maxStaleness 0 every operation reads the store.';
  if (!local || watch) return null;
  return 'Push is not needed: this store is so near that every operation reads it.';
}
