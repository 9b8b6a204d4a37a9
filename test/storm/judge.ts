/**
 * Judges a storm by the records that were in the folder and by what writers and readers reported.
 * Pure.
 */

/** A record as it was found in the folder. */
export interface FoundRecord {
  readonly generation: number;
  readonly op: string;
  readonly parent: string | null;
  /** The name that its writer gave it. */
  readonly name: string;
}

/** The lines that one writer or reader wrote; the last one may be cut short. */
export interface Report {
  readonly actor: string;
  readonly text: string;
}

export interface Verdict {
  /** Empty if the store kept its promises. */
  readonly broken: readonly string[];
  readonly swaps: number;
  readonly conflicts: number;
  /** Swaps that were answered "may or may not have happened". */
  readonly unknown: number;
  /** Swaps without an answer, since their writer was killed. */
  readonly unanswered: number;
  /** Records that were linked too late, and so are on no chain. */
  readonly late: number;
  readonly reads: number;
}

/**
 * Holds what happened against the promises: one chain, with every acknowledged swap and no other
 * answer's.
 */
export function judge(records: readonly FoundRecord[], reports: readonly Report[]): Verdict {
  const broken: string[] = [];
  const chain = chainOf(records, broken);
  const number = new Map(chain.map(({ name }, index) => [name, index + 1]));
  const swaps = new Map<string, string>();
  const acknowledged: { readonly number: number; readonly atUs: number }[] = [];
  for (const { actor, words } of linesOf(reports)) {
    const [verb = '', name = ''] = words;
    if (verb === 'torn') broken.push(`${actor} read a torn record: ${words.slice(1).join(' ')}`);
    if (verb === 'failed') broken.push(`${actor} ended by itself`);
    if (verb === 'try') swaps.set(name, 'unanswered');
    if (!['done', 'conflict', 'unknown'].includes(verb)) continue;
    swaps.set(name, verb);
    const at = number.get(name);
    if (verb === 'done' && at === undefined) broken.push(`${name} was acknowledged and is not on the chain`);
    if (verb === 'conflict' && at !== undefined) broken.push(`${name} was answered "conflict" and is on the chain`);
    if (verb === 'done' && at !== undefined) acknowledged.push({ number: at, atUs: Number(words[2]) });
    const isNamed = words[2] === 'ERR_REWT_STORE_DOWN' && words.includes('may');
    if (verb === 'unknown' && !isNamed) broken.push(`${name} failed: ${words.slice(2).join(' ')}`);
  }
  const reads = judgeReads(reports, number, acknowledged, broken);
  const count = (answer: string): number => [...swaps.values()].filter((each) => each === answer).length;
  return {
    broken,
    swaps: count('done'),
    conflicts: count('conflict'),
    unknown: count('unknown'),
    unanswered: count('unanswered'),
    late: new Set(records.map(({ op }) => op)).size - chain.length,
    reads,
  };
}

/** The records from the first to the newest, by their parents. */
function chainOf(records: readonly FoundRecord[], broken: string[]): readonly FoundRecord[] {
  const byOp = new Map(records.map((record) => [record.op, record]));
  let at = records.reduce<FoundRecord | undefined>(
    (newest, record) => (record.generation > (newest?.generation ?? 0) ? record : newest),
    undefined,
  );
  const chain: FoundRecord[] = [];
  while (at !== undefined) {
    chain.unshift(at);
    if (at.parent === null) break;
    const parent = byOp.get(at.parent);
    if (parent?.generation !== at.generation - 1) {
      broken.push(`the chain is broken below generation ${at.generation} (${at.name})`);
      break;
    }
    at = parent;
  }
  if (chain[0] !== undefined && chain[0].generation !== 1) broken.push('the chain does not begin at generation 1');
  return chain;
}

/**
 * A reader sees what is on the chain, never goes back, and never misses what was acknowledged
 * before it began to read.
 */
function judgeReads(
  reports: readonly Report[],
  number: ReadonlyMap<string, number>,
  acknowledged: readonly { readonly number: number; readonly atUs: number }[],
  broken: string[],
): number {
  const inTime = [...acknowledged].sort((a, b) => a.atUs - b.atUs);
  const newest: number[] = [];
  for (const each of inTime) newest.push(Math.max(newest.at(-1) ?? 0, each.number));
  const seen = new Map<string, number>();
  let reads = 0;
  for (const { actor, words } of linesOf(reports)) {
    if (words[0] !== 'read') continue;
    const [, name = '', , atUs, times] = words;
    reads += Number(times);
    const at = name === '-' ? 0 : number.get(name);
    if (at === undefined) {
      broken.push(`${actor} read ${name}, which is not on the chain`);
      continue;
    }
    if (at < (seen.get(actor) ?? 0)) broken.push(`${actor} went back from ${seen.get(actor)} to ${at}`);
    seen.set(actor, at);
    const before = newest[countUntil(inTime, Number(atUs)) - 1] ?? 0;
    if (at < before) broken.push(`${actor} read ${at} after ${before} had been acknowledged`);
  }
  return reads;
}

/** How many were before an instant. */
function countUntil(inTime: readonly { readonly atUs: number }[], atUs: number): number {
  let low = 0;
  let high = inTime.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((inTime[middle]?.atUs ?? 0) < atUs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function* linesOf(reports: readonly Report[]): Generator<{ readonly actor: string; readonly words: string[] }> {
  for (const { actor, text } of reports) {
    // What follows the last line break was cut short.
    for (const line of text.split('\n').slice(0, -1)) yield { actor, words: line.split(' ') };
  }
}
