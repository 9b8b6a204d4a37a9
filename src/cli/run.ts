/** One run of the `rewt` command: finds the verb, runs it, and says what came of it. */

import { OptionError } from '../errors.js';
import { nearest } from '../option-names.js';
import { isAsked } from './arguments.js';
import type { Command } from './command.js';
import { sign } from './commands/sign.js';
import { verify } from './commands/verify.js';
import { failureOf } from './failure.js';
import { overview } from './help.js';
import type { Terminal } from './terminal.js';
import { escapedJson, foreignName } from './words.js';
import { Writes } from './writes.js';

const others = ['explain', 'rotate', 'revoke', 'status', 'list', 'set', 'move', 'doctor', 'serve', 'demo'] as const;
const verbs: readonly string[] = ['sign', 'verify', ...others];

async function commandOf(verb: string): Promise<Command | undefined> {
  if (verb === 'sign') return sign;
  if (verb === 'verify') return verify;
  const other = others.find((name) => name === verb);
  return other && (await import('./verbs.js'))[other];
}

/**
 * The exit code. Whatever happens is said on the terminal, never thrown.
 *
 * @param version what `--version` prints.
 */
export async function run(words: readonly string[], shown: Terminal, version: () => string): Promise<number> {
  const [verb = '', ...rest] = words;
  const command = await commandOf(verb);
  const asked = command === undefined ? words : rest;
  const json = isAsked(asked, '--json');
  const terminal = json ? { ...shown, print: (text: string) => shown.print(escapedJson(text)) } : shown;
  const writes = new Writes();
  try {
    if (['help', '--help', '-h'].includes(verb)) terminal.print(await helpOn(rest));
    else if (isAsked(asked, '--help', '-h')) terminal.print(command?.help ?? overview);
    else if (command === undefined && isAsked(asked, '--version', '-v')) terminal.print(version());
    else if (command === undefined) throw unknownVerb(verb);
    else {
      const outcome = await command.run(rest, terminal, writes);
      if (outcome.words !== undefined) terminal.say(outcome.words);
      const result = json ? asJson(outcome.json) : outcome.result;
      if (result !== undefined) terminal.print(result);
      return outcome.exitCode ?? 0;
    }
    return 0;
  } catch (error) {
    if (terminal.interrupted.aborted) {
      if (command?.changes) terminal.say(writes.inWords());
      return terminal.interrupted.reason;
    }
    const { exitCode, ...failed } = failureOf(error);
    const failure = command?.changes
      ? { ...failed, message: `${asSentence(failed.message)} ${writes.inWords()}` }
      : failed;
    if (json) terminal.print(JSON.stringify({ error: failure }));
    else {
      terminal.say(`${terminal.style('red', 'rewt:')} ${failure.message}`);
      if (failure.remedy !== undefined) terminal.say(failure.remedy);
      if (exitCode === 2) terminal.say(`See: rewt ${command === undefined ? '' : `${verb} `}--help`);
    }
    return exitCode;
  }
}

/** `rewt help`, `rewt help <verb>`. @throws {OptionError} for a verb that there is not. */
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
  if (verb === '') return new OptionError(`say what to do: ${named}`);
  const meant = nearest(verb, verbs, 2);
  if (meant !== undefined) return new OptionError(`unknown verb '${foreignName(verb)}'; did you mean '${meant}'?`);
  // Not repeated unless it looks like a word: it may be a token whose verb was forgotten.
  const start = /^[a-z]{1,12}$/i.test(verb) ? `'${verb}' is none of` : 'the first word must be one of';
  return new OptionError(`${start} ${named}`);
}
