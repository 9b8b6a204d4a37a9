/** Refuses option names that do not exist, since a misspelt option would otherwise be one that silently does nothing. */

import { OptionError } from './errors.js';

/** Longer names are cut in messages, and nobody misspells a name by that much. */
const MOST_SHOWN_CHARACTERS = 40;

/**
 * Asserts that every own name of `raw` is one of `known`.
 *
 * @param where what is being read, as the message begins: `'sign options'`.
 * @param foreign names that people bring from elsewhere, each with the sentence to say instead of a guess.
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
    const option = printable(name);
    if (Object.hasOwn(foreign, name)) throw new OptionError(`${where}: ${foreign[name]}`, { option });
    const meant = nearest(name, known);
    const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean '${meant}'?`;
    throw new OptionError(`${where}: unknown option '${option}'; ${hint}`, { option });
  }
}

/** Printable ASCII, cut: a name can be attacker-chosen where options are made from foreign JSON, and messages end up in logs. */
function printable(name: string): string {
  const cut = name.length > MOST_SHOWN_CHARACTERS ? `${name.slice(0, MOST_SHOWN_CHARACTERS)}…` : name;
  return cut.replace(/[^ -~…]|['\\]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The known name that is at most `maxSlips` slips away: by default two, one for short names. */
export function nearest(name: string, known: readonly string[], maxSlips?: number): string | undefined {
  if (name.length > MOST_SHOWN_CHARACTERS) return undefined;
  const [best] = known
    .map((candidate) => ({ candidate, slips: slips(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, slips }) => slips <= (maxSlips ?? (candidate.length < 6 ? 1 : 2)))
    .sort((a, b) => a.slips - b.slips);
  return best?.candidate;
}

/** How many letters must be put in, taken out or replaced to turn one word into the other (Levenshtein), row by row. */
function slips(from: string, to: string): number {
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
