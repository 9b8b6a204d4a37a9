/**
 * A store's two entries, members with what they know of them, and everything that may befall them,
 * in one thread and on a clock that only commands turn. After each convergence the promises of
 * protocol.md are looked after.
 */

import { expect } from 'vitest';
import { verifyingKeys } from '../../src/jwt/authenticate.js';
import { historyAfter } from '../../src/keyring/advance.js';
import { createCopy, signingKey } from '../../src/keyring/copy.js';
import { EMPTY_HISTORY, type History } from '../../src/keyring/history.js';
import type { Mint, Plan } from '../../src/keyring/plan.js';
import type { Policy } from '../../src/keyring/policy.js';
import { MAX_RETIRED, parseRing, type Ring } from '../../src/keyring/ring.js';
import { kidOf } from '../../src/keyring/secret.js';
import { advance, type PlainContents as Contents, planRevocation, planRotation, wantedOf } from './decisions.js';
import { type Fault, HistoryStore, type OperatorCommand, secretsOf } from './history-store.js';
import { countingMint, POLICY } from './samples.js';

export type Command =
  | OperatorCommand
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'converge'; readonly member: number; readonly faults: readonly Fault[] }
  | { readonly do: 'sign' | 'restart'; readonly member: number }
  | { readonly do: 'rotate'; readonly member: number; readonly force: boolean; readonly faults: readonly Fault[] }
  | { readonly do: 'revoke'; readonly member: number; readonly faults: readonly Fault[] }
  | { readonly do: 'roll back'; readonly writes: number };

class Member {
  readonly policy: Policy;
  readonly tokenLifetimeMs: number;
  known: History = EMPTY_HISTORY;
  /** The copy in use, and when it was read. */
  copy: { readonly ring: Ring; readonly readAtMs: number; readonly losses: number } | null = null;
  /** The last ring of each lineage that it used. */
  readonly used = new Map<string, Ring>();
  /** Secrets of which it saw the revocation. */
  readonly gone = new Set<string>();
  /** Secrets that it held in a ring. */
  readonly held = new Set<string>();
  /**
   * Secrets that it held, and of which it saw the revocation after that: no way leads back for
   * these, wherever they come from.
   */
  readonly lost = new Set<string>();

  constructor(tokenLifetimeMs: number, ttlMs: number) {
    const overlapMs = tokenLifetimeMs + POLICY.maxStalenessMs + POLICY.clockToleranceMs;
    this.tokenLifetimeMs = tokenLifetimeMs;
    this.policy = { ...POLICY, ttlMs, overlapMs, minimums: { ttlMs, overlapMs } };
  }

  forget(): void {
    this.known = EMPTY_HISTORY;
    this.copy = null;
    this.used.clear();
    this.gone.clear();
    this.held.clear();
    this.lost.clear();
  }
}

/** A plan that does not come to rest within this many steps never will. */
const MAX_STEPS = 8;

export class World extends HistoryStore {
  readonly members = [new Member(5_000, 60_000), new Member(5_000, 60_000), new Member(20_000, 90_000)];
  readonly mint: Mint = countingMint();
  /**
   * By the operation that wrote a ring: what had been revoked on the way to it, each secret with
   * its lineage.
   */
  readonly #revokedBefore = new Map<string, ReadonlyMap<string, string>>();

  play(command: Command): void {
    switch (command.do) {
      case 'wait':
        this.wait(command.ms);
        return;
      case 'converge':
        this.converge(this.#member(command.member), command.faults);
        return;
      case 'sign':
        this.#sign(this.#member(command.member));
        return;
      case 'rotate':
        this.#rotate(this.#member(command.member), command.force, command.faults);
        return;
      case 'revoke':
        this.#revoke(this.#member(command.member), command.faults);
        return;
      case 'restart':
        this.#member(command.member).forget();
        return;
      case 'roll back':
        this.rollBack(command.writes);
        return;
      default:
        this.operate(command);
    }
  }

  /** Reads and advances until there is nothing to say, then looks after the promises. */
  converge(member: Member, faults: readonly Fault[] = []): Ring {
    return this.#run(member, faults, (seen) =>
      advance(seen, { policy: member.policy, history: member.known, mint: this.mint }),
    );
  }

