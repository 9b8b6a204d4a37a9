/// <reference lib="esnext.disposable" preserve="true" />
/** The class that users make: options in, one member wired to its store, promises and callbacks out. */

import { answer, type Callback, withoutCallback } from './callback.js';
import { CLOCK, type Clock } from './clock.js';
import { within } from './deadline.js';
import type { JwtClaims, RegisteredClaims, SignOptions, StandardSchema, VerifyOptions } from './jwt/claims.js';
import type { Lease } from './keyring/lease.js';
import { Member } from './keyring/member.js';
import { Presence, withPresence } from './keyring/presence.js';
import { announce } from './observe/announce.js';
import { Operations } from './observe/operations.js';
import { asCount, asFlag, optionReader } from './option-values.js';
import { type RewtOptions, readOptions, type Settings } from './options.js';
import { asReason, asReplaceable, asTimeout } from './rewt-option-values.js';
import { type NewTimes, SET_TIMES, setTimes, type TimesSet } from './set-times.js';
import { Signer } from './signer.js';
import { type Status, statusOf } from './status.js';
import { redisStoreFor } from './stores/redis.js';
import type { Store } from './stores/store.js';
import { Verifier } from './verifier.js';

/** How long a change waits for a replica where nobody asked for one. */
const UNASKED_WAIT_MS = 100;

/** What `sign` takes: claims, or a text that is signed as it is (a Buffer must be UTF-8). */
export type Payload = object | string | Uint8Array;

/** What `verify<Claims>` gives: your claims beside the registered ones; a type that is no object (`verify<string>`) stays as it is. */
export type Verified<Claims> = Claims extends object ? Claims & RegisteredClaims : Claims;

/** What `sign` takes of a `Rewt<Claims>`: your claims, of which options may write the registered ones. Without claims of your own, any payload. */
export type Signable<Claims> = JwtClaims extends Claims
  ? Payload
  : Claims extends object
    ? { [Name in keyof Claims as Name extends keyof RegisteredClaims ? never : Name]: Claims[Name] } & RegisteredClaims
    : Claims;

/** Options of `verify` with a schema, whose output `verify` then gives. */
export type SchemaOptions<Output> = VerifyOptions & { schema: StandardSchema<Output> };

/** What `verify` gives with `complete: true`. */
export interface CompleteToken<Claims = JwtClaims, Output = Verified<Claims>> {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Output;
  /** As it stands in the token: base64url. */
  readonly signature: string;
}

/** Options of `revoke`. */
export interface RevokeOptions {
  replicas?: number;
  timeout?: number | string;
  reason?: string;
  replace?: 'unreadable' | 'newer';
}

/** What a rotation or revocation led to. */
export interface KeyringChange {
  /** The kid that signs now. */
  readonly kid: string;
  /** Revocations so far in this lineage of the keyring. */
  readonly epoch: number;
  /** Replicas that have it already: where there are replicas and this is 0, a failover now may undo it. Null where the store cannot tell, or has none by its nature. */
  readonly replicas: number | null;
}

/**
 * One member of a namespace: signs and verifies with the secret that all members share.
 *
 * Nothing is opened or read before the first call. Every promise settles within `storeTimeout`, but for `revoke({ replicas })`, which waits for them besides.
 *
 * @typeParam Claims what `sign` takes, and `verify` gives. Nothing looks at them at run time: for that, give `verify` a schema.
 * @typeParam Output what `verify` gives, where that is another: of itself, the output of the schema among the options.
 * @typeParam Input what `sign` takes, where it is another. A parameter of its own, so that a `Rewt<Claims>` goes wherever a `Rewt` is wanted.
 */
export class Rewt<Claims = JwtClaims, Output = Claims, Input = Signable<Claims>> {
  readonly #settings: Settings;
  readonly #store: Store;
  readonly #member: Member;
  /** Null where there is no `memberName`. */
  readonly #presence: Presence | null;
  readonly #signer: Signer;
  readonly #verifier: Verifier;
  readonly #operations: Operations;

