/** All that `rewt/testing` gives: a Rewt in memory with a clock to turn, so that a service that uses rewt can be tested without Redis. */

import { CLOCK, type Clock } from './clock.js';
import { type JwtClaims, memoryStore, OptionError, Rewt, type RewtOptions } from './index.js';
import { parseDuration } from './jwt/duration.js';
import { createFailingStore, type FailingStore } from './testing/failing-store.js';
import { createTestTokens, type TestTokens } from './testing/test-tokens.js';
import { createTurnedClock } from './testing/turned-clock.js';

export type { FailingStore } from './testing/failing-store.js';
export type { TestTokens, TokenMaker } from './testing/test-tokens.js';

/** The options of a Rewt, but for where its keyring is. */
export type TestRewtOptions = Omit<RewtOptions, 'redisConn' | 'store'>;

/** The time by which all of a test's members go, and the store. It goes on by itself too. */
export interface TestClock {
  /** Turns it on: seconds, or a string such as `'1h'`. */
  advance(span: number | string): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface TestRewt<Claims = JwtClaims> {
  /** The real class over a store in memory: `rotate()` and `revoke()` do what they do in production. */
  readonly rewt: Rewt<Claims>;
  readonly clock: TestClock;
  readonly tokens: TestTokens;
  /** To be made to fail. Members go on with their copy until `maxStaleness`, here too: turn the clock on by that much to see a 503. The ready-made tokens do not need it. */
  readonly store: FailingStore;
  /** Another member of the same keyring, such as the service that calls yours. Its options are those of the first, but for what is given. */
  member<Others = Claims>(options?: TestRewtOptions): Rewt<Others>;
  /** Ends all of it; with `await using` by itself. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const HOUR_SECONDS = 3_600;

/**
 * Makes a Rewt for a test, with a keyring that is old enough to be rotated at once.
 *
 * @typeParam Claims as of `Rewt`.
 * @throws {OptionError} for options that are wrong, as `new Rewt()` does.
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
    // Straight on the register: also while the store is made to fail.
    member: join(options, { store: register }),
    behind: join(options, { store: register, [CLOCK]: skewed(-tokenLifetime - HOUR_SECONDS) }),
    ahead: join(options, { store: register, [CLOCK]: skewed(HOUR_SECONDS) }),
    stranger: join(options, { store: register, redisNamespace: 'a stranger' }),
  });

  // A keyring that has just been made refuses to be rotated until every member may hold its next secret.
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

/** Seconds, by the defaults of `new Rewt()`, which judges them. */
function spans({ tokenLifetime = 300, maxStaleness, ttl }: TestRewtOptions) {
  const most = ttl === undefined ? 60 : Math.min(60, parseDuration(ttl, 'ttl') / 2);
  return {
    tokenLifetime: parseDuration(tokenLifetime, 'tokenLifetime'),
    maxStaleness: maxStaleness === undefined ? most : parseDuration(maxStaleness, 'maxStaleness'),
  };
}

function assertNoPlace(options: object): void {
  for (const option of ['store', 'redisConn']) {
    if (!(option in options)) continue;
    throw new OptionError(`${option}: the keyring of a test is in memory; make a Rewt for another place`, { option });
  }
}
