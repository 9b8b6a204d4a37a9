/** Command lines and what is on stdin, run as the command runs them, with the embedded store in a temporary folder: an exit code that is documented, and one sentence. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import fc from 'fast-check';
import { run } from '../../../src/cli/run.js';
import type { Terminal } from '../../../src/cli/terminal.js';
import { commandLines } from '../command-lines.js';
import { type Edit, edited, editLists } from '../edits.js';
import { jsonTexts, objectTexts, stringTexts } from '../json-texts.js';
import { assertQuiet, assertThat, type Target } from '../target.js';
import { CANARY, texts } from '../texts.js';

/** Other exit codes are not documented. */
const names = ['accepted', 'refused', 'usage', 'unavailable'];

const endless = new Set(['demo']);

interface Input {
  readonly words: readonly string[];
  /** What is signed first, to be verified after the edits; without, stdin as it stands. */
  readonly payload: string | null;
  readonly edits: readonly Edit[];
  readonly stdin: string;
  /** Whether stdin has bytes, one to a character. */
  readonly isBytes: boolean;
  readonly isTerminal: boolean;
  readonly url: string;
}

interface Ran {
  readonly code: number;
  /** Lines on stdout, and on stderr. */
  readonly printed: readonly string[];
  readonly said: readonly string[];
}

export function cliTarget(): Target<Input, Input> {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-fuzz-'));
  /** No other folder is made, and no network asked. */
  function confined(text: string): string {
    if (/rediss?:/i.test(text)) throw new Error('not on a network');
    return text.replaceAll('file:', `file:${folder}/`).replaceAll('..', '.');
  }
  const runIn = (words: readonly string[], stdin: Uint8Array, isTerminal = false, url = '') =>
    runWith(words, stdin, isTerminal, { XDG_STATE_HOME: folder, REWT_URL: url });

  return {
    grammar: fc.record({
      words: commandLines,
      payload: fc.option(objectTexts({ user: stringTexts }), { freq: 1 }),
      edits: editLists,
      stdin: fc.oneof(texts, jsonTexts),
      isBytes: fc.oneof({ arbitrary: fc.constant(false), weight: 5 }, fc.constant(true)),
      isTerminal: fc.oneof({ arbitrary: fc.constant(false), weight: 5 }, fc.constant(true)),
      url: fc.oneof({ arbitrary: fc.constant(''), weight: 9 }, texts, fc.constantFrom('file:a', 'file:', 'http://a')),
    }),
    prepare(input) {
      // Processes of their own, and what goes on until Ctrl-C, are no subject here, but their words are.
      const [verb = ''] = input.words;
      const words = endless.has(verb) ? [verb, '--none', ...input.words.slice(1)] : input.words;
      return { ...input, words: words.map(confined).map(nameless), url: confined(input.url) };
    },
    async play({ words, payload, edits, stdin, isBytes, isTerminal, url }) {
      if (payload !== null) return playSigned(payload, edits);
      const ran = await runIn(words, Buffer.from(stdin, isBytes ? 'latin1' : 'utf8'), isTerminal, url);
      assertWellSaid(ran, words);
      return names[ran.code] ?? '';
    },
    async close() {
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function playSigned(payload: string, edits: readonly Edit[]): Promise<string> {
    const signed = await runIn(['sign'], Buffer.from(payload));
    assertWellSaid(signed, ['sign']);
    if (signed.code !== 0) return names[signed.code] ?? '';
    const token = signed.printed[0] ?? '';
    const received = edited(token, edits);
    const ran = await runIn(['verify'], Buffer.from(`${received}\n`));
    assertWellSaid(ran, ['verify']);
    const isSame = Buffer.from(received).toString().trim() === token;
    assertThat(ran.code !== 0 || isSame, 'an altered token is accepted');
    assertThat(ran.code === 0 || !isSame, 'what was signed is refused', () => ran.said.join());
    return names[ran.code] ?? '';
  }
}

/** The names of options may be told, their values not. */
function nameless(word: string): string {
  const [name = '', ...value] = word.split('=');
  return word.startsWith('-') ? [name.replaceAll(CANARY, 'name'), ...value].join('=') : word;
}

async function runWith(
  words: readonly string[],
  stdin: Uint8Array,
  isTerminal: boolean,
  env: NodeJS.ProcessEnv,
): Promise<Ran> {
  const printed: string[] = [];
  const said: string[] = [];
  const terminal: Terminal = {
    stdin: Object.assign(Readable.from([stdin].filter(({ length }) => length > 0)), { isTTY: isTerminal }),
    // A question, with the name of what is asked about.
    stderr: Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { isTTY: isTerminal }),
    stdout: Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { isTTY: isTerminal }),
    env,
    interrupted: new AbortController().signal,
    print: (line) => void printed.push(line),
    say: (line) => void said.push(line),
    style: (_format, text) => text,
    paint: (_format, text) => text,
  };
  return { code: await run(words, terminal, () => '0.0.0'), printed, said };
}

function assertWellSaid({ code, printed, said }: Ran, words: readonly string[]): void {
  assertThat(names[code] !== undefined, `exit code ${code}`, () => said.join());
  const end = words.indexOf('--');
  const isJson = (end < 0 ? words : words.slice(0, end)).includes('--json');
  for (const line of code === 0 ? [] : [...said, ...printed]) assertQuiet(line);
  // A terminal does as control characters say.
  for (const line of said) assertThat(!/\p{Cc}/u.test(line), 'what is said is not one line of text', () => line);
  assertThat(printed.length <= 1, 'more than one result is printed');
  const lines = said.filter((line) => !/^(Type the|In) /.test(line));
  if (code === 2) {
    const isOne = isJson
      ? lines.length === 0
      : lines.length === 2 && /^rewt: ./.test(lines[0] ?? '') && /^See: rewt /.test(lines[1] ?? '');
    assertThat(isOne, 'a usage error is not one sentence and where to look', () => lines.join());
  }
  if (isJson && code >= 2) {
    const { error } = JSON.parse(printed[0] ?? '{}');
    assertThat(typeof error?.code === 'string' && typeof error.message === 'string', 'an error in JSON is none');
  }
}
