/** Stores with anything in them: a ring is read or refused, what a member makes of it comes to an end that members can read, and the member goes on. */

import fc from 'fast-check';
import type { KeyringChange, Status } from '../../../src/index.js';
import {
  advance,
  type Plan,
  type Policy,
  planRevocation,
  planRotation,
  type Seen,
} from '../../../src/keyring/advance.js';
import { mint } from '../../../src/keyring/exchange.js';
import { NOTHING_KNOWN, observe } from '../../../src/keyring/known.js';
import { formatRing, parseRing, type Ring } from '../../../src/keyring/ring.js';
import { readOptions } from '../../../src/options.js';
import { createRecord, type StoreRecord, snapshotOf } from '../../../src/stores/record.js';
import { type KeyEntry, LAST_INSTANT_MS } from '../../../src/stores/store.js';
import { instants, ringTexts } from '../ring-texts.js';
import { macBy, NOW_MS, SECRETS } from '../secrets.js';
import { openStage, type Stage, storeWith } from '../stage.js';
import { assertThat, type Outcome, outcomeOf, type Target } from '../target.js';
import { texts } from '../texts.js';

/** After this many writes nothing should be left to decide. */
const MOST_STEPS = 6;

interface Input {
  readonly ring: string | null;
  /** A number is one of the secrets, null what is not UTF-8. */
  readonly key: { readonly value: string | number | null; readonly expiresAtMs: number | null } | null;
  /** Rings that the member has seen before. */
  readonly before: readonly string[];
  /** Which of the members below. */
  readonly member: number;
  readonly verbs: readonly string[];
}

const kinds = [
  {},
  { ttl: 60, tokenLifetime: 5, maxStaleness: 2, clockTolerance: 1 },
  { maxStaleness: 0 },
  { ttl: 0.02, tokenLifetime: 0.01, maxStaleness: 0.01, clockTolerance: 0.005 },
];
const policies: readonly Policy[] = kinds.map(
  (options) => readOptions({ ...options, store: storeWith(null, null) }).member.policy,
);

const segments = ['{"alg":"HS256"}', '{"a":1}'].map((text) => Buffer.from(text).toString('base64url')).join('.');
const tokens = SECRETS.map((_, secret) => `${segments}.${macBy(secret, segments)}`);

export function ringTarget(): Target<Input, Input> {
  const keys = fc.record({
    value: fc.oneof(
      { arbitrary: fc.nat(SECRETS.length - 1), weight: 8 },
      fc.constantFrom(null, 'short', 'x'.repeat(32)),
      texts,
    ),
    expiresAtMs: fc.option(instants),
  });
  return {
    grammar: fc.record({
      ring: fc.option(ringTexts, { freq: 8 }),
      key: fc.option(keys, { freq: 4 }),
      before: fc.array(ringTexts, { maxLength: 2 }),
      member: fc.nat(kinds.length - 1),
      verbs: fc.array(fc.constantFrom('verify', 'sign', 'sync', 'rotate', 'force', 'revoke'), { maxLength: 4 }),
    }),
    prepare: (input) => input,
    async play(input) {
      const read = input.ring === null ? null : await outcomeOf(() => asRing(input.ring ?? ''));
      const entries = [keyEntry(input), input.ring === null ? null : { text: input.ring, expiresAtMs: null }] as const;
      if (read === null || 'value' in read) settle(createRecord(...entries), input);
      else if (!input.verbs.includes('revoke')) await assertRefused(openStage(storeWith(...entries)), read.code);
      const stage = openStage(storeWith(...entries), kinds[Math.abs(input.member) % kinds.length]);
      try {
        for (const verb of input.verbs) await useMember(verb, stage);
        assertNoSecret(stage.rewt.status());
      } finally {
        await stage.rewt.close();
      }
      return read !== null && 'code' in read ? read.code : 'accepted';
    },
  };
}

/** The name of a lineage is whatever was found. */
function assertNoSecret({ keyring, ...rest }: Status): void {
  const shown = JSON.stringify({ ...rest, keyring: keyring && { ...keyring, lineage: '' } });
  assertThat(!SECRETS.some((secret) => shown.includes(secret)), 'a status shows a secret', () => shown);
}

