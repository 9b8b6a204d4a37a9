/** The options of a Rewt: read once, at the door, into what the rest of the code works with. */

import { CLOCK, type Clock, processClock } from './clock.js';
import { OptionError } from './errors.js';
import {
  type CompiledSign,
  type CompiledVerify,
  compileSignOptions,
  compileVerifyOptions,
  type SignOptions,
  signOptionNames,
  type VerifyOptions,
  verifyOptionNames,
} from './jwt/claims.js';
import type { MemberOptions } from './keyring/member-options.js';
import {
  asAlgorithms,
  asFlag,
  assertGiven,
  asText,
  type Given,
  type GivenName,
  optionReader,
} from './option-values.js';
import {
  asMemberName,
  asPositive,
  asRedisConn,
  asSpan,
  asStore,
  asTimeout,
  asTokenBytes,
  asTokenCache,
} from './rewt-option-values.js';
import type { Store } from './stores/store.js';

/** Every span of time is seconds as a number, or a string with a unit such as `'15m'`. */
export interface RewtOptions {
  /** A client of `redis` (2.8 to 6) or `ioredis`/`iovalkey`, made and closed by you; or a URL (`redis://`, `rediss://`), then rewt makes and closes one. */
  redisConn?: object | string | undefined;
  /** Names the keyring: members with the same namespace on the same store share one. Default: `'rewt'`. */
  redisNamespace?: string | undefined;
  /** A store in place of Redis: `fileStore({ path })` or `memoryStore()`, made and closed by you. */
  store?: Store | undefined;
  /** How long a secret signs before the next one does. Default: the keyring's, or one day (86 400 s) where there is none yet. */
  ttl?: number | string | undefined;
  /** The longest that a token may live, and how long it does by default. Default: 300 s. */
  tokenLifetime?: number | string | undefined;
  /** How long a member goes on with its copy while the store cannot be read; no revoked secret is accepted longer. 0: every operation asks the store. At most `ttl / 2`. Default: 60 s, or `ttl / 2` if that is less. */
  maxStaleness?: number | string | undefined;
  /** By how much clocks may differ, at `exp` and `nbf` and around a rotation. At most `ttl / 4`. Default: 5 s. */
  clockTolerance?: number | string | undefined;
  /** No call waits longer for the store. Default: 1 s. */
  storeTimeout?: number | string | undefined;
  /** Whether Redis is to tell of changes at once, over one connection more per client. Default: true, wherever client and server can do it. */
  push?: boolean | undefined;
  /** Under this name the member announces itself, with the generation of the keyring that it holds, for `rewt status` to show: one small write per half minute, and within two seconds after a rotation, a revocation or the end of an outage. Default: none, and nothing is announced. */
  memberName?: string | undefined;
  /** The longest token that is made or read, in bytes. Give all members the same. From 512 to 1 048 576. Default: 8192; a whole request's headers may have 16 384 in Node. */
  maxTokenBytes?: number | undefined;
  /** How many verified tokens are remembered, so that one that comes again costs next to nothing. 0: none. At most 100 000. Default: 1000, in about 2 MB at most. */
  tokenCache?: number | undefined;
  /** Defaults for the options of `sign`. An audience or issuer that is named here has to have a value. */
  sign?: Given<SignOptions, GivenName> | undefined;
  /** Defaults for the options of `verify`. An audience or issuer that is named here has to have a value. */
  verify?: Given<VerifyOptions, GivenName> | undefined;
  /** Accepted for what was written for jsonwebtoken: there is no other. */
  algorithms?: readonly 'HS256'[] | undefined;
}

/** The options once read. @internal */
export interface Settings {
  readonly namespace: string;
  readonly redisConn: object | string | null;
  readonly store: Store | null;
  readonly clock: Clock;
  readonly push: boolean;
  readonly memberName: string | null;
  readonly tokenLifetimeSeconds: number;
  readonly maxTokenBytes: number;
  readonly tokenCache: number;
  readonly sign: CompiledSign;
  readonly verify: CompiledVerify;
  readonly member: Pick<MemberOptions, 'policy' | 'leastTtlMs' | 'softAgeMs' | 'retryMs' | 'storeTimeoutMs'>;
}

