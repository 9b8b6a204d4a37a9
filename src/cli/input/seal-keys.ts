/** The seal keys of a run: in a variable or a file, never an argument. */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { OptionError } from '../../errors.js';
import { readSealKey, type SealKey } from '../../seal/seal-key.js';
import { SEAL_KEY_VARIABLE } from './link.js';

const FILE_FLAG = '--seal-key-file';

/** The options of every verb that uses seal keys. */
export const sealKeyOptions = { 'seal-key-file': { type: 'string' } } as const;

export interface SealKeyArguments {
  readonly 'seal-key-file'?: string | undefined;
}

/** Far more than any list of keys; a longer file is a mistake. */
const MAX_BYTES = 65_536;
const RAW_KEY_BYTES = 32;

/**
 * Reads the seal keys of `--seal-key-file`, else of REWT_SEAL_KEY, in their order. Returns an empty
 * list if neither is given.
 *
 * @throws {OptionError} for a text that is no key, which is not repeated, and a file that cannot
 * be read, or that other users can.
 */
export function readSealKeys(flags: SealKeyArguments, env: NodeJS.ProcessEnv): readonly SealKey[] {
  const file = flags['seal-key-file'];
  if (file !== undefined) return keysInFile(file);
  const text = env[SEAL_KEY_VARIABLE] || undefined;
  return text === undefined ? [] : keysIn(text, /[\s,]+/, SEAL_KEY_VARIABLE);
}

function keysInFile(file: string): readonly SealKey[] {
  const bytes = contentsOf(file);
  if (bytes.length === RAW_KEY_BYTES) return [readSealKey(bytes, FILE_FLAG)];
  return keysIn(bytes.toString('utf8'), /\s*[\r\n]\s*/, FILE_FLAG);
}

function keysIn(text: string, separator: RegExp, name: string): readonly SealKey[] {
  const texts = text.split(separator).filter((one) => one.trim() !== '');
  if (texts.length === 0) throw refused(name, 'there is no key in it. Make one with: rewt seal-key');
  return texts.map((one) => readSealKey(one.trim(), name));
}

/** Reads a file, or a pipe as `<(command)` makes one. */
function contentsOf(file: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const stats = fstatSync(descriptor);
    if (!stats.isFile() && !stats.isFIFO()) throw refused(FILE_FLAG, 'is no file');
    if (stats.isFile() && !isPrivate(stats.mode, stats.uid, process.getuid?.())) {
      throw refused(FILE_FLAG, 'other users may read or change it. Run chmod 600 on it, or mount it with such a mode');
    }
    if (stats.size > MAX_BYTES) throw refused(FILE_FLAG, `is longer than ${MAX_BYTES} bytes, and no file of keys`);
    return readFileSync(descriptor);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw refused(FILE_FLAG, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Tests if no one but its owner may use a file, as ssh does for its keys. A file of another owner
 * may be open to a group, because that is how its owner lets this user read it.
 *
 * @param own the user that reads; undefined on Windows, whose files have no such modes.
 */
export function isPrivate(mode: number, owner: number, own: number | undefined): boolean {
  return own === undefined || (mode & (owner === own ? 0o077 : 0o007)) === 0;
}

function refused(name: string, rule: string): OptionError {
  return new OptionError(`${name}: ${rule}`, { option: name });
}
