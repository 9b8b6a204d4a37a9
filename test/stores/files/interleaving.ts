/**
 * One interleaving of processes that use the file store, one system call at a time, and the judge
 * of it.
 *
 * A process that is never chosen again has crashed, or sleeps for ever. Safety is judged in every
 * state:
 *
 * - commit: a `link` that makes its record the newest replaces exactly what its caller had read;
 * - state: the newest record that exists is the last one committed;
 * - ack: a swap that is acknowledged was committed, and one that is refused was not; if the store
 * says that it cannot
 *   tell, it may be either;
 * - read: what a call shows was the state at some instant between its first system call and its
 * answer.
 */

import type { Store } from '../../../src/stores/store.js';
import type { Choice, Outcome, Scenario, Work } from './scenario.js';
import { hash, seen } from './seen.js';
import { NAMESPACE, ROOT, SimulatedDisk, type SystemCall } from './simulated-folder.js';
import type { CreateStore } from './stepped-store.js';

interface Process {
  readonly store: Store;
  readonly work: readonly Work[];
  done: number;
  isAmid: boolean;
  /**
   * What waits for its next system call; null if the process computes, or is between two calls of
   * the store.
   */
  pending: { readonly call: SystemCall; readonly run: () => void } | null;
  /** Index of the state at the beginning of the present call. */
  since: number;
  /** What it read before its swap. */
  read: string | null;
  /** Stands for all that it has seen. */
  log: number;
}

interface Committed {
  readonly id: string | null;
  readonly text: string | null;
}

/** How a play begins. */
export interface Start {
  readonly disk: SimulatedDisk;
  readonly last: Committed;
}

const nothing: Committed = { id: null, text: null };

const limits = { timeoutMs: 1_000_000 };
const NOW_MS = 1_700_000_000_000;
const FAR_MS = NOW_MS * 2;

/** Calls whose place among those of other processes makes no difference. */
const unseen = new Set(['stat', 'fstat', 'read', 'write', 'fsync', 'close']);
/** What is never replaced once it is there, if the folder is not deleted. */
const lasting = /^(birth|namespace|\/.*)$/;

export class Interleaving {
  readonly disk: SimulatedDisk;
  readonly outcomes = new Map<Outcome, number>();
  readonly steps: string[] = [];
  violation: string | null = null;
  readonly #scenario: Scenario;
  readonly #processes: Process[] = [];
  /** The states in their order. */
  readonly #chain: Committed[];
  #deletions: number;

  constructor(scenario: Scenario, create: CreateStore, start: Start = { disk: new SimulatedDisk(), last: nothing }) {
    this.#scenario = scenario;
    this.#deletions = scenario.deletions ?? 0;
    this.disk = start.disk.copy();
    if (scenario.hasBackup) this.disk.backUp();
    this.disk.keepsDrafts = scenario.keepsDrafts ?? false;
    this.#chain = [start.last];
    for (const work of scenario.processes) this.#add(work, create);
  }

