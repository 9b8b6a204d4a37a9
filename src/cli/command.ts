/** The contract of a verb of the `rewt` command. */

import type { Terminal } from './output/terminal.js';
import type { Writes } from './writes.js';

export interface Command {
  readonly help: string;
  /** True if it changes the keyring: its errors then report what was written. */
  readonly changes?: true;
  /** Runs the verb. @throws {RewtError} whose class becomes the exit code. */
  run(words: readonly string[], terminal: Terminal, writes: Writes): Promise<Outcome>;
}

/** The output of a verb. */
export interface Outcome {
  /** The result for stdout, alone; absent if there is none. */
  readonly result?: string;
  /**
   * The result for stdout with `--json`: an object, or finished JSON. Absent if the verb has
   * printed everything already.
   */
  readonly json?: object | string;
  /** The message for stderr, or several, each of one line. */
  readonly words?: string | readonly string[] | undefined;
  /** Default: 0. */
  readonly exitCode?: 0 | 1 | 3;
}
