/** The options of a Rewt: read once, at the door, into what the rest of the code works with. */

import { OptionError } from './errors.js';
import { type CompiledSign, compileSignOptions, type SignOptions, signReaders } from './jwt/sign-options.js';
import { type CompiledVerify, compileVerifyOptions, type VerifyOptions, verifyReaders } from './jwt/verify-options.js';
import type { MemberOptions } from './keyring/member-options.js';
import {
  DEFAULT_CLOCK_TOLERANCE_SECONDS,
  DEFAULT_STORE_TIMEOUT_SECONDS,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  inMs,
  type MemberTimes,
  memberTimes,
} from './keyring/policy.js';
import { readSealing, readSealKeys, SEALS, type Seals, sealingOf } from './keyring/seal-options.js';
import type { Store } from './stores/store.js';
import { CLOCK, type Clock, processClock } from './time/clock.js';
import {
  assertGiven,
  type Given,
  type GivenName,
  type OptionReader,
  type OptionReaders,
  optionReader,
  readAlgorithms,
  readFlag,
  readPositive,
  readSpan,
  readText,
  readTimeout,
} from './validation/option-values.js';
import { hasMethods } from './validation/plain-object.js';

/** One seal key: 32 bytes, or the text that `rewt seal-key` prints. */
export type SealKeyValue = Uint8Array | string;

/** The seal keys of a member: one, a list, or a function that returns them. */
export type SealKeyOption =
  | SealKeyValue
  | readonly SealKeyValue[]
  | (() => SealKeyValue | readonly SealKeyValue[] | Promise<SealKeyValue | readonly SealKeyValue[]>);

/**
 * Options of `new Rewt()`. Every span of time is seconds as a number, or a string with a unit such
 * as `'15m'`.
 *
 * @typeParam Output the output of the schema in `verify`.
 */
export interface RewtOptions<Output = unknown> {
  /**
   * A client of `redis` (2.8 to 6) or `ioredis`/`iovalkey`, made and closed by you; or a URL
   * (`redis://`, `rediss://`), then rewt makes and closes one.
   */
  redisConn?: object | string | undefined;
  /**
   * Names the keyring: members with the same namespace on the same store share one. Default:
   * `'rewt'`.
   */
  redisNamespace?: string | undefined;
  /**
   * A store in place of Redis: `fileStore({ path })` or `memoryStore()`, made and closed by you.
   */
  store?: Store | undefined;
  /**
   * How long a secret signs before the next one does. Default: the keyring's, or one day (86 400 s)
   * if there is none yet. Members share the longest value; only `rewt set --ttl` makes it shorter.
   */
  ttl?: number | string | undefined;
  /** The longest that a token may live, and how long it does by default. Default: 300 s. */
  tokenLifetime?: number | string | undefined;
  /**
   * How long a member goes on with its copy while the store cannot be read; no revoked secret is
   * accepted longer. 0: every operation reads the store. At most `ttl / 2`. Default: 60 s, or
   * `ttl / 2` if that is less.
   */
  maxStaleness?: number | string | undefined;
  /**
   * By how much clocks may differ, at `exp` and `nbf` and around a rotation. At most `ttl / 4`.
   * Default: 5 s.
   */
  clockTolerance?: number | string | undefined;
  /** No call waits longer for the store. Default: 1 s. */
  storeTimeout?: number | string | undefined;
  /**
   * Whether Redis pushes changes at once, over one connection more per client. Default:
   * true, wherever client and server can do it.
   */
  push?: boolean | undefined;
  /**
   * Seals the keyring, so that a reader of the store can forge no token: a key of 32 bytes, as
   * bytes or as the text that `rewt seal-key` prints. Or a list, of which all open and the first
   * seals; or a function that returns one of these or a promise of it, from a key management
   * service. Give all members the same. Default: none, and the keyring is plain text. If it is
   * named here, it has to have a value.
   */
  sealKey?: SealKeyOption;
  /**
   * `'migrate'` takes plain keyrings too, until this member has seen a sealed one: only while a
   * namespace moves to `sealKey`, or back (docs/sealing.md). Default: none.
   */
  sealing?: 'migrate' | undefined;
  /**
   * With true a member cannot destroy anything, but it holds the secret and can forge (HS256). It
   * only verifies, and its Redis user needs no right to write or to run scripts. `sign`, `signer`,
   * `signSync`, `rotate` and `revoke` throw; a member that signs has to begin the keyring. Redis
   * only. Default: false.
   */
  readOnly?: boolean | undefined;
  /**
   * Under this name the member announces itself, with the generation of the keyring that it holds,
   * for `rewt status` to show: one small write per half minute, and within two seconds after a
   * rotation, a revocation or the end of an outage. Default: none, and nothing is announced.
   */
  memberName?: string | undefined;
  /**
   * The longest token that is made or read, in bytes. Give all members the same. From 512 to 1 048
   * 576. Default: 8192; a whole request's headers may have 16 384 in Node.
   */
  maxTokenBytes?: number | undefined;
  /**
   * How many verified tokens are remembered, so that one that comes again costs next to nothing. 0:
   * none. At most 100 000. Default: 1000, in about 2 MB at most.
   */
  tokenCache?: number | undefined;
  /**
   * Defaults for the options of `sign`. An audience or issuer that is named here has to have a
   * value.
   */
  sign?: Given<SignOptions, GivenName> | undefined;
  /**
   * Defaults for the options of `verify`. An audience or issuer that is named here has to have a
   * value.
   */
  verify?: Given<VerifyOptions<Output> | VerifyOptions, GivenName> | undefined;
  /** Accepted for what was written for jsonwebtoken: there is no other. */
  algorithms?: readonly 'HS256'[] | undefined;
}