  /**
   * DEL, then fresh members that all read the same contents and swap one after the other: one of
   * them makes the new secret.
   */
  race(size: number): void {
    const contestants = Array.from({ length: size }, () => new Member(5_000, 60_000));
    this.play({ do: 'DEL' });
    const expected = this.contents;
    const seen = this.read();
    const won = contestants.filter((member) => {
      const plan = advance(seen, { policy: member.policy, history: member.known, mint: this.mint });
      if (plan === null || !this.swap(expected, wantedOf(plan), 'fine')) return false;
      this.#account(seen, plan, member, member.known);
      return true;
    });
    expect(won).toHaveLength(1);
    const settled = contestants.map((member) => this.converge(member));
    expect(new Set(settled.map((ring) => ring.op)).size).toBe(1);
  }

  /** Another member, quicker than the one whose turn it is. */
  #interfere(slower: Member): void {
    const quicker = this.members.find((member) => member !== slower);
    if (quicker !== undefined) this.converge(quicker);
  }

  #run(
    member: Member,
    faults: readonly Fault[],
    decide: (seen: Contents) => Plan | null,
    wrote = (_: Plan) => {},
  ): Ring {
    for (let step = 0; step < MAX_STEPS + faults.length; step += 1) {
      const expected = this.contents;
      const seen = this.read();
      const { known } = member;
      const plan = decide(seen);
      if (seen.ring !== null) member.known = historyAfter(known, seen.ring, plan);
      if (seen.ring !== null && plan?.name === 'rollback') {
        // None of it is used again, wherever it comes from.
        for (const secret of [seen.ring, known.ring].flatMap((ring) => (ring === null ? [] : secretsOf(ring)))) {
          member.gone.add(secret);
          member.lost.add(secret);
        }
      }
      if (plan === null) return this.#use(member, seen);
      if (plan.revokes) member.copy = null;
      const fault = faults[step] ?? 'fine';
      if (fault === 'conflict') this.#interfere(member);
      if (this.swap(expected, wantedOf(plan), fault)) {
        this.#account(seen, plan, member, known);
        wrote(plan);
      }
    }
    throw new Error('the members go round in circles');
  }

  #rotate(member: Member, force: boolean, faults: readonly Fault[]): void {
    let before: string | undefined;
    this.#run(member, faults, (seen) => {
      before ??= seen.ring?.current.secret;
      const plan = advance(seen, { policy: member.policy, history: member.known, mint: this.mint });
      if (plan !== null || seen.ring === null || seen.ring.current.secret !== before) return plan;
      const planned = planRotation(seen, seen.ring, { policy: member.policy, mint: this.mint }, { force });
      return typeof planned === 'number' ? null : planned;
    });
  }

  #revoke(member: Member, faults: readonly Fault[]): void {
    let done = false;
    const before = this.read();
    const ring = this.#run(
      member,
      faults,
      (seen) =>
        done
          ? advance(seen, { policy: member.policy, history: member.known, mint: this.mint })
          : planRevocation(seen, { policy: member.policy, history: member.known, mint: this.mint }),
      () => {
        done = true;
      },
    );
    // `revoke()` has returned: nothing of before may be in the ring.
    const secrets = secretsOf(ring);
    if (before.ring !== null) for (const secret of secretsOf(before.ring)) expect(secrets).not.toContain(secret);
    if (before.key !== null) expect(secrets).not.toContain(before.key.value);
  }

  #sign(member: Member): void {
    if (member.copy === null || this.nowMs - member.copy.readAtMs >= POLICY.maxStalenessMs) return;
    // Signed with a copy from before a revocation: refused, as it must be.
    if (member.copy.losses !== this.losses) return;
    const { ring } = member.copy;
    const copy = createCopy(ring);
    const isNext = signingKey(copy, this.nowMs) === copy.next;
    const secret = isNext ? ring.next.secret : ring.current.secret;
    this.tokens.push({ secret, endsAtMs: this.nowMs + member.tokenLifetimeMs });
  }

  /**
   * The ring that a member goes on with: the promises that hold whenever `advance` has nothing to
   * say.
   */
  #use(member: Member, seen: Contents): Ring {
    const { ring, key } = seen;
    if (ring === null) throw new Error('a member cannot be content without a ring');
    expect(advance(this.read(), { policy: member.policy, history: member.known, mint: this.mint })).toBeNull();
    expect(key?.value).toBe(ring.current.secret);
    expect(Math.abs((key?.expiresAtMs ?? 0) - ring.current.expiresAt)).toBeLessThanOrEqual(5);
    expect(ring.retired.length).toBeLessThanOrEqual(MAX_RETIRED);
    expect(ring.ttl).toBeGreaterThanOrEqual(member.policy.ttlMs);
    expect(ring.overlap).toBeGreaterThanOrEqual(member.policy.overlapMs);

    const secrets = secretsOf(ring);
    const ours = secrets.filter((secret) => !this.byHand.has(secret));
    expect(new Set(ours).size).toBe(ours.length);

    const used = member.used.get(ring.id) ?? ring;
    expect(ring.epoch).toBeGreaterThanOrEqual(used.epoch);
    if (ring.epoch === used.epoch) expect(ring.rev).toBe(used.rev);
    member.used.set(ring.id, ring);
    for (const [secret, lineage] of this.#revokedBefore.get(ring.op) ?? []) {
      // That another lineage was given up shows only to those who had been in it.
      if (!member.used.has(lineage)) continue;
      if (member.held.has(secret) && !member.gone.has(secret)) member.lost.add(secret);
      member.gone.add(secret);
    }
    for (const secret of secrets) {
      // A value that was K outside of any ring looks like an operator's to a member that had not
      // held it when it was revoked.
      const isStray = (this.byHand.has(secret) || this.strays.has(secret)) && !member.lost.has(secret);
      if (!isStray) expect(member.gone).not.toContain(secret);
      member.held.add(secret);
    }

    member.copy = { ring, readAtMs: this.nowMs, losses: this.losses };
    this.tokens = this.tokens.filter((token) => this.nowMs < token.endsAtMs);
    const copy = createCopy(ring);
    for (const { secret } of this.tokens) expect(verifyingKeys(copy.keys, kidOf(secret), this.nowMs)).not.toEqual([]);
    return ring;
  }

  /**
   * What one write that happened must have been, row for row the same; `known` is what the member
   * knew before it read.
   */
  #account(seen: Contents, plan: Plan, member: Member, known: History): void {
    const after = parseRing(wantedOf(plan).ring.text);
    const before = seen.ring ?? (plan.name === 'repair' ? member.known.ring : null);
    if (before?.id === after.id) expect(after.gen).toBe(before.gen + 1);
    if (before !== null) expect(after.ttl).toBeGreaterThanOrEqual(before.id === after.id ? before.ttl : 0);

    const begins = ['adopt', 'bootstrap'].includes(plan.name);
    const revoked = new Map(before === null ? [] : this.#revokedBefore.get(before.op));
    const given = begins ? member.known.ring : before;
    if (begins && given !== null) {
      for (const [secret, lineage] of this.#revokedBefore.get(given.op) ?? []) revoked.set(secret, lineage);
    }
    if (plan.revokes || begins) {
      if (given !== null) for (const secret of secretsOf(given)) revoked.set(secret, given.id);
      for (const secret of secretsOf(after)) revoked.delete(secret);
      this.giveUpTokens();
      expect(after.retired).toEqual([]);
      if (before !== null && before.id === after.id) expect(after.epoch).toBeGreaterThan(before.epoch);
    } else if (before !== null) {
      expect([after.id, after.epoch]).toEqual([before.id, before.epoch]);
      if (after.current.secret !== before.current.secret) this.#accountForRotation(seen, plan, before, after, known);
    }
    this.#revokedBefore.set(after.op, revoked);
  }

  #accountForRotation(seen: Contents, plan: Plan, before: Ring, after: Ring, known: History): void {
    expect(['rotation', 'late rotation', 'foreign rotation']).toContain(plan.name);
    const isForeign = plan.name === 'foreign rotation';
    expect(after.current.secret).toBe(isForeign ? seen.key?.value : before.next.secret);
    if (isForeign) expect(after.next).toEqual(before.next);
    const { secret } = before.current;
    // A failover may have lost what the member saw last of the secret's end.
    const ends = [known.ring?.current, ...(known.ring?.retired ?? [])].flatMap((slot) => {
      if (slot?.secret !== secret || known.ring === null) return [];
      return 'until' in slot ? [slot.until - known.ring.overlap] : [slot.expiresAt];
    });
    const end = seen.key?.value === secret ? this.nowMs : Math.max(before.current.expiresAt, ...ends);
    const until = Math.min(this.nowMs, end) + after.overlap;
    const kept = before.retired.filter((slot) => slot.until > this.nowMs);
    const old = until > this.nowMs ? [{ secret, until }] : [];
    if (seen.key?.expiresAtMs !== null) expect(after.retired).toEqual([...old, ...kept].slice(0, MAX_RETIRED));
  }

  #member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`there is no member ${index}`);
    return member;
  }
}

/** Plays a history. At its end every member converges, and what they agree on lasts. */
export function playHistory(history: readonly Command[]): World {
  const world = new World();
  for (const command of history) world.play(command);
  for (const member of world.members) world.converge(member);
  const agreed = world.read().ring?.op;
  for (const member of world.members) expect(world.converge(member).op).toBe(agreed);
  return world;
}
