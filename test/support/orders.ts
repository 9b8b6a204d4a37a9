/**
 * Reads the words after `npm run … --` as the command reads its own: `--help` prints a text, an
 * unknown option is named, with a hint, and none has a stack trace.
 */

import { type Arguments, assertNoWords, type Options, readArguments } from '../../src/cli/input/arguments.js';
import { isRewtError } from '../../src/errors.js';

/** The options; null if there is nothing to do any more, and the exit code is set. */
export function ordersIn<O extends Options>(
  words: readonly string[],
  options: O,
  help: string,
): Arguments<O & typeof helpOption>['values'] | null {
  try {
    const { values, positionals } = readArguments(words, { ...options, ...helpOption });
    assertNoWords(positionals);
    if (!('help' in values)) return values;
    console.log(help);
  } catch (error) {
    if (!isRewtError(error)) throw error;
    console.error(`${error.message}\n\n${help}`);
    process.exitCode = 2;
  }
  return null;
}

const helpOption = { help: { type: 'boolean', short: 'h' } } as const;
