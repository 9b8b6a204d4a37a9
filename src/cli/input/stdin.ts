/** The main input of a verb, a payload or a token: as an argument, or on stdin. */

import { addAbortSignal } from 'node:stream';
import { OptionError } from '../../errors.js';
import type { Terminal } from '../output/terminal.js';

/** Far more than the longest token; longer input is a mistake. */
const MAX_BYTES = 1_048_576;

/**
 * Reads the bytes of the argument, or all of stdin.
 *
 * @param wanted what is read, for messages: 'payload', 'token'.
 * @throws {OptionError} for more than one argument, or no input at all.
 */
export async function readInput(words: readonly string[], wanted: string, terminal: Terminal): Promise<Buffer> {
  const [word, ...more] = words;
  if (more.length > 0) throw new OptionError(`only one ${wanted} at a time: put it in quotes, '...'`);
  if (word !== undefined) return Buffer.from(word);
  const bytes = await readStdin(wanted, terminal);
  if (bytes.length === 0) throw new OptionError(`there is no ${wanted}: give it as an argument, or on stdin`);
  return bytes;
}

/**
 * Reads a token as people paste it: alone, or as part of a header or a log. @throws {OptionError}
 * as `readInput`
 */
export async function readToken(words: readonly string[], terminal: Terminal): Promise<string> {
  const isHeader = words.length > 1 && /^(authorization:|bearer)$/i.test(words[0] ?? '');
  const input = await readInput(isHeader ? [words.join(' ')] : words, 'token', terminal);
  return tokenIn(input.toString('utf8'));
}

/** Removes a header's name, `Bearer`, quotes and line breaks, including a literal `\n`. */
export function tokenIn(text: string): string {
  const token = text
    .replace(/\\[rn]/g, '\n')
    .replace(/^[\s"'`]*(?:authorization["']?\s*:)?[\s"'`]*(?:bearer\s)?[\s"'`]*/i, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .join('');
  let end = token.length;
  while (/["'`,\s]/.test(token[end - 1] ?? '')) end -= 1;
  return token.slice(0, end);
}

async function readStdin(wanted: string, { stdin, interrupted, report }: Terminal): Promise<Buffer> {
  if (stdin.isTTY) report(`Type the ${wanted}, then Enter and Ctrl-D:`);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin)) {
      length += chunk.length;
      if (length > MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    throw new OptionError('stdin cannot be read');
  }
  if (length > MAX_BYTES) throw new OptionError(`the ${wanted} on stdin is longer than ${MAX_BYTES} bytes`);
  return Buffer.concat(chunks);
}