/** The options once read. @internal */
export interface Settings extends Seals {
  readonly namespace: string;
  readonly redisConn: object | string | null;
  readonly store: Store | null;
  readonly clock: Clock;
  readonly push: boolean;
  readonly readOnly: boolean;
  readonly memberName: string | null;
  readonly tokenLifetimeSeconds: number;
  readonly maxTokenBytes: number;
  readonly tokenCache: number;
  readonly sign: CompiledSign;
  readonly verify: CompiledVerify;
  readonly member: MemberTimes & Pick<MemberOptions, 'storeTimeoutMs'>;
}

/** The options of `new Rewt()`. Those of `sign` and `verify` are read with the times. @internal */
export const rewtReaders = {
  redisConn: readRedisConn,
  redisNamespace: readText,
  store: readStore,
  ttl: readPositive,
  tokenLifetime: readPositive,
  maxStaleness: readSpan,
  clockTolerance: readSpan,
  storeTimeout: readTimeout,
  push: readFlag,
  readOnly: readFlag,
  memberName: readMemberName,
  sealKey: readSealKeys,
  sealing: readSealing,
  maxTokenBytes: readTokenBytes,
  tokenCache: readTokenCache,
  sign: (value) => value,
  verify: (value) => value,
  algorithms: readAlgorithms,
} satisfies OptionReaders<RewtOptions>;

/** What people bring from the first rewt, and options that belong one level down. */
const misplaced: Record<string, string> = {
  ...Object.fromEntries(
    Object.keys({ ...signReaders, ...verifyReaders }).map((name) => {
      const [inSign, inVerify] = [Object.hasOwn(signReaders, name), Object.hasOwn(verifyReaders, name)];
      const both = `'${name}' goes under 'sign', under 'verify', or both: they need not be the same`;
      const one = inSign ? 'sign' : 'verify';
      return [name, inSign && inVerify ? both : `'${name}' goes under '${one}': { ${name}: … }`];
    }),
  ),
  cacheSecret:
    "'cacheSecret' is gone: every Rewt keeps a copy of the keyring, for at most 'maxStaleness' " +
    'without the store; maxStaleness: 0 reads the store each time',
  cache:
    "'cache' is called 'tokenCache', the number of verified tokens that are remembered; the " +
    "keyring's copy is bounded by 'maxStaleness'",
  redisUrl: "'redisUrl' is called 'redisConn', which takes a client or a URL",
  secret: "'secret' cannot be given: rewt makes the secret and keeps it in the store",
};

const MIN_TOKEN_BYTES = 512;
const MAX_TOKEN_BYTES = 1_048_576;
const MAX_TOKEN_CACHE = 100_000;
const MAX_NAME_CHARACTERS = 64;

const DEFAULT_TOKEN_BYTES = 8_192;

const DEFAULT_TOKEN_CACHE = 1_000;

/**
 * Reads the options of `new Rewt()`.
 * @throws {OptionError} that names the option, its rule and the remedy.
 * @internal
 */
