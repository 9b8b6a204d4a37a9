/**
 * One member's way to the server: slow, lossy, cut, late, double, and an ear that may go deaf.
 * Implements the contract of a store.
 */

import { StoreError } from '../../src/errors.js';
import { type StoreRecord, snapshotOf } from '../../src/stores/record.js';
import type {
  Announcements,
  CallLimits,
  Snapshot,
  Store,
  SwapAnswer,
  SwapLimits,
  WantedState,
  Watch,
} from '../../src/stores/store.js';
import type { Agenda } from './agenda.js';
import type { Ledger } from './ledger.js';
import type { Machine } from './machine.js';
import type { Random } from './random.js';
import { KEY_NAME } from './seals.js';
import type { Server } from './server.js';
import type { Author, Shown } from './shown.js';
import type { Weather } from './weather.js';

export class Link implements Store {
  readonly kind = 'simulated';
  readonly local = false;
  readonly watch?: NonNullable<Store['watch']>;
  state: 'up' | 'refusing' | 'silent' | 'old side' = 'up';
  weather: Weather;
  /** Since when nothing has gone wrong on it. True time. */
  soundSinceMs = 0;
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #server: Server;
  readonly #machine: Machine;
  readonly #ledger: Ledger;
  readonly #author: Author & { readonly shown: Shown };
  /** What the old master of a partition shows, for as long as this member reaches only that. */
  #oldMaster: StoreRecord | null = null;
  #isEarOpen = false;
  #ear: (() => void) | null = null;

  constructor(
    { agenda, random, server, ledger }: { agenda: Agenda; random: Random; server: Server; ledger: Ledger },
    machine: Machine,
    author: Author & { readonly shown: Shown },
    weather: Weather,
    canPush: boolean,
  ) {
    this.#agenda = agenda;
    this.#random = random;
    this.#server = server;
    this.#ledger = ledger;
    this.#machine = machine;
    this.#author = author;
    this.weather = weather;
    if (canPush) this.watch = (_namespace, onSuspect) => this.#listen(onSuspect);
  }

