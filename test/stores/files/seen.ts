/** Stands for what a process has seen, so that two states can be compared. */

/** What a process can know of a result. Not the times: every two are a minute apart. */
export function seen(result: unknown): string {
  if (typeof result !== 'object' || result === null) return `${result}`;
  return 'inode' in result ? `${result.inode}` : JSON.stringify(result);
}

/** 48 bits, which are enough for some hundred thousand texts. */
export function hash(before: number, text: string): number {
  let low = before | 0;
  let high = Math.floor(before / 4_294_967_296) | 0;
  for (let at = 0; at < text.length; at += 1) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ low ^ (low >>> 13), 0x5bd1e995);
  }
  return (high >>> 16) * 4_294_967_296 + (low >>> 0);
}