  /** @throws {OptionError} for options that are wrong or do not fit each other. */
  constructor(options: RewtOptions & { verify: SchemaOptions<Output> });
  constructor(options: RewtOptions);
  constructor(options: RewtOptions) {
    this.#settings = readOptions(options);
    const { namespace, redisConn, store, member, clock, memberName } = this.#settings;
    // One of the two is given: the options were read.
    this.#store = store ?? redisStoreFor(redisConn as object | string, namespace);
    // A store next door is asked each time: cheaper than to wonder.
    const softAgeMs = this.#store.local ? 0 : member.softAgeMs;
    const listener = announce(namespace);
    const { storeTimeoutMs: timeoutMs } = member;
    const held = () => this.#member.held();
    const { maxStalenessMs } = member.policy;
    const needs = () => ({ ...this.#member.needs, maxStalenessMs });
    this.#presence =
      memberName === null
        ? null
        : new Presence({ store: this.#store, namespace, memberName, clock, timeoutMs, held, needs, listener });
    this.#member = new Member({
      ...member,
      store: this.#store,
      namespace,
      clock,
      softAgeMs,
      syncSoftAgeMs: member.softAgeMs,
      pushOff: whyNoPush(this.#settings, this.#store),
      listener: withPresence(listener, this.#presence),
    });
    this.#signer = new Signer(this.#member, this.#settings);
    this.#verifier = new Verifier(this.#member, this.#settings);
    this.#operations = new Operations({ namespace, clock, secretOf: (token) => this.#verifier.secretOf(token) });
    for (const caveat of this.#store.caveats ?? []) listener.caveat(caveat);
  }

  /**
   * Signs a payload: a JWT (RFC 7519) for claims, a plain JWS (RFC 7515) for a text.
   *
   * @throws {OptionError} for a payload or option that is wrong; {StoreError} where the keyring cannot be used.
   */
  sign(payload: Input, callback: Callback<string>): void;
  sign(payload: Input, options: SignOptions | undefined, callback: Callback<string>): void;
  sign(payload: Input, options?: SignOptions): Promise<string>;
  sign(payload: unknown, ...rest: readonly unknown[]): Promise<string> | undefined {
    return answer(rest, (options) => {
      if (!this.#operations.areHeard) return this.#signer.sign(payload, options);
      return this.#operations.told('sign', () => this.#signer.sign(payload, options));
    });
  }

  /**
   * Verifies a token and gives its payload: an object where that is a JSON object, else a string.
   *
   * @throws {TokenError} where the token is refused (401); {StoreError} where the keyring cannot be used (503), which says nothing about the token;
   * {OptionError} for an option that is wrong, or a schema that fails.
   */
  verify<Asked = Output>(token: string, callback: Callback<Verified<Asked>>): void;
  verify<Asked>(
    token: string,
    options: SchemaOptions<Asked> & { complete: true },
    callback: Callback<CompleteToken<Asked, Asked>>,
  ): void;
  verify<Asked>(token: string, options: SchemaOptions<Asked>, callback: Callback<Asked>): void;
  verify<Asked>(
    token: string,
    options: SchemaOptions<Asked> & { complete: true },
  ): Promise<CompleteToken<Asked, Asked>>;
  verify<Asked>(token: string, options: SchemaOptions<Asked>): Promise<Asked>;
  verify<Asked = Output>(
    token: string,
    options: VerifyOptions & { complete: true },
    callback: Callback<CompleteToken<Asked>>,
  ): void;
  verify<Asked = Output>(token: string, options: VerifyOptions | undefined, callback: Callback<Verified<Asked>>): void;
  verify<Asked = Output>(token: string, options: VerifyOptions & { complete: true }): Promise<CompleteToken<Asked>>;
  verify<Asked = Output>(token: string, options?: VerifyOptions): Promise<Verified<Asked>>;
  verify(token: string, ...rest: readonly unknown[]): Promise<unknown> | undefined {
    return answer(rest, (options) => {
      if (!this.#operations.areHeard) return this.#verifier.verify(token, options);
      return this.#operations.told('verify', () => this.#verifier.verify(token, options), token);
    });
  }

  /**
   * `sign` without a promise, for code that cannot wait: only on a fresh copy of the keyring, so await a first `sign()` before.
   *
   * @throws {StoreError} ERR_REWT_COPY_NOT_FRESH where the store has to be asked first: the copy is two seconds old (or half of `maxStaleness`, so always with
   * `maxStaleness: 0`), or may have changed. It is asked then, so that a later call finds the copy fresh; `sign` waits for it. Else as `sign`.
   */
  signSync(payload: Input, options?: SignOptions): string;
  signSync(payload: unknown, ...rest: readonly unknown[]): string {
    const options = withoutCallback(rest, 'sign');
    if (!this.#operations.areHeard) return this.#signer.signSync(payload, options);
    return this.#operations.toldSync('sign', () => this.#signer.signSync(payload, options));
  }

  /**
   * `verify` without a promise, for code that cannot wait: only on a fresh copy of the keyring, so await `ready()` before.
   *
   * @throws {StoreError} ERR_REWT_COPY_NOT_FRESH as `signSync`, and also where the copy has no secret for the token, which may have been signed with a newer one: say nothing
   * about the token then, and ask `verify`, which waits for the store. Else as `verify`.
   */
  verifySync<Asked>(token: string, options: SchemaOptions<Asked> & { complete: true }): CompleteToken<Asked, Asked>;
  verifySync<Asked>(token: string, options: SchemaOptions<Asked>): Asked;
  verifySync<Asked = Output>(token: string, options: VerifyOptions & { complete: true }): CompleteToken<Asked>;
  verifySync<Asked = Output>(token: string, options?: VerifyOptions): Verified<Asked>;
  verifySync(token: string, ...rest: readonly unknown[]): unknown {
    const options = withoutCallback(rest, 'verify');
    if (!this.#operations.areHeard) return this.#verifier.verifySync(token, options);
    return this.#operations.toldSync('verify', () => this.#verifier.verifySync(token, options), token);
  }

  /**
   * Lets the next secret sign now. No token is refused for it (protocol.md, `rotate()`).
   *
   * @param options.force also where a member may not hold `next` yet, which could cost it requests.
   * @param options.reason is kept in the keyring and shown by `status().keyring.changes`: at most 200 characters, and no secret. Lost if another member's rotation came first.
   * @throws {OptionError} ERR_REWT_ROTATION_REFUSED where it comes too soon after another; {StoreError} where it could not be written.
   */
  async rotate(options: { force?: boolean; reason?: string } = {}): Promise<KeyringChange> {
    const option = optionReader(options, ['force', 'reason'], 'rotate options');
    const how = { force: option('force', asFlag, false), reason: option('reason', asReason, null) };
    return this.#operations.told('rotate', () => this.#change(() => this.#member.rotate(how), 0, UNASKED_WAIT_MS));
  }

  /**
   * Drops every secret: no token signed before verifies any more, at reachable members within two seconds (half of `maxStaleness`, if that is less),
   * at no member after `maxStaleness`. With push, within milliseconds.
   *
   * @param options.replicas waits until so many replicas have it, so that a failover to one of them keeps it. The result tells how many did, also where they are fewer.
   * @param options.timeout the longest to wait for them, beside `storeTimeout`: seconds, or a string such as `'5s'`. Default: `storeTimeout`.
   * @param options.reason as for `rotate`.
   * @param options.replace what may be replaced although this rewt cannot read it: `'unreadable'` after ERR_REWT_RING_UNREADABLE or ERR_REWT_STORE_WRONG_TYPE,
   * `'newer'` after ERR_REWT_RING_NEWER. Without it, neither is. A keyring that can be read is revoked as always.
   * @throws {OptionError} for an option that is wrong; {StoreError} where it could not be written: then it may or may not have happened, and has to be repeated.
   */
  async revoke(options: RevokeOptions = {}): Promise<KeyringChange> {
    const option = optionReader(options, ['replicas', 'timeout', 'reason', 'replace'], 'revoke options');
    const how = { reason: option('reason', asReason, null), replace: option('replace', asReplaceable, null) };
    const replicas = option('replicas', asCount, 0);
    const { storeTimeoutMs } = this.#settings.member;
    const askedMs = option('timeout', (value, name) => asTimeout(value, name) * 1_000, storeTimeoutMs);
    const waitMs = replicas === 0 ? UNASKED_WAIT_MS : askedMs;
    return this.#operations.told('revoke', () => this.#change(() => this.#member.revoke(how), replicas, waitMs));
  }

  /** Gives the keyring other times. @internal */
  async [SET_TIMES](times: NewTimes): Promise<TimesSet> {
    const { namespace, member } = this.#settings;
    return setTimes(times, {
      ...{ namespace, store: this.#store, member: this.#member },
      timeoutMs: member.storeTimeoutMs,
    });
  }

  /** Where this member's copy stands, without asking anyone. Kids and times, never a secret. */
  status(): Status {
    return statusOf(this.#settings, this.#store.kind, this.#member);
  }

  /** Resolves once there is a copy that can be used. @throws {StoreError} where there is none. */
  async ready(): Promise<void> {
    const now = this.#member.now();
    if (this.#member.fresh(now) === null) await this.#member.lease(now);
  }

  /**
   * Reads the keyring now, however young the copy is: for when something tells that it has changed, such as another service that refuses a token of this one.
   * All who ask share ten reads a second.
   *
   * @throws {StoreError} where it cannot be read.
   */
  async refresh(): Promise<void> {
    await this.#member.leaseSince(this.#member.now());
  }

  /** The time that this member goes by. @internal */
  get [CLOCK](): Clock {
    return this.#settings.clock;
  }

  /** Ends this member and whatever it opened itself; a client or store that it was given stays open. One with a `memberName` takes its leave, for which it waits for `storeTimeout` at most. Idempotent. */
  async close(): Promise<void> {
    this.#member.close();
    this.#verifier.close();
    await this.#presence?.end();
    if (this.#settings.store === null) await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** `waitMs` is how long to wait for replicas: where somebody asked for them, beside what the change itself may take. */
  async #change(command: () => Promise<Lease>, replicas: number, waitMs: number): Promise<KeyringChange> {
    const { clock, member } = this.#settings;
    const giveUpMs = clock.monotonicMs() + member.storeTimeoutMs;
    const { copy } = await command();
    const timeoutMs = giveUpMs - clock.monotonicMs() + (replicas > 0 ? waitMs : 0);
    // Only a report: that it cannot be had is no reason to call a change that was made a failure.
    const asked = this.#member.acknowledged(copy.ring, { replicas, waitMs, timeoutMs });
    const acknowledged = await within(timeoutMs, asked, () => new Error('late'), clock).catch(() => null);
    return { kid: copy.current.kid, epoch: copy.ring.epoch, replicas: acknowledged };
  }
}

function whyNoPush({ push, member }: Settings, { local, watch }: Store): string | null {
  if (!push) return 'It was turned off: push is false.';
  if (member.softAgeMs === 0) return 'There is nothing to tell: with maxStaleness 0 every operation asks the store.';
  if (!local || watch) return null;
  return 'There is nothing to tell: this store is so near that every operation asks it.';
}
