/**
 * The output of `rewt status --watch`: a screen that is redrawn and restored at the end, or lines.
 */

import { type Screen, screenOf } from '../output/screen.js';
import type { Terminal } from '../output/terminal.js';
import type { WatchEvent } from './events.js';
import { frameOf, lineOf, type Watched } from './frame.js';

export interface Display {
  /** Shows the current state. */
  show(watched: Watched): void;
  /** Reports an event. */
  report(event: WatchEvent): void;
  end(): void;
}

/**
 * The alternate screen, without a cursor; and back (xterm's, which every current terminal
 * supports).
 */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';

export function openDisplay(terminal: Terminal, json: boolean): Display {
  return json || screenOf(terminal) === null ? lines(terminal, json) : screen(terminal);
}

function lines({ print }: Terminal, json: boolean): Display {
  return {
    show() {},
    report(event) {
      const { time, event: name, details } = event;
      print(json ? JSON.stringify({ time, event: name, ...details }) : lineOf(event));
    },
    end() {},
  };
}

function screen(terminal: Terminal): Display {
  const { stdout } = terminal;
  let last: Watched | null = null;
  let ended = false;
  let shown = '';
  const draw = (): void => {
    // Read each time, because windows change.
    const now: Screen | null = screenOf(terminal);
    if (ended || last === null || now === null) return;
    const drawn = frameOf(last, now).map((line) => `${line}${REST_OF_LINE}`);
    const picture = `${HOME}${drawn.join('\n')}${REST_OF_SCREEN}`;
    if (picture !== shown) stdout.write(picture);
    shown = picture;
  };
  const leave = (): void => void stdout.write(LEAVE);
  // Restores the terminal even if the process ends by an error.
  process.once('exit', leave);
  const redraw = (): void => {
    shown = '';
    draw();
  };
  stdout.on('resize', redraw);
  stdout.write(ENTER);
  return {
    show(watched) {
      last = watched;
      draw();
    },
    // The next frame contains it.
    report() {},
    end() {
      ended = true;
      process.off('exit', leave);
      stdout.off('resize', redraw);
      leave();
    },
  };
}
