/**
 * A watch that also ends once its member is forgotten, for what several members of a process share.
 */

import type { Watch } from './store.js';

/** Keeps each callback for as long as its watch is there. */
const callbacks = new WeakMap<Watch, () => void>();
const forgotten = new FinalizationRegistry<() => void>((leave) => leave());

/**
 * Makes a watch for one callback. What is shared must refer to that by a `WeakRef` alone: a member
 * that its
 * application has forgotten is not kept by what others use.
 *
 * @param leave is called at the watch's end, and at the latest when it has been collected as
 * garbage
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
