/** What a verb of the `rewt` command is. */

import type { Terminal } from './terminal.js';
import type { Writes } from './writes.js';

export interface Command {
  readonly help: string;
  /** Its errors say what was written. */
  readonly changes?: true;
  /** @throws {RewtError} whose class becomes the exit code. */
  run(words: readonly string[], terminal: Terminal, writes: Writes): Promise<Outcome>;
}

/** What a verb leaves to be printed. */
export interface Outcome {
  /** For stdout, alone; absent where there is none. */
  readonly result?: string;
  /** For stdout in place of the result, with `--json`: an object, or JSON that is ready. Absent where all has been printed as it came. */
  readonly json?: object | string;
  /** For stderr. */
  readonly words?: string | undefined;
  /** Default: 0. */
  readonly exitCode?: 0 | 1 | 3;
}
