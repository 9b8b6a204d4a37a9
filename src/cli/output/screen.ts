/** The abilities of the terminal behind stdout. */

import type { Format, Terminal } from './terminal.js';

/** A screen to draw on. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** True if it can show more than ASCII. */
  readonly unicode: boolean;
  paint(format: Format, words: string): string;
}

/** The width if the terminal does not report one. */
const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

/**
 * Returns the screen. Null if stdout is no terminal: there is nothing to draw on, and lines are not
 * broken.
 */
export function screenOf({ stdout, env, paint }: Terminal, platform: string = process.platform): Screen | null {
  if (!stdout.isTTY || env.TERM === 'dumb') return null;
  return {
    columns: stdout.columns || USUAL_COLUMNS,
    rows: stdout.rows || USUAL_ROWS,
    unicode: isUnicode(env, platform),
    paint,
  };
}

/**
 * Checks the locale (POSIX: the first of these three that is not empty); on Windows, the known
 * terminals.
 */
function isUnicode(env: NodeJS.ProcessEnv, platform: string): boolean {
  if (platform === 'win32') return Boolean(env.WT_SESSION || env.TERM_PROGRAM);
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}
