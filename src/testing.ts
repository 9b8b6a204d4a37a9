/**
 * `rewt/testing`: a Rewt in memory with a clock that a test can advance. It tests a service that
 * uses rewt, without Redis.
 */

import { type JwtClaims, memoryStore, OptionError, Rewt, type RewtOptions } from './index.js';
import { DEFAULT_TOKEN_LIFETIME_SECONDS, defaultMaxStaleness } from './keyring/policy.js';
import { createTurnedClock } from './testing/clock.js';
import { createFailingStore, type FailingStore } from './testing/store.js';
import { createTestTokens, type TestTokens } from './testing/tokens.js';
import { CLOCK, type Clock } from './time/clock.js';
import { parseDuration } from './time/duration.js';

export type { FailingStore } from './testing/store.js';
export type { TestTokens, TokenMaker } from './testing/tokens.js';

/** The options of a Rewt, except where its keyring is. */
export type TestRewtOptions = Omit<RewtOptions, 'redisConn' | 'store'>;

/**
 * The clock of the store and of all members of a test. It also runs by itself.
 *
 * @example
 * ```ts
 * import { createTestRewt } from 'rewt/testing';
 *
 * const { clock, tokens } = await createTestRewt();
 * const token = await tokens.valid();
 * clock.advance('10m'); // the token has expired
 * ```
 */
export interface TestClock {
  /** Advances the clock: seconds, or a string such as `'1h'`. */
  advance(span: number | string): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * A Rewt for a test, and all that the test can do to it.
 *
 * @example
 * ```ts
 * import { createTestRewt } from 'rewt/testing';
 *
 * await using test = await createTestRewt({ verify: { audience: 'orders' } });
 * const caller = test.member({ sign: { audience: 'orders' } });
 * await test.rewt.verify(await caller.sign({ sub: 'ann' }));
 * ```
 */
export interface TestRewt<Claims = JwtClaims> {
  /**
   * The real class with a store in memory: `rotate()` and `revoke()` do what they do in production.
   */
  readonly rewt: Rewt<Claims>;
  /** Advances the time of all members and of the store. */
  readonly clock: TestClock;
  /** Makes tokens, good and bad. */
  readonly tokens: TestTokens;
  /**
   * A store that a test can make fail. Members use their copy until `maxStaleness`; advance the
   * clock by that much to get a 503. The ready-made tokens do not need the store.
   */
  readonly store: FailingStore;
  /**
   * Creates another member of the same keyring, such as the service that calls yours. Uses the
   * options of the first member, replaced by the given ones.
   */
  member<Others = Claims>(options?: TestRewtOptions): Rewt<Others>;
  /** Closes every member. `await using` calls it. */
  close(): Promise<void>;
  /** Closes every member at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const HOUR_SECONDS = 3_600;

/**
 * Makes a Rewt for a test, with a keyring that is old enough for a rotation at once.
 *
 * @typeParam Claims as of `Rewt`.
 * @throws {OptionError} for options that are wrong, as `new Rewt()` does.
 *
 * @example
 * ```ts
 * import { createTestRewt } from 'rewt/testing';
 *
 * const { rewt, tokens } = await createTestRewt();
 * const { sub } = await rewt.verify(await tokens.valid({ sub: 'ann' }));
 * ```
 */
export async function createTestRewt<Claims = JwtClaims>(options: TestRewtOptions = {}): Promise<TestRewt<Claims>> {
  const { tokenLifetime, maxStaleness } = spans(options);
  const clock = createTurnedClock(-maxStaleness * 1_000);
  const register = memoryStore({ now: clock.wallMs });
  const store = createFailingStore(register);
  const members: Pick<Rewt, 'close'>[] = [];

  function join<Others>(raw: TestRewtOptions, above: object = {}): Rewt<Others> {
    assertNoPlace(raw);
    const member = new Rewt<Others>({ ...raw, store, [CLOCK]: clock, ...above } as RewtOptions);
    members.push(member);
    return member;
  }

  const skewed = (seconds: number): Clock => ({ ...clock, wallMs: () => clock.wallMs() + seconds * 1_000 });
  const rewt = join<Claims>(options);
  const tokens = createTestTokens({
    // Reads the register directly, so that it works while the store fails.
    member: join(options, { store: register }),
    behind: join(options, { store: register, [CLOCK]: skewed(-tokenLifetime - HOUR_SECONDS) }),
    ahead: join(options, { store: register, [CLOCK]: skewed(HOUR_SECONDS) }),
    stranger: join(options, { store: register, redisNamespace: 'a stranger' }),
  });

  // A new keyring rejects a rotation until every member may hold its next secret.
  await rewt.ready();
  clock.turn(maxStaleness * 1_000);
  await rewt.ready();

  async function close(): Promise<void> {
    await Promise.all(members.map((member) => member.close()));
    await register.close();
  }

  return {
    rewt,
    clock: { advance: (span) => clock.turn(parseDuration(span, 'advance') * 1_000), now: clock.wallMs },
    tokens,
    store,
    member: (others = {}) => join({ ...options, ...others }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Returns the spans in seconds, with the defaults of `new Rewt()`, which validates them. */
function spans({ tokenLifetime = DEFAULT_TOKEN_LIFETIME_SECONDS, maxStaleness, ttl }: TestRewtOptions) {
  const usual = defaultMaxStaleness(ttl === undefined ? undefined : parseDuration(ttl, 'ttl'));
  return {
    tokenLifetime: parseDuration(tokenLifetime, 'tokenLifetime'),
    maxStaleness: maxStaleness === undefined ? usual : parseDuration(maxStaleness, 'maxStaleness'),
  };
}

function assertNoPlace(options: object): void {
  for (const option of ['store', 'redisConn']) {
    if (!(option in options)) continue;
    throw new OptionError(`${option}: the keyring of a test is in memory; make a Rewt for another place`, { option });
  }
}
