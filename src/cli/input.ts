/** The one thing that a verb is about, a payload or a token: as an argument, or on stdin. */

import { addAbortSignal } from 'node:stream';
import { OptionError } from '../errors.js';
import type { Terminal } from './terminal.js';

/** Far more than the longest token; whatever is longer was not meant for us. */
const MOST_BYTES = 1_048_576;

/**
 * The bytes of the argument, or all of stdin.
 *
 * @param wanted what is read, for messages: 'payload', 'token'.
 * @throws {OptionError} where there is more than one argument, or nothing at all.
 */
export async function readInput(words: readonly string[], wanted: string, terminal: Terminal): Promise<Buffer> {
  const [word, ...more] = words;
  if (more.length > 0) throw new OptionError(`only one ${wanted} at a time: put it in quotes, '...'`);
  if (word !== undefined) return Buffer.from(word);
  const bytes = await readStdin(wanted, terminal);
  if (bytes.length === 0) throw new OptionError(`there is no ${wanted}: give it as an argument, or on stdin`);
  return bytes;
}

async function readStdin(wanted: string, { stdin, interrupted, say }: Terminal): Promise<Buffer> {
  if (stdin.isTTY) say(`Type the ${wanted}, then Enter and Ctrl-D:`);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin)) {
      length += chunk.length;
      if (length > MOST_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    throw new OptionError('stdin cannot be read');
  }
  if (length > MOST_BYTES) throw new OptionError(`the ${wanted} on stdin is longer than ${MOST_BYTES} bytes`);
  return Buffer.concat(chunks);
}
