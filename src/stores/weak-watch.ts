/**
 * A watch that also ends once its member is garbage-collected, for what several members of a
 * process share.
 */

import type { Watch } from './store.js';

/** Keeps each callback alive as long as its watch. */
const callbacks = new WeakMap<Watch, () => void>();
const forgotten = new FinalizationRegistry<() => void>((leave) => leave());

/**
 * Makes a watch for one callback. The shared part must reference the callback only by a `WeakRef`.
 * Otherwise it would keep a member alive that its application no longer uses.
 *
 * @param leave is called when the watch ends, at the latest after it was garbage-collected
 */
export function weakWatch(
  onSuspect: () => void,
  leave: () => void,
  { status, check }: Pick<Watch, 'status' | 'check'>,
): Watch {
  const token = {};
  const watch: Watch = {
    status,
    check,
    end() {
      forgotten.unregister(token);
      leave();
    },
  };
  callbacks.set(watch, onSuspect);
  forgotten.register(watch, leave, token);
  return watch;
}
