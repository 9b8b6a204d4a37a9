/** The check for unknown option names: a misspelt option would otherwise silently do nothing. */

import { OptionError } from '../errors.js';
import { escaped } from './printable.js';

/** Longer names are cut in messages, and never matched with a known name. */
const MAX_SHOWN_CHARACTERS = 40;

/**
 * Asserts that every own name of `raw` is one of `known`.
 *
 * @param where what is being read, as the message begins: `'sign options'`.
 * @param foreign names from other libraries, each with the sentence that replaces a guess.
 * @throws {OptionError} that names the option, never its value.
 */
export function assertKnownNames(
  raw: object,
  known: readonly string[],
  where: string,
  foreign: Readonly<Record<string, string>> = {},
): void {
  for (const name of Object.keys(raw)) {
    if (known.includes(name)) continue;
    const option = asciiOf(name);
    if (Object.hasOwn(foreign, name)) throw new OptionError(`${where}: ${foreign[name]}`, { option });
    const meant = nearest(name, known);
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean '${meant}'?`;
    throw new OptionError(`${where}: unknown option '${option}'; ${hint}`, { option });
  }
}

/**
 * Cuts a name and escapes all but printable ASCII. If options are made from foreign JSON, an
 * attacker can choose a name, and messages appear in logs.
 */
function asciiOf(name: string): string {
  const cut = name.length > MAX_SHOWN_CHARACTERS ? `${name.slice(0, MAX_SHOWN_CHARACTERS)}…` : name;
  return cut.replace(/[^ -~…]|['\\]/g, escaped);
}

/**
 * Returns the closest known name within an edit distance of `maxDistance`; by default two, or one
 * for short names.
 */
export function nearest(name: string, known: readonly string[], maxDistance?: number): string | undefined {
  if (name.length > MAX_SHOWN_CHARACTERS) return undefined;
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= (maxDistance ?? (candidate.length < 6 ? 1 : 2)))
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate;
}

/** Returns the edit distance (Levenshtein) of two names, row by row. */
function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...from].entries()) {
    let left = row + 1;
    const line = [left];
    for (const [column, wanted] of [...to].entries()) {
      const replaced = (above[column] as number) + (letter === wanted ? 0 : 1);
      left = Math.min(replaced, left + 1, (above[column + 1] as number) + 1);
      line.push(left);
    }
    above = line;
  }
  return above[to.length] as number;
}
