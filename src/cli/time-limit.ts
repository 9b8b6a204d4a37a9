/** The time limit of one run of the command. */

/** A person waits longer than a service, and a first connection takes longer than a request. */
export const STORE_TIMEOUT_MS = 5_000;

/** The remaining time, which excludes the user's time to answer. */
export class TimeLimit {
  #endMs: number | null;

  /** @param seconds of the whole run; absent: each wait has its default length */
  constructor(seconds?: number) {
    this.#endMs = seconds === undefined ? null : performance.now() + seconds * 1_000;
  }

  /** Returns the milliseconds that the next wait may take. */
  leftMs(usualMs = STORE_TIMEOUT_MS): number {
    return this.#endMs === null ? usualMs : Math.max(1, this.#endMs - performance.now());
  }

  /** Awaits `question`; its time does not count. */
  async paused<T>(question: Promise<T>): Promise<T> {
    const begunMs = performance.now();
    const answer = await question;
    if (this.#endMs !== null) this.#endMs += performance.now() - begunMs;
    return answer;
  }
}
