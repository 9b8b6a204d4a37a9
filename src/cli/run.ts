/** One run of the `rewt` command: it finds the verb, runs it, and prints the result. */

import { OptionError } from '../errors.js';
import { nearest } from '../validation/option-names.js';
import type { Command } from './command.js';
import { sign } from './commands/sign.js';
import { verify } from './commands/verify.js';
import { hasFlag } from './input/arguments.js';
import { failureOf } from './output/errors.js';
import { escapedJson, foreignName } from './output/format.js';
import { overview } from './output/help.js';
import type { Terminal } from './output/terminal.js';
import { Writes } from './writes.js';

/** The verbs of `verbs.ts`, by their names there. */
const others = {
  explain: 'explain',
  rotate: 'rotate',
  revoke: 'revoke',
  status: 'status',
  list: 'list',
  set: 'set',
  move: 'move',
  reseal: 'reseal',
  doctor: 'doctor',
  acl: 'acl',
  serve: 'serve',
  'seal-key': 'sealKey',
} as const;
const verbs: readonly string[] = ['sign', 'verify', ...Object.keys(others)];

async function commandOf(verb: string): Promise<Command | undefined> {
  if (verb === 'sign') return sign;
  if (verb === 'verify') return verify;
  if (!Object.hasOwn(others, verb)) return undefined;
  return (await import('./verbs.js'))[others[verb as keyof typeof others]];
}

/**
 * Returns the exit code. Reports every error on the terminal, and never throws.
 *
 * @param version returns what `--version` prints.
 */
export async function run(words: readonly string[], shown: Terminal, version: () => string): Promise<number> {
  const [verb = '', ...rest] = words;
  const command = await commandOf(verb);
  const given = command === undefined ? words : rest;
  const json = hasFlag(given, '--json');
  const terminal = json ? { ...shown, print: (text: string) => shown.print(escapedJson(text)) } : shown;
  const writes = new Writes();
  try {
    if (['help', '--help', '-h'].includes(verb)) terminal.print(await helpOn(rest));
    else if (hasFlag(given, '--help', '-h')) terminal.print(command?.help ?? overview);
    else if (command === undefined && hasFlag(given, '--version', '-v')) terminal.print(version());
    else if (command === undefined) throw unknownVerb(verb);
    else {
      const outcome = await command.run(rest, terminal, writes);
      for (const line of [outcome.words ?? []].flat()) terminal.report(line);
      const result = json ? asJson(outcome.json) : outcome.result;
      if (result !== undefined) terminal.print(result);
      return outcome.exitCode ?? 0;
    }
    return 0;
  } catch (error) {
    if (terminal.interrupted.aborted) {
      if (command?.changes) terminal.report(`Interrupted. ${writes.inWords()}`);
      return terminal.interrupted.reason;
    }
    const { exitCode, ...failed } = failureOf(error);
    const failure = command?.changes
      ? { ...failed, message: `${asSentence(failed.message)} ${writes.inWords()}` }
      : failed;
    if (json) terminal.print(JSON.stringify({ error: failure }));
    else {
      terminal.report(`${terminal.style('red', 'rewt:')} ${failure.message}`);
      if (failure.remedy !== undefined) terminal.report(failure.remedy);
      if (exitCode === 2) terminal.report(`See: rewt ${command === undefined ? '' : `${verb} `}--help`);
    }
    return exitCode;
  }
}

/** Answers `rewt help` and `rewt help <verb>`. @throws {OptionError} for an unknown verb. */
async function helpOn([verb]: readonly string[]): Promise<string> {
  if (verb === undefined || verb.startsWith('-')) return overview;
  const command = await commandOf(verb);
  if (command === undefined) throw unknownVerb(verb);
  return command.help;
}

function asJson(json: object | string | undefined): string | undefined {
  return typeof json === 'object' ? JSON.stringify(json) : json;
}

function asSentence(words: string): string {
  return words.endsWith('.') ? words : `${words}.`;
}

function unknownVerb(verb: string): OptionError {
  if (verb === 'watch') return new OptionError("'watch' is rewt status --watch");
  const named = verbs.join(', ');
  if (verb === '') return new OptionError(`name what to do: ${named}`);
  const meant = nearest(verb, verbs, 2);
  if (meant !== undefined) return new OptionError(`unknown verb '${foreignName(verb)}'; did you mean '${meant}'?`);
  // Not repeated unless it looks like a verb: it may be a token whose verb was forgotten.
  const start = /^[a-z]{1,12}$/i.test(verb) ? `'${verb}' is none of` : 'the first word must be one of';
  return new OptionError(`${start} ${named}`);
}
