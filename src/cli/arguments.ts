/** Reads a verb's words: known options only, and the spans of time among them. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { OptionError } from '../errors.js';
import { parseDuration } from '../jwt/duration.js';
import { assertKnownNames } from '../option-names.js';
import { linkOptions } from './link.js';

/** Of every verb that has a keyring. */
export const lookOptions = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  url: { type: 'string' },
  namespace: { type: 'string' },
  'key-prefix': { type: 'string' },
  ...linkOptions,
} as const;

export type Options = NonNullable<ParseArgsConfig['options']>;

export type Arguments<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: true }>
>;

/**
 * The options and the other words.
 * @throws {OptionError} for an unknown option, or one whose value is missing. No value is ever repeated.
 */
export function readArguments<O extends Options>(words: readonly string[], options: O): Arguments<O> {
  const args = [...words];
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.rawName.split('=', 1)[0] ?? ''] : []));
  const known = Object.keys(options).map((name) => `--${name}`);
  const names = given.filter((name) => name !== '-h').map((name) => [name, true]);
  assertKnownNames(Object.fromEntries(names), known, 'usage', shortFlags(given, known));
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Of what is left, Node says which option it is and what to write, and never its value.
    throw new OptionError(error.message.replaceAll('\n', ' '));
  }
}

/** Options with one dash and one letter are those of other tools: each with the options that may be meant. */
function shortFlags(given: readonly string[], known: readonly string[]): Record<string, string> {
  const hints = given.flatMap((name): [string, string][] => {
    const meant = /^-[a-z]$/i.test(name) ? known.filter((one) => one.startsWith(`-${name.toLowerCase()}`)) : [];
    return meant.length === 0 ? [] : [[name, `unknown option '${name}'; did you mean '${meant.join("' or '")}'?`]];
  });
  return Object.fromEntries(hints);
}

/** Whether one of these flags is among the words, before it is known whether the words are right. */
export function isAsked(words: readonly string[], ...flags: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).some((word) => flags.includes(word));
}

/** Seconds; on a command line a bare number is seconds too. @throws {OptionError} that names the flag. */
export function asSeconds(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  return parseDuration(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text, flag);
}

/** @throws {OptionError} where there are words that a verb has no use for. */
export function assertNoWords(words: readonly string[]): void {
  if (words.length > 0) throw new OptionError('there is a word too many: this verb takes options only');
}
