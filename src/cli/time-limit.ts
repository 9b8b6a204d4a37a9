/** How long a run of the command may take. */

/** A person waits longer than a service, and a first connection takes longer than a request. */
const STORE_TIMEOUT_MS = 5_000;

/** The time that is left, without what a person takes to answer. */
export class TimeLimit {
  #endMs: number | null;

  /** @param seconds of the whole run; absent: each wait has its usual length */
  constructor(seconds?: number) {
    this.#endMs = seconds === undefined ? null : performance.now() + seconds * 1_000;
  }

  /** Milliseconds that the next wait may take. */
  leftMs(usualMs = STORE_TIMEOUT_MS): number {
    return this.#endMs === null ? usualMs : Math.max(1, this.#endMs - performance.now());
  }

  /** What `question` returns; its time does not count. */
  async paused<T>(question: Promise<T>): Promise<T> {
    const begunMs = performance.now();
    const answer = await question;
    if (this.#endMs !== null) this.#endMs += performance.now() - begunMs;
    return answer;
  }
}