  /** What is there after some changes by a process that then ends. */
  static async primed({ primed = 0, hasOneBirth = false }: Scenario, create: CreateStore): Promise<Start> {
    const work = Array<Work>(primed).fill('change');
    const play = new Interleaving({ processes: [[], [], [], [], [], [], [], work], hasOneBirth }, create);
    while (play.canGoOn(7)) await play.advance(7);
    return { disk: play.disk, last: play.#chain.at(-1) ?? nothing };
  }

  /** The processes that are not at their end, then the deletion of the folder. */
  choices(): Choice[] {
    const processes = this.#processes.map((_, index) => index).filter((index) => this.canGoOn(index));
    return this.#deletions > 0 ? [...processes, 'delete'] : processes;
  }

  canGoOn(choice: Choice): boolean {
    if (choice === 'delete') return this.#deletions > 0;
    const { isAmid, done, work } = this.#process(choice);
    return isAmid || done < work.length;
  }

  isAmid(choice: Choice): boolean {
    return choice !== 'delete' && this.#process(choice).isAmid;
  }

  /** The system call that a process makes next, if it is amid a call of the store. */
  nextStep(choice: Choice): string | null {
    const { call } = (choice === 'delete' ? null : this.#process(choice).pending) ?? {};
    return call === undefined ? null : `${call.name} ${call.file}`;
  }

  /**
   * One system call that others can see, with all of the process' own before the next such call.
   */
  async advance(choice: Choice): Promise<void> {
    if (choice === 'delete') {
      this.#deletions -= 1;
      this.disk.deleteFolder();
      this.steps.push('the folder is deleted');
      this.#observe(null);
      return;
    }
    const process = this.#process(choice);
    if (!process.isAmid) this.#call(process, choice);
    let isMade = false;
    for (let ticks = 0; process.isAmid; ticks += 1) {
      if (ticks > 10_000) throw new Error(`process ${choice} waits for something else than a system call`);
      const { pending } = process;
      if (pending === null) {
        await null;
        continue;
      }
      const isSeen = this.#isSeen(pending.call);
      if (isSeen && isMade) break;
      isMade ||= isSeen;
      ticks = 0;
      process.pending = null;
      pending.run();
      if (isSeen) this.steps.push(`${choice}: ${pending.call.name} ${pending.call.file}`);
      if (pending.call.name === 'link' || pending.call.name === 'unlink') this.#observe(process);
    }
  }

  /** Equal for two interleavings that cannot go on differently. */
  key(): number {
    const processes = this.#processes.map(({ log, done, isAmid, since }) => `${log}:${done}:${isAmid ? since : ''}`);
    const chain = this.#chain.map(({ id }) => id);
    return hash(this.#deletions, `${this.disk.key()}|${processes.join()}|${chain.join()}`);
  }

  /**
   * A process that comes after all others, which have ended or crashed, reads what is there, and
   * can replace it.
   */
  async recover(create: CreateStore): Promise<void> {
    this.#processes.forEach((process, index) => {
      const open = this.disk.openBy(index);
      if (!process.isAmid && open > 1) this.#accuse(`LEAK: process ${index} has ${open} descriptors open`);
    });
    const before = this.outcomes.get('swapped') ?? 0;
    const last = this.#add(['read', 'change', 'read'], create);
    while (this.canGoOn(last)) await this.advance(last);
    if (this.outcomes.get('swapped') !== before + 1) this.#accuse('RECOVERY: a process alone could not swap');
  }

  #add(work: readonly Work[], create: CreateStore): number {
    const index = this.#processes.length;
    const system = this.disk.system(index, ({ name, file }, run) => {
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          try {
            const result = run();
            process.log = hash(process.log, `${name} ${file} ${seen(result)}`);
            resolve(result);
          } catch (error) {
            process.log = hash(process.log, `${name} ${file} ${error}`);
            reject(error);
          }
        };
        process.pending = { call: { name, file }, run: settle };
      });
    });
    if (this.#scenario.hasOneBirth) {
      const { randomName } = system;
      system.randomName = (bytes) => (bytes === 16 ? '0'.repeat(32) : randomName(bytes));
    }
    // The store was changed to wait for its quick look (stepped-store.ts).
    const store = create(system as never, 'linux', { path: ROOT, now: () => NOW_MS });
    const rest = { done: 0, isAmid: false, pending: null, since: 0, read: null, log: 0 };
    const process: Process = { store, work, ...rest };
    this.#processes.push(process);
    return index;
  }

  #process(index: number): Process {
    const process = this.#processes[index];
    if (process === undefined) throw new Error(`there is no process ${index}`);
    return process;
  }

  #call(process: Process, index: number): void {
    process.isAmid = true;
    process.since = this.#chain.length - 1;
    const end = (): void => {
      process.isAmid = false;
      process.done += 1;
    };
    const work = process.work[process.done] === 'read' ? this.#read(process, index) : this.#change(process, index);
    work.then(end, (error: unknown) => {
      this.#accuse(`ERROR: process ${index}: ${error}`);
      end();
    });
  }

  async #read(process: Process, index: number): Promise<void> {
    try {
      const { ring } = await process.store.read(NAMESPACE, limits);
      this.#count('read');
      this.#judgeRead(process, index, ring);
    } catch (error) {
      this.#judgeFailure(error, index);
    }
  }

  async #change(process: Process, index: number): Promise<void> {
    const text = `${index}.${process.done}`;
    try {
      const { ring, version } = await process.store.read(NAMESPACE, limits);
      this.#judgeRead(process, index, ring);
      process.read = ring;
      process.since = this.#chain.length - 1;
      const wanted = { key: null, ring: { text, expiresAtMs: FAR_MS } };
      const answer = await process.store.swap(NAMESPACE, version, wanted, { ...limits, notAfterMs: FAR_MS });
      this.#count(answer.swapped ? 'swapped' : 'conflict');
      const at = this.#chain.findIndex((state) => state.text === text);
      if (answer.swapped && at === -1) {
        this.#accuse(`ACK: process ${index} was answered that ${text} happened, and it did not`);
      }
      if (!answer.swapped && this.disk.holds(text)) {
        this.#accuse(`LEFT: process ${index} was answered "conflict", and the record of ${text} is still there`);
      }
      if (!answer.swapped && at !== -1) {
        this.#accuse(`ACK: process ${index} was answered "conflict" for ${text}, which happened`);
      }
      process.since = Math.max(process.since, at);
      this.#judgeRead(process, index, answer.snapshot.ring);
    } catch (error) {
      if (`${error}`.includes('may or may not have happened')) {
        this.#count('unknown');
        return;
      }
      this.#judgeFailure(error, index);
      if (this.#chain.some((state) => state.text === text)) {
        this.#accuse(`ACK: process ${index} was answered an error for ${text}, which happened: ${error}`);
      }
    }
  }

  #judgeRead({ since }: Process, index: number, ring: string | null): void {
    if (this.#chain.slice(since).some((state) => state.text === ring)) return;
    this.#accuse(`READ: process ${index} was answered ${ring}, which was not the state at any instant of its call`);
  }

  /** Only because of a deleted folder, and with an error of rewt's own. */
  #judgeFailure(error: unknown, index: number): void {
    this.#count('failed');
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const isExcused = code === 'ERR_REWT_STORE_DOWN' && !`${error}`.includes('a fresh keyring is made');
    if (isExcused && (this.#scenario.deletions ?? 0) > 0) return;
    this.#accuse(`ERROR: process ${index}: ${error}`);
  }

  /**
   * Compares what is there with the last state. `process` has made a system call; null: the folder
   * was deleted.
   */
  #observe(process: Process | null): void {
    const { id, text } = this.disk.newest() ?? { id: null, text: null };
    const last = this.#chain.at(-1);
    if (last === undefined || id === last.id) return;
    const ring = text === null ? null : (JSON.parse(text) as { ring: { text: string } }).ring.text;
    const isOwn = process !== null && ring === `${this.#processes.indexOf(process)}.${process.done}`;
    const isCommit = isOwn && this.#chain.every((state) => state.id !== id);
    if (process !== null && !isCommit) {
      this.#accuse(`STATE: the newest record is ${ring}, and the last one committed ${last.text}`);
    } else if (process !== null && process.read !== last.text) {
      this.#accuse(`COMMIT: ${ring} became the state, made from ${process.read}, and replaced ${last.text}`);
    }
    this.#chain.push({ id, text: ring });
  }

  #isSeen({ name, file }: SystemCall): boolean {
    if (unseen.has(name)) return false;
    const { primed = 0, deletions = 0, isCoarse = false } = this.#scenario;
    if (isCoarse && file.startsWith('tmp') && name !== 'create') return false;
    return !(lasting.test(file) && primed > 0 && deletions === 0 && name !== 'readdir');
  }

  #count(outcome: Outcome): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #accuse(violation: string): void {
    this.violation ??= violation;
  }
}
