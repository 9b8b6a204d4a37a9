/**
 * A Redis with a separate clock: both entries, every earlier state of them, and what can befall a
 * server.
 */

import { createRecord, emptyRecord, type StoreRecord, snapshotOf, swapRecord } from '../../src/stores/record.js';
import type { Snapshot, SwapAnswer, WantedState } from '../../src/stores/store.js';
import type { Agenda } from './agenda.js';
import type { Ledger } from './ledger.js';
import { BEGIN_MS } from './machine.js';
import type { Author } from './shown.js';

type Past = readonly { readonly record: StoreRecord; readonly atMs: number }[];

export class Server {
  record: StoreRecord = emptyRecord;
  /** How far its clock is ahead of true time. Milliseconds. */
  skewMs = 0;
  state: 'up' | 'refusing' | 'silent' = 'up';
  writes: 'taken' | 'ERR_REWT_STORE_READ_ONLY' | 'ERR_REWT_STORE_FULL' = 'taken';
  /** Since when it has been as it should: up, and taking writes. True time. */
  soundSinceMs = 0;
  readonly ears = new Set<() => void>();
  readonly #agenda: Agenda;
  readonly #ledger: Ledger;
  #past: Past = [];
  /** What the master had that was left with the last failover. */
  #left: { readonly record: StoreRecord; readonly past: Past } | null = null;

  constructor(agenda: Agenda, ledger: Ledger) {
    this.#agenda = agenda;
    this.#ledger = ledger;
  }

  nowMs(): number {
    return Math.floor(BEGIN_MS + this.#agenda.nowMs + this.skewMs);
  }

  read(): Snapshot {
    return snapshotOf(this.record, this.nowMs());
  }

  swap(expected: string, wanted: WantedState, notAfterMs: number, author: Author): SwapAnswer {
    const { write, answer } = swapRecord(this.record, this.nowMs(), { expected, wanted, notAfterMs });
    if (write !== null) this.write(write, author);
    return answer;
  }

  /** A script that failed between its two writes. */
  halfSwap(expected: string, wanted: WantedState, notAfterMs: number, author: Author): void {
    const { write } = swapRecord(this.record, this.nowMs(), { expected, wanted, notAfterMs });
    if (write !== null && wanted.key !== null)
      this.write(createRecord(wanted.key, this.record.ring), { ...author, half: true });
  }

  write(record: StoreRecord, author: Author): void {
    const before = this.record;
    this.#past = [...this.#past.slice(-400), { record: before, atMs: this.#agenda.nowMs }];
    this.record = record;
    this.#ledger.wrote(before, record, author);
    for (const ear of this.ears) ear();
  }

  /** A failover to a replica that lacks the last writes; its clock may be another. */
  loseWrites(count: number): void {
    const lost = this.#past.slice(-count);
    const oldest = lost[0];
    if (oldest === undefined) return;
    const undone = [...lost.slice(1).map(({ record }) => record), this.record];
    this.#failOver(oldest.record, this.#past.slice(0, -count), undone);
  }

  /**
   * A failover to the master that was left with the last one: what both had done since they parted
   * is in one of them alone.
   */
  otherMaster(): void {
    if (this.#left === null) return;
    const { record, past } = this.#left;
    const shared = new Set(past.map((write) => write.record));
    const undone = [...this.#past.map((write) => write.record), this.record].filter((own) => !shared.has(own));
    this.#failOver(record, past, undone);
  }

  #failOver(record: StoreRecord, past: Past, undone: readonly StoreRecord[]): void {
    const before = this.record;
    const isOther = record === this.#left?.record;
    this.#left = { record: before, past: this.#past };
    this.record = record;
    this.#past = past;
    this.#ledger.lostWrites(before, record, undone, isOther ? 'failover to another master' : null);
    for (const ear of this.ears) ear();
  }

  /** How many writes there have been since then. True time. */
  writesSince(atMs: number): number {
    return this.#past.filter((write) => write.atMs >= atMs).length;
  }

  pastLength(): number {
    return this.#past.length;
  }

  jump(ms: number): void {
    this.skewMs += ms;
    this.#ledger.jumped(ms);
  }
}
