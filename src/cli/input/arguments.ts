/** The arguments of a verb: only known options, and the durations among them. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { OptionError } from '../../errors.js';
import { parseDuration } from '../../time/duration.js';
import { assertKnownNames } from '../../validation/option-names.js';
import { linkOptions, SEAL_KEY_VARIABLE } from './link.js';
import { sealKeyOptions } from './seal-keys.js';

/** The options of every verb that uses a keyring. */
export const lookOptions = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  url: { type: 'string' },
  namespace: { type: 'string' },
  'key-prefix': { type: 'string' },
  ...linkOptions,
  ...sealKeyOptions,
} as const;

/** The options of every verb that judges a token. */
export const expectOptions = {
  ...lookOptions,
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string', multiple: true },
  subject: { type: 'string' },
  'max-age': { type: 'string' },
} as const;

export type Options = NonNullable<ParseArgsConfig['options']>;

export type Arguments<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: true }>
>;

/**
 * Returns the options and the other arguments.
 * @throws {OptionError} for an unknown option, or one without its value. No value is ever repeated.
 */
export function readArguments<O extends Options>(words: readonly string[], options: O): Arguments<O> {
  const args = [...words];
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.rawName.split('=', 1)[0] ?? ''] : []));
  const known = Object.keys(options).map((name) => `--${name}`);
  const names = given.filter((name) => name !== '-h').map((name) => [name, true]);
  assertKnownNames(Object.fromEntries(names), known, 'usage', { ...noFlags, ...shortFlags(given, known) });
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // For the other errors, Node's message names the option and the remedy, and never the value.
    throw new OptionError(error.message.replaceAll('\n', ' '));
  }
}

/** Options that would show a secret to other users of the machine, with what to do instead. */
const noFlags = {
  '--seal-key':
    `'--seal-key' would show the key to other users of this machine. Set ${SEAL_KEY_VARIABLE}, or give ` +
    '--seal-key-file',
};

/** Maps one-letter options of other tools to the options that may be meant. */
function shortFlags(given: readonly string[], known: readonly string[]): Record<string, string> {
  const hints = given.flatMap((name): [string, string][] => {
    const meant = /^-[a-z]$/i.test(name) ? known.filter((one) => one.startsWith(`-${name.toLowerCase()}`)) : [];
    return meant.length === 0 ? [] : [[name, `unknown option '${name}'; did you mean '${meant.join("' or '")}'?`]];
  });
  return Object.fromEntries(hints);
}

/** Checks if one of these flags is among the arguments, before they are validated. */
export function hasFlag(words: readonly string[], ...flags: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).some((word) => flags.includes(word));
}

/**
 * Reads seconds; on a command line a bare number is seconds too. @throws {OptionError} that names
 * the flag.
 */
export function readSeconds(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  return parseDuration(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text, flag);
}

/** Returns what a token must have, as `verify` takes it. */
export function readExpected({ audience, issuer, subject, ...values }: Arguments<typeof expectOptions>['values']) {
  return { audience, issuer, subject, maxAge: readSeconds(values['max-age'], '--max-age') };
}

/** Checks that there are no further arguments. @throws {OptionError} if there are. */
export function assertNoWords(words: readonly string[]): void {
  if (words.length > 0) throw new OptionError('there is a word too many: this verb takes options only');
}