const rewtOptionNames = [
  'redisConn',
  'redisNamespace',
  'store',
  'ttl',
  'tokenLifetime',
  'maxStaleness',
  'clockTolerance',
  'storeTimeout',
  'push',
  'memberName',
  'maxTokenBytes',
  'tokenCache',
  'sign',
  'verify',
  'algorithms',
] as const satisfies readonly (keyof RewtOptions)[];

/** What people bring from the first rewt, and options that belong one level down. */
const misplaced: Record<string, string> = {
  ...Object.fromEntries(verifyOptionNames.map((name) => [name, `'${name}' goes under 'verify': { ${name}: … }`])),
  ...Object.fromEntries(signOptionNames.map((name) => [name, `'${name}' goes under 'sign': { ${name}: … }`])),
  ...Object.fromEntries(
    signOptionNames
      .filter((name) => verifyOptionNames.some((other) => other === name))
      .map((name) => [name, `'${name}' goes under 'sign', under 'verify', or both: they need not be the same`]),
  ),
  cacheSecret:
    "'cacheSecret' is gone: every Rewt keeps a copy of the keyring, for at most 'maxStaleness' without the store's word; maxStaleness: 0 asks the store each time",
  cache:
    "'cache' is called 'tokenCache', and says how many verified tokens are remembered; the keyring's copy is bounded by 'maxStaleness'",
  redisUrl: "'redisUrl' is called 'redisConn', which takes a client or a URL",
  secret: "'secret' cannot be given: rewt makes the secret and keeps it in the store",
};

const DEFAULT_TTL_SECONDS = 86_400;
const DEFAULT_MAX_STALENESS_SECONDS = 60;

/** So that a schedule never retires more secrets than a ring holds: a turn takes at least 3/4 of `ttl`, which makes at most 22 of 32. */
export const MOST_OVERLAP_PER_TTL = 16;

const MOST_SOFT_AGE_MS = 2_000;

const DEFAULT_TOKEN_BYTES = 8_192;

const DEFAULT_TOKEN_CACHE = 1_000;

/**
 * Reads the options of `new Rewt()`.
 * @throws {OptionError} that says which option is wrong, why, and what to do.
 * @internal
 */
export function readOptions(raw: unknown): Settings {
  const option = optionReader(raw ?? {}, rewtOptionNames, 'Rewt options', misplaced);
  option('algorithms', asAlgorithms, undefined);
  const redisConn = option('redisConn', asRedisConn, null);
  const store = option('store', asStore, null);
  if ((redisConn === null) === (store === null)) {
    const found = store === null ? 'neither is there' : 'both are there, so leave one out';
    throw new OptionError(
      `Rewt needs one place for its keyring, redisConn (a Redis client or URL) or store (fileStore() or memoryStore()): ${found}`,
      { option: 'redisConn' },
    );
  }

  const times = readTimes(option);
  return Object.freeze({
    namespace: option('redisNamespace', asText, 'rewt'),
    redisConn,
    store,
    clock: (raw as { [CLOCK]?: Clock })[CLOCK] ?? processClock,
    push: option('push', asFlag, true),
    memberName: readMemberName(option('memberName', asMemberName, null), store),
    tokenLifetimeSeconds: times.tokenLifetimeSeconds,
    maxTokenBytes: option('maxTokenBytes', asTokenBytes, DEFAULT_TOKEN_BYTES),
    tokenCache: option('tokenCache', asTokenCache, DEFAULT_TOKEN_CACHE),
    sign: readSign(
      option('sign', (value) => value, undefined),
      times.tokenLifetimeSeconds,
    ),
    verify: readVerify(
      option('verify', (value) => value, undefined),
      times.clockToleranceSeconds,
    ),
    member: times.member,
  });
}

