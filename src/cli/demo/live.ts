/** Shows a demo while it runs: a line rewritten in place on a terminal, a line each second elsewhere. */

import type { Terminal } from '../terminal.js';
import type { Tally } from './messages.js';

const PLAIN_LINE_MS = 1_000;
/** What a terminal of unknown width surely has. */
const NARROW_COLUMNS = 80;

/** A terminal echoes it as ^C at the end of the line. */
const ROOM_FOR_CTRL_C = 3;

export interface Live {
  update(tally: Tally): void;
  /** A line that stays. */
  tell(words: string): void;
  /** Takes the line in place away. */
  end(): void;
}

export function startLive(terminal: Terminal): Live {
  const { stderr } = terminal;
  const begunMs = performance.now();
  let before = { atMs: begunMs, calls: 0 };
  let line = '';

  const seconds = () => `${((performance.now() - begunMs) / 1_000).toFixed(1)} s`.padStart(7);
  const erase = () => (stderr.isTTY && line !== '' ? '\r\x1b[K' : '');

  return {
    update(tally) {
      const nowMs = performance.now();
      if (!stderr.isTTY && nowMs - before.atMs < PLAIN_LINE_MS) return;
      const rate = (tally.calls - before.calls) / ((nowMs - before.atMs) / 1_000);
      before = { atMs: nowMs, calls: tally.calls };
      const { kid, recent } = tally;
      const parts = [
        seconds(),
        `${count(rate)} calls/s`,
        `kid ${kid ?? '-'}`,
        `p50 ${milliseconds(recent.p50Ms)}`,
        `p99 ${milliseconds(recent.p99Ms)}`,
      ];
      if (!stderr.isTTY) return terminal.say(parts.join('  '));
      const gone = erase();
      line = fitting(parts, (stderr.columns || NARROW_COLUMNS) - ROOM_FOR_CTRL_C);
      stderr.write(`${gone}${terminal.style('dim', line)}`);
    },
    tell(words) {
      stderr.write(`${erase()}${seconds()}  ${words}\n`);
      if (stderr.isTTY) stderr.write(terminal.style('dim', line));
    },
    end() {
      stderr.write(erase());
      line = '';
    },
  };
}

/** As many parts as there is room for: a line that wraps could not be rewritten. */
function fitting(parts: readonly string[], columns: number): string {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