function keyEntry({ key }: Input): KeyEntry | null {
  if (key === null) return null;
  const { value, expiresAtMs } = key;
  return {
    value: typeof value === 'number' ? (SECRETS[Math.abs(value) % SECRETS.length] ?? null) : value,
    // A store says whole milliseconds, and none after the last instant.
    expiresAtMs: expiresAtMs === null ? null : Math.trunc(Math.min(Math.abs(expiresAtMs), LAST_INSTANT_MS)),
  };
}

/** What is read is what would be written. */
function asRing(text: string): Ring {
  const ring = parseRing(text);
  assertThat(
    JSON.stringify(parseRing(formatRing(ring))) === JSON.stringify(ring),
    'a ring is read otherwise once written',
  );
  return ring;
}

/** Plays the pure decision on until there is nothing left to decide, and what commands would write then. */
function settle(start: StoreRecord, { before, member }: Input): void {
  const policy = policies[Math.abs(member) % policies.length] ?? (policies[0] as Policy);
  let known = NOTHING_KNOWN;
  for (const text of before) {
    try {
      known = observe(known, parseRing(text));
    } catch {}
  }
  let record = start;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const seen = seenIn(record);
    const plan = advance(seen, policy, known, mint);
    written(planRevocation(seen, policy, known, mint), record);
    if (seen.ring !== null) {
      if (plan?.name !== 'rollback') known = observe(known, seen.ring);
      const rotation = planRotation(seen, seen.ring, policy, mint, { force: true });
      if (typeof rotation !== 'number') written(rotation, record);
    }
    if (plan === null) return;
    record = written(plan, record);
    if (record.ring !== null && !isRing(record.ring.text)) return;
  }
  assertThat(false, 'a member goes on writing', () => record.ring?.text.length.toString() ?? '');
}

function seenIn(record: StoreRecord): Seen {
  const { nowMs, key, ring } = snapshotOf(record, NOW_MS);
  return { nowMs, key, ring: ring === null ? null : parseRing(ring) };
}

/** The record that a plan leads to; members have to be able to read it. */
function written({ wanted, name }: Plan, record: StoreRecord): StoreRecord {
  const readable = isRing(wanted.ring.text) || isCountedOut(wanted.ring.text);
  assertThat(readable, 'a member writes a ring that nobody can read', () => name);
  const isInstant = Number.isSafeInteger(wanted.ring.expiresAtMs) && wanted.ring.expiresAtMs > 0;
  assertThat(isInstant, 'a member writes a ring without an end', () => name);
  return createRecord(wanted.key ?? record.key, wanted.ring);
}

/** Nobody writes a keyring so often: whoever puts such a number there could as well put nothing that can be read. */
function isCountedOut(text: string): boolean {
  const { epoch, gen } = JSON.parse(text) as Ring;
  return Math.max(epoch, gen) > Number.MAX_SAFE_INTEGER;
}

function isRing(text: string): boolean {
  try {
    parseRing(text);
    return true;
  } catch {
    return false;
  }
}

/** A ring that cannot be read says nothing about any token (promise 5). */
async function assertRefused({ rewt, turn }: Stage, code: string): Promise<void> {
  turn();
  const verdict = await outcomeOf(() => rewt.verify(tokens[0] ?? ''));
  assertThat('code' in verdict && verdict.code === code, 'a ring that cannot be read is taken for a verdict');
  await rewt.close();
}

async function useMember(verb: string, { rewt, turn }: Stage): Promise<void> {
  turn();
  if (verb === 'verify') {
    for (const token of tokens) {
      await outcomeOf(() => rewt.verify(token));
      turn();
    }
  } else if (verb === 'sync') await outcomeOf(() => rewt.verifySync(tokens[1] ?? ''));
  else if (verb === 'sign') await signAndVerify({ rewt, turn });
  else {
    const change: Outcome<KeyringChange> = await outcomeOf(() =>
      verb === 'revoke' ? rewt.revoke() : rewt.rotate({ force: verb === 'force' }),
    );
    if ('code' in change) return;
    assertThat(change.value.kid.length === 11, 'a kid is none');
    await signAndVerify({ rewt, turn });
  }
}

async function signAndVerify({ rewt, turn }: Stage): Promise<void> {
  turn();
  const token = await outcomeOf(() => rewt.sign({ a: 1 }));
  turn();
  if ('code' in token) return;
  const verdict = await outcomeOf(() => rewt.verify(token.value));
  assertThat('value' in verdict, 'a member refuses what it signed', () => ('code' in verdict ? verdict.code : ''));
}
