/**
 * A writer or a reader of a storm: started anew whenever it was killed, with a report for each
 * life.
 */

import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiledFolder, type Started } from '../processes/members.js';
import type { Report } from './judge.js';

/** Starts an actor. One without a process number can be killed, but not stopped. */
export type Start = (file: string, args: string[]) => Started;

const script = fileURLToPath(new URL('life.js', import.meta.url));

export class Actor {
  readonly #start: Start;
  readonly #role: 'writer' | 'reader';
  readonly #path: string;
  readonly #log: string;
  #lives = 0;
  readonly #failed: Report[] = [];
  #running: Started | null = null;
  #gone: Promise<void> = Promise.resolve();
  #isGone = false;
  #stoppedUntilMs: number | null = null;

  /** `path` is the store's, `log` the beginning of the names of its reports. */
  constructor(role: 'writer' | 'reader', start: Start, path: string, log: string) {
    this.#role = role;
    this.#start = start;
    this.#path = path;
    this.#log = log;
    this.#live();
  }

  reports(): readonly Report[] {
    const files = Array.from({ length: this.#lives }, (_, index) => this.#logOf(index + 1));
    const read = files
      .filter((file) => existsSync(file))
      .map((file) => ({ actor: basename(file), text: readFileSync(file, 'utf8') }));
    return [...read, ...this.#failed];
  }

  /** Resolves as soon as it is at work, or gone. */
  async begun(): Promise<void> {
    while (!this.#isGone && !existsSync(this.#logOf(this.#lives))) await setTimeout(5);
  }

  get canStop(): boolean {
    return this.#running?.pid !== undefined;
  }

  /** Stops it until then. False if it is stopped. */
  stop(untilMs: number): boolean {
    if (this.#stoppedUntilMs !== null || !this.#signal('SIGSTOP')) return false;
    this.#stoppedUntilMs = untilMs;
    return true;
  }

  /** Lets it go on if its time has come. */
  goOn(nowMs: number): void {
    if (this.#stoppedUntilMs === null || nowMs < this.#stoppedUntilMs) return;
    this.#stoppedUntilMs = null;
    this.#signal('SIGCONT');
  }

  /** Kills it, and starts it again. */
  async killAndStart(): Promise<void> {
    await this.kill();
    this.#live();
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.kill();
    await this.#gone;
  }

  /** Lets it finish what it does. */
  async end(): Promise<void> {
    this.goOn(Number.POSITIVE_INFINITY);
    // A worker of cluster loses what it is sent before it listens.
    await this.begun();
    const running = this.#running;
    this.#running = null;
    running?.send({ verb: 'end' });
    await this.#gone;
  }

  #live(): void {
    this.#lives += 1;
    this.#stoppedUntilMs = null;
    const log = this.#logOf(this.#lives);
    const started = this.#start(script, [compiledFolder(), this.#role, this.#path, log, basename(log)]);
    this.#running = started;
    this.#isGone = false;
    this.#gone = new Promise((resolve) =>
      started.onExit(() => {
        // Unless it was to end.
        if (this.#running === started) this.#failed.push({ actor: basename(log), text: 'failed\n' });
        this.#isGone = true;
        resolve();
      }),
    );
  }

  #logOf(life: number): string {
    return `${this.#log}-${life}`;
  }

  #signal(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    const pid = this.#running?.pid;
    return pid !== undefined && process.kill(pid, signal);
  }
}
