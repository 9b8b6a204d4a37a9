/**
 * A history made by hand, for the judge's own tests: what was written, which answers members got,
 * and what came of their calls.
 */

import { kidOf } from '../../src/keyring/secret.js';
import { createRecord, type StoreRecord } from '../../src/stores/record.js';
import { Agenda } from './agenda.js';
import type { Call, Judged, Token } from './calls.js';
import { Judge } from './judge.js';
import { Ledger } from './ledger.js';
import { BEGIN_MS, Machine } from './machine.js';
import { Random } from './random.js';
import { Server } from './server.js';
import { type Author, type Errand, Shown } from './shown.js';
import { FAIR } from './weather.js';
import { overlapOf, type Times } from './written.js';

/** Whole seconds, as in the tests. `null` for `key` leaves the entry away. */
export interface State {
  readonly key?: { readonly secret: string; readonly endS: number } | null;
  readonly ring?: RingState | null;
}

export interface RingState {
  readonly id?: string;
  readonly epoch?: number;
  readonly current: string;
  readonly endS: number;
  readonly next: string;
  readonly sinceS?: number;
  readonly retired?: readonly { readonly secret: string; readonly untilS: number }[];
  readonly overlapS?: number;
  readonly owedS?: number;
  /** When the store drops it. */
  readonly goneS?: number;
}

export const times: Times = {
  ttlMs: 60_000,
  tokenLifetimeMs: 5_000,
  maxStalenessMs: 10_000,
  clockToleranceMs: 1_000,
  storeTimeoutMs: 1_000,
  softAgeMs: 2_000,
};

export class Court {
  readonly agenda = new Agenda();
  readonly judge = new Judge(this.agenda);
  readonly ledger = new Ledger(this.agenda, () => this.server.nowMs(), this.judge);
  readonly server: Server = new Server(this.agenda, this.ledger);
  readonly #random = new Random(1, 'court');
  #writes = 0;

  constructor() {
    this.judge.sit(this.ledger, this.server);
  }

  /** The promises that were broken so far. */
  get accusations(): readonly string[] {
    return this.judge.violations.map(({ promise }) => promise);
  }

  get excuses(): Readonly<Record<string, number>> {
    return this.judge.counts.excused;
  }

  at(seconds: number): this {
    this.agenda.nowMs = seconds * 1_000;
    return this;
  }

