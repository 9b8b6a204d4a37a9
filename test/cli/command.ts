/**
 * Runs the `rewt` command in this process, without a terminal: for what a verb does and prints.
 * `process.ts` runs the built command, for what a process does.
 */
import { PassThrough, Readable } from 'node:stream';
import type { Terminal } from '../../src/cli/output/terminal.js';
import { run } from '../../src/cli/run.js';
import type { Run } from './process.js';

export interface Given {
  /** All variables of the command: no other of this process is passed on. */
  readonly env?: NodeJS.ProcessEnv;
  /** All of stdin. */
  readonly input?: string | Uint8Array;
  readonly interrupted?: AbortSignal;
  /** Whether all three streams are said to be a terminal. */
  readonly isTTY?: boolean;
  /** Receives each line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
  /** Receives each line of stderr as it comes. */
  readonly onSaid?: (line: string) => void;
}

export interface Lines {
  readonly code: number;
  readonly printed: readonly string[];
  readonly said: readonly string[];
}

/** The exit code, and what was printed as it was given to each stream. */
export async function linesOf(words: readonly string[], given: Given = {}): Promise<Lines> {
  const { env = {}, input = '', interrupted = new AbortController().signal, isTTY = false, onLine, onSaid } = given;
  const [printed, said]: [string[], string[]] = [[], []];
  const stdin = Buffer.from(input);
  const terminal: Terminal = {
    stdin: Object.assign(Readable.from(stdin.length === 0 ? [] : [stdin]), { isTTY }),
    stdout: Object.assign(new PassThrough().resume(), { isTTY }),
    stderr: Object.assign(new PassThrough().resume(), { isTTY }),
    env,
    interrupted,
    print(line) {
      printed.push(line);
      onLine?.(line);
    },
    report(line) {
      said.push(line);
      onSaid?.(line);
    },
    style: (_, line) => line,
    paint: (_, line) => line,
  };
  return { code: await run(words, terminal, () => ''), printed, said };
}

/** Does not print the warnings of members, which only the process of the command does. */
export async function rewt(words: readonly string[], given: Given = {}): Promise<Run> {
  const { code, printed, said } = await linesOf(words, given);
  const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return { code, stdout: textOf(printed), stderr: textOf(said) };
}
