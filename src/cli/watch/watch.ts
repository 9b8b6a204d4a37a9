/** `rewt status --watch`: looks again at each change and each second, until Ctrl-C. It writes nothing. */

import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../errors.js';
import { isSomething, type Look, look } from '../look.js';
import { othersInWords } from '../others.js';
import { orRefusal, type Session } from '../session.js';
import type { Terminal } from '../terminal.js';
import { spanOf } from '../words.js';
import { openDisplay } from './display.js';
import { changesBetween, type WatchEvent } from './events.js';

const SECOND_MS = 1_000;
const DRAW_MS = 250;
const MAX_EVENTS = 100;

/** @throws {StoreError} if the store does not answer the first time. Later that is an event. */
export async function watchKeyring(session: Session, terminal: Terminal, json: boolean): Promise<void> {
  const gone = new AbortController();
  // The reader has left (`rewt status --watch | head -3`).
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

  const tell = (happened: Omit<WatchEvent, 'time'>): void => {
    const event = { time: new Date(), ...happened };
    events.push(event);
    events.splice(0, events.length - MAX_EVENTS);
    display.tell(event);
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
    tell({ event: 'push', words, details: { state, reason } });
  };

  // Also while an answer is awaited.
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
    for (const event of changesBetween(null, first)) tell(event);
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
        tell({ event: 'degraded', words: `the store cannot be used (${code}): ${message}`, details: { code } });
        continue;
      }
      answeredMs = performance.now();
      if (awaySince !== null) {
        const outageMs = Date.now() - awaySince.getTime();
        awaySince = null;
        tell({
          event: 'recovered',
          words: `the store can be used again, after ${spanOf(outageMs)}`,
          details: { outageMs },
        });
      }
      for (const event of changesBetween(last, found)) tell(event);
      last = found;
    }
  } finally {
    clearInterval(drawing);
    watch?.end();
    display.end();
  }
}