export function readOptions(raw: unknown): Settings {
  const option = optionReader(raw ?? {}, rewtReaders, 'Rewt options', misplaced);
  option('algorithms', undefined);
  assertGiven(Object(raw), ['sealKey']);
  const redisConn = option('redisConn', null);
  const store = option('store', null);
  if ((redisConn === null) === (store === null)) {
    const found = store === null ? 'neither is there' : 'both are there, so leave one out';
    throw new OptionError(
      'Rewt needs one place for its keyring, redisConn (a Redis client or URL) or store ' +
        `(fileStore() or memoryStore()): ${found}`,
      { option: 'redisConn' },
    );
  }

  const times = readTimes(option);
  return Object.freeze({
    namespace: option('redisNamespace', 'rewt'),
    redisConn,
    store,
    clock: (raw as { [CLOCK]?: Clock })[CLOCK] ?? processClock,
    push: option('push', true),
    readOnly: readOnlyOn(option('readOnly', false), store),
    memberName: announcedName(option('memberName', null), store),
    ...((raw as { [SEALS]?: Seals })[SEALS] ?? sealingOf(option('sealKey', null), option('sealing', null))),
    tokenLifetimeSeconds: times.tokenLifetimeSeconds,
    maxTokenBytes: option('maxTokenBytes', DEFAULT_TOKEN_BYTES),
    tokenCache: option('tokenCache', DEFAULT_TOKEN_CACHE),
    sign: readSign(option('sign', undefined), times.tokenLifetimeSeconds),
    verify: readVerify(option('verify', undefined), times.clockToleranceSeconds),
    member: times.member,
  });
}

function readTimes(option: OptionReader<typeof rewtReaders>) {
  const ttl = option('ttl', null);
  const tokenLifetime = option('tokenLifetime', DEFAULT_TOKEN_LIFETIME_SECONDS);
  const clockTolerance = option('clockTolerance', DEFAULT_CLOCK_TOLERANCE_SECONDS);
  const maxStaleness = option('maxStaleness', null);
  const times = memberTimes({ ttl, tokenLifetime, maxStaleness, clockTolerance });
  return {
    tokenLifetimeSeconds: tokenLifetime,
    clockToleranceSeconds: clockTolerance,
    member: { ...times, storeTimeoutMs: inMs(option('storeTimeout', DEFAULT_STORE_TIMEOUT_SECONDS)) },
  };
}

function readSign(raw: unknown, tokenLifetimeSeconds: number): CompiledSign {
  const sign = compileSignOptions(raw, "Rewt options, 'sign'");
  assertGiven(Object(raw));
  if ((sign.expiresInSeconds ?? 0) > tokenLifetimeSeconds) {
    throw new OptionError(
      `sign.expiresIn (${sign.expiresInSeconds} s) is longer than tokenLifetime ` +
        `(${tokenLifetimeSeconds} s): shorten it, or give every member a larger tokenLifetime`,
      { option: 'sign' },
    );
  }
  return sign;
}

/** The tolerance of the instance holds for its tokens too, unless `verify` has another. */
function readVerify(raw: unknown, clockToleranceSeconds: number): CompiledVerify {
  const tolerant = { ...compileVerifyOptions({}), clockToleranceSeconds };
  const verify = compileVerifyOptions(raw, "Rewt options, 'verify'", Object.freeze(tolerant));
  assertGiven(Object(raw));
  return verify;
}

function announcedName(name: string | null, store: Store | null): string | null {
  if (name === null || store === null || store.announce) return name;
  throw new OptionError('memberName: this store cannot carry announcements; leave the name out', {
    option: 'memberName',
  });
}

/** Readers of the embedded stores take part in its writes. */
function readOnlyOn(readOnly: boolean, store: Store | null): boolean {
  if (!readOnly || store === null || !store.local) return readOnly;
  throw new OptionError('readOnly: the role does not exist on the embedded store. Leave it out, or use redisConn', {
    option: 'readOnly',
  });
}

function readTokenBytes(value: unknown, option: string): number {
  return readWithin(value, option, { what: 'bytes', min: MIN_TOKEN_BYTES, max: MAX_TOKEN_BYTES });
}

function readTokenCache(value: unknown, option: string): number {
  return readWithin(value, option, { what: 'tokens', min: 0, max: MAX_TOKEN_CACHE });
}

/** Long enough for the name of a pod, which others have to read. */
function readMemberName(value: unknown, option: string): string {
  const name = readText(value, option);
  if (name.length <= MAX_NAME_CHARACTERS && !/\p{C}/u.test(name)) return name;
  throw new OptionError(
    `${option}: must have at most ${MAX_NAME_CHARACTERS} characters, none of them a control character`,
    {
      option,
    },
  );
}

function readRedisConn(value: unknown, option: string): object | string {
  if ((typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null)) return value;
  throw new OptionError(`${option}: must be a Redis client, or a URL such as redis://localhost:6379`, { option });
}

function readStore(value: unknown, option: string): Store {
  if (hasMethods(value, 'read', 'swap', 'close')) return value as Store;
  throw new OptionError(`${option}: must be a store, such as fileStore({ path }) or memoryStore()`, { option });
}

interface Range {
  readonly what: string;
  readonly min: number;
  readonly max: number;
}

function readWithin(value: unknown, option: string, { what, min, max }: Range): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new OptionError(`${option}: must be a number of ${what} from ${min} to ${max}`, { option });
}
