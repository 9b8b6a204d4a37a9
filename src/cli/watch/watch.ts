/**
 * `rewt status --watch`: reads again at each change and each second, until Ctrl-C. It writes
 * nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../errors.js';
import { isSomething, type Look, look } from '../lookup/look.js';
import { othersInWords } from '../lookup/others.js';
import { spanOf } from '../output/format.js';
import type { Terminal } from '../output/terminal.js';
import { orRefusal, type Session } from '../session.js';
import { openDisplay } from './display.js';
import { changesBetween, type WatchEvent } from './events.js';

const SECOND_MS = 1_000;
const DRAW_MS = 250;
const MAX_EVENTS = 100;

/**
 * Watches the keyring. @throws {StoreError} if the store does not reply the first time. Later that
 * is an event.
 */
export async function watchKeyring(session: Session, terminal: Terminal, json: boolean): Promise<void> {
  const gone = new AbortController();
  // The reader has closed the pipe (`rewt status --watch | head -3`).
  terminal.stdout.once('error', () => gone.abort());
  const ended = AbortSignal.any([gone.signal, terminal.interrupted]);

  const first = await look(session);
  let last: Look = first;
  let answeredMs = performance.now();
  let awaySince: Date | null = null;
  let others = '';
  let pushState = '';
  const events: WatchEvent[] = [];
  let change = new AbortController();
  const watch = session.watch(() => change.abort());
  const display = openDisplay(terminal, json);

  const report = (happened: Omit<WatchEvent, 'time'>): void => {
    const event = { time: new Date(), ...happened };
    events.push(event);
    events.splice(0, events.length - MAX_EVENTS);
    display.report(event);
  };
  const push = () => watch?.status() ?? { state: 'off' as const, reason: 'This store cannot push.' };
  const show = (): void => {
    const answeredMsAgo = performance.now() - answeredMs;
    display.show({ look: last, push: push(), events, answeredMsAgo, others });
  };
  const comparePush = (): void => {
    const { state, reason } = push();
    if (state === 'connecting' || state === pushState) return;
    pushState = state;
    const words = state === 'on' ? 'on, changes are seen at once' : `off, ${reason}`;
    report({ event: 'push', words, details: { state, reason } });
  };

  // Redraws even while a reply is pending.
  const drawing = setInterval(show, DRAW_MS);
  if (!isSomething(first)) {
    void othersInWords(first, session.namespaces()).then(
      (words) => {
        others = words;
      },
      () => {},
    );
  }

  try {
    for (const event of changesBetween(null, first)) report(event);
    while (!ended.aborted) {
      comparePush();
      show();
      await sleep(SECOND_MS, undefined, { signal: AbortSignal.any([ended, change.signal]) }).catch(() => {});
      change = new AbortController();
      if (ended.aborted) return;
      watch?.check();
      const found = await orRefusal(look(session));
      if (found instanceof StoreError) {
        if (awaySince !== null) continue;
        awaySince = new Date();
        const { code, message } = found;
        report({ event: 'degraded', words: `the store cannot be used (${code}): ${message}`, details: { code } });
        continue;
      }
      answeredMs = performance.now();
      if (awaySince !== null) {
        const outageMs = Date.now() - awaySince.getTime();
        awaySince = null;
        report({
          event: 'recovered',
          words: `the store can be used again, after ${spanOf(outageMs)}`,
          details: { outageMs },
        });
      }
      for (const event of changesBetween(last, found)) report(event);
      last = found;
    }
  } finally {
    clearInterval(drawing);
    watch?.end();
    display.end();
  }
}