function readTimes(option: ReturnType<typeof optionReader>) {
  const givenTtl = option('ttl', asPositive, null);
  const ttl = givenTtl ?? DEFAULT_TTL_SECONDS;
  const tokenLifetimeSeconds = option('tokenLifetime', asPositive, 300);
  const clockToleranceSeconds = option('clockTolerance', asSpan, 5);
  // Lowered to fit only where nobody chose it.
  const maxStaleness = option('maxStaleness', asSpan, Math.min(DEFAULT_MAX_STALENESS_SECONDS, ttl / 2));
  const overlap = tokenLifetimeSeconds + maxStaleness + clockToleranceSeconds;

  // Of a copy that old, half a turn is left: all that has signed meanwhile is in it.
  const leastTtlToVerify = 2 * maxStaleness;
  if (leastTtlToVerify > ttl) {
    throw inconsistent('maxStaleness', maxStaleness, ttl, 'at most half of it, or a member could miss a whole turn');
  }
  if (clockToleranceSeconds > ttl / 4) {
    throw inconsistent(
      'clockTolerance',
      clockToleranceSeconds,
      ttl,
      'at most a quarter of it, or the end of a secret could not be told from its being pulled',
    );
  }
  if (overlap > ttl * MOST_OVERLAP_PER_TTL) {
    throw inconsistent(
      'tokenLifetime',
      tokenLifetimeSeconds,
      ttl,
      `at most ${MOST_OVERLAP_PER_TTL} times it, less maxStaleness and clockTolerance, or too many retired secrets would have to go on verifying`,
    );
  }

  const ms = (seconds: number) => Math.ceil(seconds * 1_000);
  const softAgeMs = Math.min(MOST_SOFT_AGE_MS, ms(maxStaleness) / 2);
  // Without a ttl of its own a member follows the keyring's, if that is long enough for its other times.
  const leastTtl = Math.max(leastTtlToVerify, 4 * clockToleranceSeconds, overlap / MOST_OVERLAP_PER_TTL);
  return {
    tokenLifetimeSeconds,
    clockToleranceSeconds,
    member: {
      softAgeMs,
      retryMs: softAgeMs / 2,
      storeTimeoutMs: ms(option('storeTimeout', asTimeout, 1)),
      leastTtlMs: ms(leastTtlToVerify),
      policy: {
        ttlMs: ms(ttl),
        overlapMs: ms(overlap),
        clockToleranceMs: ms(clockToleranceSeconds),
        maxStalenessMs: ms(maxStaleness),
        leadMs: softAgeMs + ms(clockToleranceSeconds),
        asks: { ttlMs: ms(givenTtl ?? leastTtl), overlapMs: ms(overlap) },
      },
    },
  };
}

function readSign(raw: unknown, tokenLifetimeSeconds: number): CompiledSign {
  const sign = compileSignOptions(raw, "Rewt options, 'sign'");
  assertGiven(Object(raw));
  if ((sign.expiresInSeconds ?? 0) > tokenLifetimeSeconds) {
    throw new OptionError(
      `sign.expiresIn (${sign.expiresInSeconds} s) is longer than tokenLifetime (${tokenLifetimeSeconds} s): shorten it, or give every member a larger tokenLifetime`,
      { option: 'sign' },
    );
  }
  return sign;
}

/** The tolerance of the instance holds for its tokens too, unless `verify` says otherwise. */
function readVerify(raw: unknown, clockToleranceSeconds: number): CompiledVerify {
  const tolerant = { ...compileVerifyOptions({}), clockToleranceSeconds };
  const verify = compileVerifyOptions(raw, "Rewt options, 'verify'", Object.freeze(tolerant));
  assertGiven(Object(raw));
  return verify;
}

function inconsistent(option: string, seconds: number, ttl: number, rule: string): OptionError {
  return new OptionError(
    `${option} (${seconds} s) does not fit ttl (${ttl} s): it must be ${rule}. Lower ${option}, or raise ttl`,
    {
      option,
    },
  );
}

function readMemberName(name: string | null, store: Store | null): string | null {
  if (name === null || store === null || store.announce) return name;
  throw new OptionError('memberName: this store cannot carry announcements; leave the name out', {
    option: 'memberName',
  });
}
