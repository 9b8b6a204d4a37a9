/** The one way in which rewt stops waiting. */

/** Settles as `work` does, or rejects with `late()` once `timeoutMs` have passed; `work` then goes on alone, and its failure is nobody's. The timer is not unref'ed: somebody is waiting. */
export async function within<T>(timeoutMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