  member(name: string, own: Partial<Times> = {}): Judged {
    return {
      name,
      times: { ...times, ...own },
      machine: new Machine(this.agenda, this.#random, 0),
      shown: new Shown(name, { ...times, ...own }),
      link: { state: 'up', weather: FAIR, soundSinceMs: this.agenda.nowMs },
      bornAtMs: this.agenda.nowMs,
      rewt: { status: () => ({ keyring: null }) as ReturnType<Judged['rewt']['status']> },
    };
  }

  /**
   * Writes as a member does after a read at `readS`, or as a fault does. Parts that are not named
   * stay as they are.
   */
  writes(author: Judged | string, state: State, readS = this.agenda.nowMs / 1_000): void {
    const { key, ring } = this.server.record;
    this.#writes += 1;
    const record = createRecord(
      state.key === undefined ? key : state.key && { value: long(state.key.secret), expiresAtMs: ms(state.key.endS) },
      state.ring === undefined ? ring : state.ring && entryOf(state.ring, this.#writes),
    );
    const by: Author = typeof author === 'string' ? { fault: author } : { shown: author.shown, decidedMs: ms(readS) };
    this.server.write(record, by);
  }

  /** A command's call begins. */
  calls(member: Judged, verb: Errand['verb'], force = false): Errand {
    const { nowMs } = this.agenda;
    const errand: Errand = {
      verb,
      force,
      fromMs: nowMs,
      untilMs: nowMs + 1_000,
      sent: 0,
      hasRevoked: false,
      renewal: null,
    };
    member.shown.errands.push(errand);
    return errand;
  }

  /** A command comes to its end; `code` is its error. */
  commanded(member: Judged, errand: Errand, code: string | null): void {
    this.judge.commanded({ ...this.#call(member, errand.verb), fromMs: errand.fromMs }, errand, code);
  }

  /** The member gets what the store holds at this instant. */
  answers(
    member: Judged,
    how: {
      verb?: 'read' | 'swap';
      errand?: Errand;
      isOwnWrite?: boolean;
      record?: StoreRecord;
      sentS?: number;
      executedS?: number;
      mayBeDeposed?: boolean;
    } = {},
  ): void {
    const { machine, shown } = member;
    const sentMs = how.sentS === undefined ? this.agenda.nowMs : how.sentS * 1_000;
    const sinceMs = this.agenda.nowMs - sentMs;
    const sent = { atMs: sentMs, monotonicMs: machine.monotonicMs() - sinceMs, wallMs: machine.wallMs() - sinceMs };
    this.ledger.showings.showed(shown, {
      sent,
      verb: how.verb ?? 'read',
      errand: how.errand ?? null,
      executedAtMs: how.executedS === undefined ? this.agenda.nowMs : how.executedS * 1_000,
      snapshot: this.server.read(),
      record: how.record ?? this.server.record,
      mayBeDeposed: how.mayBeDeposed ?? false,
      isOwnWrite: how.isOwnWrite ?? false,
      isWritable: true,
    });
  }

  /** A token that was signed at this instant. */
  token(secret: string, more: Partial<Token> = {}): Token {
    return {
      text: `${Buffer.from(JSON.stringify({ kid: kidOf(long(secret)) })).toString('base64url')}..`,
      signer: 'signer',
      secret: long(secret),
      hasKid: true,
      isPromoted: false,
      isUnaware: false,
      signedAtMs: this.agenda.nowMs,
      knownAtMs: this.agenda.nowMs,
      skewMs: 0,
      expMs: BEGIN_MS + this.agenda.nowMs + times.tokenLifetimeMs,
      lifetimeMs: times.tokenLifetimeMs,
      needsMs: overlapOf({ ...times, tokenLifetimeMs: more.lifetimeMs ?? times.tokenLifetimeMs }),
      ...more,
    };
  }

  /**
   * What came of a call that began and ended at this instant; `good` is what the member had to go
   * on with before.
   */
  verified(member: Judged, token: Token, code: string | null, good = member.shown.good): void {
    this.judge.verified({ ...this.#call(member, 'verify'), good }, token, code);
  }

  signed(member: Judged, code: string | null): void {
    this.judge.signed(this.#call(member, 'sign'), code);
  }

  #call(member: Judged, verb: Call['verb']): Call {
    const { nowMs } = this.agenda;
    return { member, fromMs: nowMs, awayMs: 0, verb, good: member.shown.good };
  }
}

/** Long enough to sign. */
function long(secret: string): string {
  return secret.padEnd(32, '.');
}

function ms(seconds: number): number {
  return BEGIN_MS + seconds * 1_000;
}

function entryOf(state: RingState, op: number): NonNullable<StoreRecord['ring']> {
  const { current, endS, next, sinceS = 0, retired = [], overlapS = 20, owedS, goneS } = state;
  const ttl = times.ttlMs;
  const overlap = overlapS * 1_000;
  const ring = {
    ...{ v: 1, id: state.id ?? 'lineage', epoch: state.epoch ?? 0, gen: op, op: String(op), ttl, overlap },
    current: { secret: long(current), expiresAt: ms(endS), ...(owedS === undefined ? {} : { owed: ms(owedS) }) },
    next: { secret: long(next), since: ms(sinceS) },
    retired: retired.map(({ secret, untilS }) => ({ secret: long(secret), until: ms(untilS) })),
  };
  return { text: JSON.stringify(ring), expiresAtMs: goneS === undefined ? ms(endS) + ttl + overlap : ms(goneS) };
}

/** `one` signs, `two` is next. */
export const begun = { key: { secret: 'one', endS: 60 }, ring: { current: 'one', endS: 60, next: 'two' } };
export const rotated = {
  key: { secret: 'two', endS: 118 },
  ring: { current: 'two', endS: 118, next: 'three', sinceS: 58, retired: [{ secret: 'one', untilS: 78 }] },
};

/** A member that was shown `begun`. */
export function opened() {
  const court = new Court();
  const member = court.member('m1');
  court.writes(member, begun);
  court.at(1).answers(member);
  return { court, member };
}