  read(_namespace: string, { timeoutMs }: CallLimits): Promise<Snapshot> {
    return this.#call(
      timeoutMs,
      'read',
      () => this.#read(),
      (snapshot) => snapshot,
      () => false,
    );
  }

  swap(_namespace: string, expected: string, wanted: WantedState, limits: SwapLimits): Promise<SwapAnswer> {
    const { timeoutMs, notAfterMs } = limits;
    const isHalf = this.#random.chance(this.weather.half);
    const author = { ...this.#author, decidedMs: this.#author.shown.answeredStoreMs };
    return this.#call(
      timeoutMs,
      'swap',
      () => {
        if (this.#oldMaster !== null) throw new StoreError('ERR_REWT_STORE_READ_ONLY', 'too few replicas');
        if (this.#server.writes !== 'taken') throw new StoreError(this.#server.writes, 'refused');
        if (isHalf) {
          this.#server.halfSwap(expected, wanted, notAfterMs, author);
          this.#troubled();
          throw down();
        }
        return this.#server.swap(expected, wanted, notAfterMs, author);
      },
      ({ snapshot }) => snapshot,
      ({ swapped }) => swapped,
    );
  }

  async close(): Promise<void> {}

  keyName(): string {
    return KEY_NAME;
  }

  /** No member has a name. What is read next is read by the call that asked. */
  announcements(): Promise<Announcements> {
    const { shown } = this.#author;
    const { calling } = shown;
    const none = Promise.resolve({ nowMs: this.#server.nowMs(), count: 0, kept: [] });
    void none.then(() => {
      shown.calling = calling;
      queueMicrotask(() => {
        if (shown.calling === calling) shown.calling = null;
      });
    });
    return none;
  }

  /**
   * A partition leaves this member with the old master, which has no replica in step from then on.
   */
  part(record: StoreRecord): void {
    this.state = 'old side';
    this.#oldMaster = record;
    this.#troubled();
  }

  /** Carries again, to wherever it leads. */
  mend(): void {
    this.state = this.#oldMaster === null ? 'up' : 'old side';
  }

  heal(): void {
    if (this.#oldMaster === null) return;
    this.state = 'up';
    this.#oldMaster = null;
    this.#troubled();
    this.loseEar(true);
  }

  #read(): Snapshot {
    if (this.#oldMaster === null) return this.#server.read();
    return { ...snapshotOf(this.#oldMaster, this.#server.nowMs()), mayBeDeposed: true };
  }

  /** The push connection is lost: noticed or not. */
  loseEar(isNoticed: boolean): void {
    if (!this.#isEarOpen) return;
    this.#isEarOpen = false;
    this.#troubled();
    if (isNoticed) this.#agenda.after(this.#random.between(1, 1_500), () => this.#reopenEar(true));
  }

  /** A message without a change. */
  whisper(): void {
    this.#agenda.after(this.#latency(this.weather.pushMs), () => this.#tell());
  }

  /** Everything that may go wrong with one call is decided when it is sent. */
  #call<Answer>(
    timeoutMs: number,
    verb: 'read' | 'swap',
    execute: () => Answer,
    snapshotIn: (answer: Answer) => Snapshot,
    isDone: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const { requestLost, replyLost, late, twice, latencyMs } = this.weather;
    const random = this.#random;
    const { shown } = this.#author;
    const errand = verb === 'read' ? shown.calling : shown.answered;
    if (errand !== null) errand.sent += 1;
    shown.calling = null;
    const sent = { atMs: this.#agenda.nowMs, monotonicMs: this.#machine.monotonicMs(), wallMs: this.#machine.wallMs() };
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (conclude: () => void) => {
        if (settled) return;
        settled = true;
        cancel();
        conclude();
      };
      const refuse = (error: unknown) =>
        settle(() => {
          if (verb === 'swap') this.#ledger.unwritten(this.#server.record, shown);
          reject(error);
        });
      const cancel = this.#machine.timer(timeoutMs, () => {
        this.#troubled();
        refuse(new StoreError('ERR_REWT_STORE_TIMEOUT', 'silent'));
      });
      const fail = (error: unknown) => {
        this.#troubled();
        this.#agenda.after(this.#latency(latencyMs), () => this.#machine.deliver(() => refuse(error)));
      };
      const arrive = (isAnswered: boolean) => {
        if (this.#is('silent')) return this.#troubled();
        if (this.#is('refusing')) return fail(down());
        let answer: Answer;
        const atMs = this.#agenda.nowMs;
        const oldMaster = this.#oldMaster;
        try {
          answer = execute();
        } catch (error) {
          return fail(error);
        }
        const record = oldMaster ?? this.#server.record;
        this.#ledger.showings.executed(shown, verb, sent.atMs, record);
        if (!isAnswered) return this.#troubled();
        const isWritable = oldMaster === null && this.#server.writes === 'taken';
        const showing = {
          sent,
          verb,
          errand,
          executedAtMs: atMs,
          snapshot: snapshotIn(answer),
          record,
          mayBeDeposed: oldMaster !== null,
          isOwnWrite: isDone(answer),
          isWritable,
        };
        this.#agenda.after(this.#latency(latencyMs), () => {
          if (this.#is('silent')) return this.#troubled();
          this.#machine.deliver(() => {
            settle(() => {
              this.#ledger.showings.showed(shown, showing);
              resolve(answer);
            });
          });
        });
      };

      const isAnswered = !random.chance(replyLost);
      const travelMs = this.#latency(latencyMs);
      if (random.chance(requestLost)) return this.#troubled();
      if (random.chance(late)) {
        this.#agenda.after(timeoutMs * random.between(0.5, 3), () => arrive(isAnswered));
        return this.#troubled();
      }
      // A client that lost its connection sends once more: then the second answer is the one that
      // comes.
      const isTwice = random.chance(twice);
      const isSecond = isTwice && random.chance(0.5);
      if (isTwice) this.#agenda.after(travelMs + random.between(0, timeoutMs), () => arrive(isSecond && isAnswered));
      this.#agenda.after(travelMs, () => arrive(!isSecond && isAnswered));
    });
  }

  #listen(onSuspect: () => void): Watch {
    this.#ear = onSuspect;
    const hear = () => {
      if (!this.#isEarOpen || this.#oldMaster !== null) return;
      const { pushLost, pushTwice, pushMs } = this.weather;
      const random = this.#random;
      if (random.chance(pushLost)) return;
      this.#agenda.after(this.#latency(pushMs), () => this.#tell());
      if (random.chance(pushTwice)) this.#agenda.after(random.between(0, 3_000), () => this.#tell());
    };
    this.#server.ears.add(hear);
    this.#agenda.after(this.#random.between(0.5, 5), () => this.#reopenEar(false));
    return {
      status: () => ({ state: this.#isEarOpen ? 'on' : 'connecting', reason: null }),
      check: () => {
        if (!this.#isEarOpen && this.#random.chance(0.2)) this.#reopenEar(true);
      },
      end: () => {
        this.#ear = null;
        this.#server.ears.delete(hear);
      },
    };
  }

  /** Armed first: what follows is read after that. */
  #reopenEar(wasLost: boolean): void {
    if (this.#isEarOpen || this.#ear === null) return;
    if (wasLost) this.#tell();
    this.#agenda.after(this.#random.between(1, 300), () => {
      if (this.#is('silent') || this.#is('refusing')) {
        this.#agenda.after(500, () => this.#reopenEar(false));
        return;
      }
      this.#isEarOpen = this.#ear !== null && this.#machine.state !== 'dead';
      this.#tell();
    });
  }

  #tell(): void {
    this.#machine.deliver(() => {
      if (this.#ear === null) return;
      this.#ledger.showings.told(this.#author.shown);
      this.#ear();
    });
  }

  #is(state: 'silent' | 'refusing'): boolean {
    return this.state === state || this.#server.state === state;
  }

  #troubled(): void {
    this.soundSinceMs = this.#agenda.nowMs;
  }

  #latency([low, high]: readonly [number, number]): number {
    return this.#random.between(low, high);
  }
}

function down(): StoreError {
  return new StoreError('ERR_REWT_STORE_DOWN', 'refused');
}
