/**
 * The process' three streams as the command uses them: results on stdout, messages on stderr, and
 * an abort signal for Ctrl-C.
 */

import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { wrap } from './table.js';

/** As in sysexits. */
const OUTPUT_LOST = 74;

export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  /**
   * Aborted when the user interrupts the command. The reason is the exit code: 128 and the signal's
   * number, as in a shell.
   */
  readonly interrupted: AbortSignal;
  /** Writes a line to stdout. */
  print(result: string): void;
  /** Writes a line to stderr. */
  report(words: string): void;
  /** Colours words for stderr, if it is a terminal and NO_COLOR is not set. */
  style(format: Format, words: string): string;
  /** Colours words for stdout in the same way. */
  paint(format: Format, words: string): string;
}

export type Format = Parameters<typeof styleText>[0];

export function openTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A reader may close stdout early (`rewt status | head -1`). Any other lost token must be
    // reported.
    if (code === 'EPIPE') return;
    stderr.write('rewt: stdout cannot be written: is the disk full?\n');
    process.exitCode = OUTPUT_LOST;
  });
  stderr.on('error', () => {});
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort(128 + constants.signals[signal]));
  }
  return {
    stdin,
    stdout,
    stderr,
    env,
    interrupted: interruption.signal,
    print: (result) => void stdout.write(`${result}\n`),
    report: (words) => void stderr.write(`${fitted(words, stderr)}\n`),
    style: (format, words) => styleText(format, words, { stream: stderr }),
    paint: (format, words) => styleText(format, words, { stream: stdout }),
  };
}

/**
 * Checks if stdout and stderr are the same screen: a result that a message names is then not
 * repeated.
 */
export function isOnScreen({ stdout, stderr }: Terminal): boolean {
  return stdout.isTTY === true && stderr.isTTY === true;
}

/** Asks on stderr and reads a line; any answer but yes means no. */
export async function confirm(question: string, { stdin, stderr, interrupted }: Terminal): Promise<boolean> {
  stderr.write(`${fitted(question, stderr)} [y/N] `);
  // Not with readline's terminal mode, which would capture Ctrl-C.
  const lines = createInterface({ input: stdin, terminal: false, signal: interrupted });
  try {
    for await (const line of lines) return /^\s*y(es)?\s*$/i.test(line);
    // The user has not pressed Enter.
    stderr.write('\n');
    return false;
  } finally {
    lines.close();
  }
}

/** Breaks lines at spaces if they are too long for the terminal. */
function fitted(words: string, { isTTY, columns }: Terminal['stderr']): string {
  if (!isTTY || !columns) return words;
  // The answer follows the question on the same line.
  const room = Math.max(20, columns - 8);
  return words
    .split('\n')
    .flatMap((line) => (line.length < columns ? [line] : wrap(line, room)))
    .join('\n');
}

/**
 * Settles as `work` does, but rejects at once if the user interrupts; `work` then continues in the
 * background.
 */
export async function unlessInterrupted<T>(work: Promise<T>, { interrupted }: Terminal): Promise<T> {
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(interrupted.reason);
    interrupted.addEventListener('abort', leave);
    if (interrupted.aborted) leave();
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, left]);
  } finally {
    if (leave) interrupted.removeEventListener('abort', leave);
  }
}
