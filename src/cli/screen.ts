/** What the terminal behind stdout can show. */

import type { Format, Terminal } from './terminal.js';

/** A screen to draw on. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Whether more than ASCII can be shown. */
  readonly unicode: boolean;
  paint(format: Format, words: string): string;
}

/** Where a terminal does not say. */
const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

/** Null where stdout is no terminal: then there is nothing to draw on, and lines are left as they are. */
export function screenOf({ stdout, env, paint }: Terminal, platform: string = process.platform): Screen | null {
  if (!stdout.isTTY || env.TERM === 'dumb') return null;
  return {
    columns: stdout.columns || USUAL_COLUMNS,
    rows: stdout.rows || USUAL_ROWS,
    unicode: isUnicode(env, platform),
    paint,
  };
}

/** As the locale says (POSIX: the first of these three that is not empty); on Windows, by the terminals that can. */
function isUnicode(env: NodeJS.ProcessEnv, platform: string): boolean {
  if (platform === 'win32') return Boolean(env.WT_SESSION || env.TERM_PROGRAM);
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}
