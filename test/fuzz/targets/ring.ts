/**
 * Stores with anything in them: a ring is read or refused, what a member makes of it comes to an
 * end that members can read, and the member goes on.
 */

import fc from 'fast-check';
import type { Status } from '../../../src/index.js';
import { mint } from '../../../src/keyring/exchange.js';
import { EMPTY_HISTORY, remember } from '../../../src/keyring/history.js';
import type { Plan } from '../../../src/keyring/plan.js';
import type { Policy } from '../../../src/keyring/policy.js';
import { formatRing, parseRing, type Ring } from '../../../src/keyring/ring.js';
import { readOptions } from '../../../src/options.js';
import { createRecord, type StoreRecord, snapshotOf } from '../../../src/stores/record.js';
import { advance, planRevocation, planRotation, wantedOf } from '../../keyring/decisions.js';
import { instants, ringTexts } from '../ring-texts.js';
import { macBy, NOW_MS, SECRETS } from '../secrets.js';
import { openStage, recordWith, type Stage, storeWith } from '../stage.js';
import { assertThat, isSame, outcomeOf, targetOf, tried } from '../target.js';
import { mostly, texts, wordsOf } from '../texts.js';

/** After this many writes nothing should be left to decide. */
const MAX_STEPS = 6;

const kinds = [
  {},
  { ttl: 60, tokenLifetime: 5, maxStaleness: 2, clockTolerance: 1 },
  { maxStaleness: 0 },
  { ttl: 0.02, tokenLifetime: 0.01, maxStaleness: 0.01, clockTolerance: 0.005 },
];
const policies = kinds.map((options) => readOptions({ ...options, store: storeWith(null, null) }).member.policy);

const segments = ['{"alg":"HS256"}', '{"a":1}'].map((text) => Buffer.from(text).toString('base64url')).join('.');
const tokens = SECRETS.map((_, secret) => `${segments}.${macBy(secret, segments)}`);

/** Null is not UTF-8. */
const keyValues = mostly<string | null>(4, fc.constantFrom(...SECRETS), wordsOf(`short ${'x'.repeat(32)}`), texts);
const inputs = fc.record({
  ring: fc.option(ringTexts, { freq: 8 }),
  key: fc.option(fc.record({ value: fc.option(keyValues, { freq: 15 }), expiresAtMs: fc.option(instants) }), {
    freq: 4,
  }),
  // Rings that the member has seen before.
  before: fc.array(ringTexts, { maxLength: 2 }),
  member: fc.nat(kinds.length - 1),
  verbs: fc.array(wordsOf('verify sign sync rotate force revoke'), { maxLength: 4 }),
});

export const ringTarget = () =>
  targetOf({
    inputs,
    async play({ ring, key, before, member, verbs }) {
      const read = await outcomeOf(() => (ring === null ? null : readRing(ring)));
      if ('value' in read) settle(recordWith(key, ring), before, policies[member] as Policy);
      else if (!verbs.includes('revoke')) await assertRefused(openStage(storeWith(key, ring)), read.code);
      const stage = openStage(storeWith(key, ring), kinds[member]);
      try {
        for (const verb of verbs) await useMember(verb, stage);
        assertNoSecret(stage.rewt.status());
      } finally {
        await stage.rewt.close();
      }
      return 'code' in read ? read.code : 'accepted';
    },
  });

/** The name of a lineage is whatever was found. */
function assertNoSecret({ keyring, ...rest }: Status): void {
  const shown = JSON.stringify({ ...rest, keyring: keyring && { ...keyring, lineage: '' } });
  assertThat(!SECRETS.some((secret) => shown.includes(secret)), 'a status shows a secret', () => shown);
}

/** What is read is what would be written. JSON writes a number such as 1E400 as null. */
function readRing(text: string): Ring {
  const ring = parseRing(text);
  const asWritten = JSON.parse(JSON.stringify(ring));
  assertThat(isSame(parseRing(formatRing(ring)), asWritten), 'a ring is read otherwise once written');
  return ring;
}

const ringIn = (text: string) => tried(() => parseRing(text), null);

/** Plays the pure decision until nothing is left to decide, and what commands would write then. */
function settle(start: StoreRecord, before: readonly string[], policy: Policy): void {
  let history = before.flatMap((text) => ringIn(text) ?? []).reduce(remember, EMPTY_HISTORY);
  let record = start;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { nowMs, key, ring: text } = snapshotOf(record, NOW_MS);
    const seen = { nowMs, key, ring: text === null ? null : parseRing(text) };
    const plan = advance(seen, { policy, history, mint });
    written(planRevocation(seen, { policy, history, mint }), record);
    if (seen.ring !== null) {
      if (plan?.name !== 'rollback') history = remember(history, seen.ring);
      const rotation = planRotation(seen, seen.ring, { policy, mint }, { force: true });
      if (typeof rotation !== 'number') written(rotation, record);
    }
    if (plan === null) return;
    record = written(plan, record);
    if (ringIn(wantedOf(plan).ring.text) === null) return;
  }
  assertThat(false, 'a member goes on writing');
}

/** The record that a plan leads to; members have to be able to read it. */
function written(plan: Plan, record: StoreRecord): StoreRecord {
  const { name } = plan;
  const wanted = wantedOf(plan);
  const { text, expiresAtMs } = wanted.ring;
  const { epoch, gen } = JSON.parse(text) as Ring;
  // No fleet writes a keyring so often: a writer of such a number could as well write any text.
  const isCountedOut = Math.max(epoch, gen) > Number.MAX_SAFE_INTEGER;
  assertThat(isCountedOut || ringIn(text) !== null, 'a member writes a ring that no member can read', () => name);
  const isInstant = Number.isSafeInteger(expiresAtMs) && expiresAtMs > 0;
  assertThat(isInstant, 'a member writes a ring without an end', () => name);
  return createRecord(wanted.key ?? record.key, wanted.ring);
}

/** A ring that cannot be read says nothing about any token (promise 5). */
async function assertRefused({ rewt, call }: Stage, code: string): Promise<void> {
  const verdict = await call(() => rewt.verify(tokens[0] ?? ''));
  assertThat('code' in verdict && verdict.code === code, 'a ring that cannot be read is taken for a verdict');
  await rewt.close();
}

async function useMember(verb: string, { rewt, call }: Stage): Promise<void> {
  if (verb === 'verify' || verb === 'sync') {
    for (const token of tokens)
      await call<unknown>(() => (verb === 'sync' ? rewt.verifySync(token) : rewt.verify(token)));
    return;
  }
  if (verb !== 'sign') {
    const change = await call(() => (verb === 'revoke' ? rewt.revoke() : rewt.rotate({ force: verb === 'force' })));
    if ('code' in change) return;
    assertThat(change.value.kid.length === 11, 'a kid is none');
  }
  const token = await call(() => rewt.sign({ a: 1 }));
  if ('code' in token) return;
  const verdict = await call(() => rewt.verify(token.value));
  assertThat('value' in verdict, 'a member refuses what it signed', () => ('code' in verdict ? verdict.code : ''));
}
