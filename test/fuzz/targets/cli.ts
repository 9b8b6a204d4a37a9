/**
 * Command lines and what is on stdin, run as the command runs them, with the embedded store in a
 * temporary folder: an exit code that is documented, and one sentence.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Lines, linesOf } from '../../cli/command.js';
import { severalOf, textEdits } from '../../jwt/edits.js';
import { commandLines } from '../command-lines.js';
import { jsonTexts, objectTexts, stringTexts } from '../json-texts.js';
import { assertQuiet, assertThat, targetOf } from '../target.js';
import { CANARY, encodings, mostly, texts, wordsOf } from '../texts.js';

/** Other exit codes are not documented. */
const names = ['accepted', 'refused', 'usage', 'unavailable'];

const commands = fc.record({
  words: commandLines,
  stdin: fc.oneof(texts, jsonTexts),
  encoding: encodings,
  isTTY: mostly(5, fc.constant(false), fc.constant(true)),
  url: mostly(9, fc.constant(''), texts, wordsOf('file:a file: http://a')),
});
/** What is signed, and the seed of what happens to its token before it is verified; 0: nothing. */
const signed = fc.record({
  payload: objectTexts({ user: stringTexts }),
  edit: mostly(1, fc.constant(0), fc.nat()),
});
const edits = severalOf(textEdits, 0);

export function cliTarget() {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-fuzz-'));
  /** No other folder is made. */
  const confined = (text: string) => text.replaceAll('file:', `file:${folder}/`).replaceAll('..', '.');
  async function lines(words: readonly string[], stdin: Uint8Array, isTTY = false, url = ''): Promise<Lines> {
    const ran = await linesOf(words, { input: stdin, isTTY, env: { XDG_STATE_HOME: folder, REWT_URL: url } });
    assertWellSaid(ran, words);
    return ran;
  }

  async function playSigned(payload: string, edit: number): Promise<number> {
    const made = await lines(['sign'], Buffer.from(payload));
    if (made.code !== 0) return made.code;
    const token = made.printed[0] ?? '';
    const change = edit === 0 ? undefined : fc.sample(edits, { seed: edit, numRuns: 1 })[0];
    const received = Buffer.from(change?.(token) ?? token);
    const { code, said } = await lines(['verify'], Buffer.concat([received, Buffer.from('\n')]));
    // Quotes and white space around a token, and line breaks anywhere, do not matter.
    const text = received.toString();
    assertThat(code !== 0 || text.replace(/[\s"'`,]|\\[rn]/g, '') === token, 'an altered token is accepted');
    assertThat(code === 0 || text.trim() !== token, 'what was signed is refused', () => said.join());
    return code;
  }

  return targetOf({
    inputs: fc.oneof(commands, signed),
    async play(input) {
      if ('payload' in input) return names[await playSigned(input.payload, input.edit)] ?? '';
      const { stdin, encoding, isTTY, url } = input;
      if ([url, ...input.words].some((word) => /rediss?:/i.test(word))) return 'not on a network';
      const words = input.words.map(confined).map(nameless);
      const { code } = await lines(words, Buffer.from(stdin, encoding), isTTY, confined(url));
      return names[code] ?? '';
    },
    async close() {
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** The names of options may be printed, their values not. */
function nameless(word: string): string {
  const [name = '', ...value] = word.split('=');
  return word.startsWith('-') ? [name.replaceAll(CANARY, 'name'), ...value].join('=') : word;
}

function assertWellSaid({ code, printed, said }: Lines, words: readonly string[]): void {
  assertThat(names[code] !== undefined, `exit code ${code}`, () => said.join());
  const end = words.indexOf('--');
  const isJson = (end < 0 ? words : words.slice(0, end)).includes('--json');
  for (const line of code === 0 ? [] : [...said, ...printed]) assertQuiet(line);
  // A terminal does as control characters say.
  for (const line of said) assertThat(!/\p{Cc}/u.test(line), 'a message is not one line of text', () => line);
  assertThat(printed.length <= 1, 'more than one result is printed');
  const sentences = said.filter((line) => !/^(Type the|In) /.test(line));
  const isUsage =
    /^rewt: ./.test(sentences[0] ?? '') && /^See: rewt /.test(sentences[1] ?? '') && sentences.length === 2;
  const isOne = isJson ? sentences.length === 0 : isUsage;
  assertThat(code !== 2 || isOne, 'a usage error is not one sentence and where to look', () => sentences.join());
  if (!isJson || code < 2) return;
  const { error } = JSON.parse(printed[0] ?? '{}');
  assertThat(typeof error?.code === 'string' && typeof error.message === 'string', 'an error in JSON is none');
}
