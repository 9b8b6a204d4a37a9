/** The seal keys of a run: in a variable or a file, never an argument. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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
/** The wait for a program that opens the other end of a pipe. */
const WRITER_MS = 3_000;
/** The wait for one that has opened it: it may ask a person for a passphrase. */
const ANSWER_MS = 60_000;
const POLL_MS = 10;

/**
 * Reads the seal keys of `--seal-key-file`, else of REWT_SEAL_KEY, in their order. Returns an empty
 * list if neither is there.
 *
 * @throws {OptionError} for a text that is no key, which is not repeated, and a file that cannot
 * be read, or that other users can.
 */
export async function readSealKeys(flags: SealKeyArguments, env: NodeJS.ProcessEnv): Promise<readonly SealKey[]> {
  const file = flags['seal-key-file'];
  if (file !== undefined) return keysInFile(file);
  const text = env[SEAL_KEY_VARIABLE];
  return text === undefined ? [] : keysIn(text, /[\s,]+/, SEAL_KEY_VARIABLE);
}

async function keysInFile(file: string): Promise<readonly SealKey[]> {
  const bytes = await contentsOf(file);
  if (bytes.length === RAW_KEY_BYTES) return [readSealKey(bytes, FILE_FLAG)];
  return keysIn(bytes.toString('utf8'), /\s*[\r\n]\s*/, FILE_FLAG);
}

function keysIn(text: string, separator: RegExp, name: string): readonly SealKey[] {
  const texts = text.split(separator).filter((one) => one.trim() !== '');
  if (texts.length === 0) throw refused(name, 'there is no key in it. Make one with: rewt seal-key');
  return texts.map((one) => readSealKey(one.trim(), name));
}

/** Reads a file, or a pipe as `<(command)` makes one. */
async function contentsOf(file: string): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, a pipe without a writer would never open. Windows has neither.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (stats.isFIFO()) return await contentsOfPipe(handle);
    if (!stats.isFile()) throw refused(FILE_FLAG, 'is no file');
    if (!isPrivate(stats.mode, stats.uid, process.getuid?.())) {
      throw refused(FILE_FLAG, 'other users may read or change it. Run chmod 600 on it, or mount it with such a mode');
    }
    if (stats.size > MAX_BYTES) throw tooLong();
    return await handle.readFile();
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw refused(FILE_FLAG, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    await handle?.close();
  }
}

/** Reads a pipe to its end. @throws {OptionError} if nothing comes in time. */
async function contentsOfPipe(handle: FileHandle): Promise<Buffer> {
  const beganMs = performance.now();
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (;;) {
    const count = await readSome(handle, buffer, length);
    if (count === 0 && length > 0) return buffer.subarray(0, length);
    length += count ?? 0;
    if (length > MAX_BYTES) throw tooLong();
    if (count !== null && count > 0) continue;
    if (performance.now() - beganMs > (count === 0 ? WRITER_MS : ANSWER_MS))
      throw refused(FILE_FLAG, 'is a pipe to which no program writes a key. Run one that does, as in <(command)');
    await sleep(POLL_MS);
  }
}

/** Returns the bytes read. 0: the pipe has no writer; null: its writer has written nothing yet. */
async function readSome(handle: FileHandle, buffer: Buffer, length: number): Promise<number | null> {
  try {
    return (await handle.read(buffer, length, buffer.length - length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
    throw error;
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

function tooLong(): OptionError {
  return refused(FILE_FLAG, `is longer than ${MAX_BYTES} bytes, and no file of keys`);
}
