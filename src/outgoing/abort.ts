/**
 * Waits that end at the caller's AbortSignal. All requests that share a signal use one listener,
 * because Node warns of a leak at the eleventh.
 */

interface Waits {
  /** Each function ends one wait. */
  readonly ends: Set<() => void>;
  stopListening(): void;
}

const waitsBySignal = new WeakMap<AbortSignal, Waits>();

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as the caller aborts. `work`
 * then continues for the other callers.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  // The wrapped fetch rejects an invalid signal.
  if (typeof signal?.addEventListener !== 'function') return work;
  return new Promise((resolve, reject) => {
    // Signals of other implementations have no reason.
    const end = () => reject(signal.reason ?? new DOMException('This operation was aborted', 'AbortError'));
    if (signal.aborted) end();
    const { ends, stopListening } = waitsBySignal.get(signal) ?? listenTo(signal);
    ends.add(end);
    work.then(resolve, reject).finally(() => {
      ends.delete(end);
      if (ends.size === 0) stopListening();
    });
  });
}

function listenTo(signal: AbortSignal): Waits {
  const ends = new Set<() => void>();
  const stopListening = () => {
    waitsBySignal.delete(signal);
    signal.removeEventListener('abort', abort);
  };
  const abort = () => {
    stopListening();
    for (const end of ends) end();
  };
  const waits = { ends, stopListening };
  waitsBySignal.set(signal, waits);
  signal.addEventListener('abort', abort, { once: true });
  return waits;
}
