/** `rewt seal-key`, and the seal keys that a variable or a file has. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { isPrivate, readSealKeys } from '../../src/cli/input/seal-keys.js';
import { failureOf, storeInWords } from '../../src/cli/output/errors.js';
import { isRewtError, OptionError } from '../../src/errors.js';
import { openSealed } from '../../src/seal/envelope.js';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { rewt } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'rewt-seal-key-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [first, second] = [createSealKey(randomBytes), createSealKey(randomBytes)];
const idOf = (key: string | Buffer): string => readSealKey(key, 'key').id;
const ids = [idOf(first), idOf(second)];

let files = 0;
function fileOf(contents: string | Buffer, mode = 0o600): string {
  files += 1;
  const file = join(folder, `${files}.key`);
  writeFileSync(file, contents);
  chmodSync(file, mode);
  return file;
}

const inFile = async (contents: string | Buffer): Promise<string[]> =>
  (await readSealKeys({ 'seal-key-file': fileOf(contents) }, {})).map(({ id }) => id);
const inVariable = async (REWT_SEAL_KEY: string): Promise<string[]> =>
  (await readSealKeys({}, { REWT_SEAL_KEY })).map(({ id }) => id);

async function refusalOf(read: () => Promise<unknown>): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('rewt seal-key', () => {
  it('prints a new key each time, alone on stdout, and its id on stderr', async () => {
    const runs = [await rewt(['seal-key']), await rewt(['seal-key'])];
    for (const { code, stdout, stderr } of runs) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/^rewtsk_[\w-]{43}\n$/);
      expect(stderr).toBe(`The id of this key is ${idOf(stdout.trim())}.\n`);
    }
    expect(runs[0]?.stdout).not.toBe(runs[1]?.stdout);
  });

  it('prints a key that --id reads again, from the variable and from a file', async () => {
    const { stdout: key, stderr } = await rewt(['seal-key']);
    const file = fileOf(key);
    const named = await rewt(['seal-key', '--id'], { env: { REWT_SEAL_KEY: key } });
    expect(named).toEqual({ code: 0, stdout: `${idOf(key.trim())}\n`, stderr: '' });
    expect(stderr).toContain(named.stdout.trim());
    expect(await rewt(['seal-key', '--id', '--seal-key-file', file])).toEqual(named);
  });

  it('prints the ids of several keys, a line each, and as a list in JSON, and no key', async () => {
    const env = { REWT_SEAL_KEY: `${first},${second}` };
    expect(await rewt(['seal-key', '--id'], { env })).toEqual({ code: 0, stdout: `${ids.join('\n')}\n`, stderr: '' });
    expect(JSON.parse((await rewt(['seal-key', '--id', '--json'], { env })).stdout)).toEqual({ ids });
    const { id, key } = JSON.parse((await rewt(['seal-key', '--json'])).stdout);
    expect(idOf(key)).toBe(id);
  });

  it.each([
    ['--id without a key', ['--id'], '--id: there is no key to name'],
    ['a file without --id', ['--seal-key-file', 'x'], '--seal-key-file: has no effect on a new key'],
    ['a key as an argument', ['--id', first], 'a word too many'],
    ['a key as a flag', ['--id', '--seal-key', first], "'--seal-key' would show the key"],
    ['a key as a flag with =', ['--id', `--seal-key=${first}`], "'--seal-key' would show the key"],
    ['a store', ['--url', 'redis://localhost'], "unknown option '--url'"],
  ])('refuses %s, and repeats nothing of it', async (_, words, sentence) => {
    const { code, stdout, stderr } = await rewt(['seal-key', ...words]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain(first.slice(7, 15));
  });

  it('names the variable or the flag that is wrong, in JSON too', async () => {
    const wrong = { REWT_SEAL_KEY: 'hunter2' };
    const { code, stdout } = await rewt(['seal-key', '--id', '--json'], { env: wrong });
    const message = expect.stringMatching(/^REWT_SEAL_KEY: must be 32 random bytes/);
    expect({ code, error: JSON.parse(stdout).error }).toEqual({
      code: 2,
      error: { code: 'ERR_REWT_OPTION', message, option: 'REWT_SEAL_KEY' },
    });
    const file = fileOf('hunter2');
    const inFile = await rewt(['seal-key', '--id', '--json', '--seal-key-file', file]);
    expect(JSON.parse(inFile.stdout).error).toMatchObject({ option: '--seal-key-file' });
    expect(stdout + inFile.stdout).not.toContain('hunter2');
  });
});

describe('the variable', () => {
  it.each([
    ['one key', first, 1],
    ['one with a line end', `${first}\n`, 1],
    ['several with commas', `${first},${second}`, 2],
    ['several with white space', ` ${first}\t${second}\r\n`, 2],
    ['several with both', `,${first} , ${second},`, 2],
  ])('has %s, in this order', async (_, text, count) => {
    expect(await inVariable(text)).toEqual(ids.slice(0, count));
  });

  it('is refused if it is empty, has no key, or one that is none', async () => {
    expect(await readSealKeys({}, {})).toEqual([]);
    for (const text of ['', ' , ']) {
      expect(await refusalOf(() => inVariable(text))).toBe(
        'REWT_SEAL_KEY: there is no key in it. Make one with: rewt seal-key',
      );
    }
    for (const text of ['correct horse battery staple 123', `${first},x`, `${first};${second}`, `"${first}"`]) {
      expect(await refusalOf(() => inVariable(text))).toMatch(/^REWT_SEAL_KEY: must be 32 random bytes/);
    }
  });

  it('counts for nothing beside a file', async () => {
    const flags = { 'seal-key-file': fileOf(second) };
    expect((await readSealKeys(flags, { REWT_SEAL_KEY: first })).map(({ id }) => id)).toEqual([ids[1]]);
    expect(await readSealKeys(flags, { REWT_SEAL_KEY: 'hunter2' })).toHaveLength(1);
  });
});

describe('the file', () => {
  it.each([
    ['one key', first, 1],
    ['one key and a line end', `${first}\n`, 1],
    ['a key a line', `${first}\n${second}\n`, 2],
    ['lines of Windows, blank ones and spaces', `\r\n ${first} \r\n\r\n\t${second}\r\n`, 2],
  ])('has %s, in this order', async (_, text, count) => {
    expect(await inFile(text)).toEqual(ids.slice(0, count));
  });

  it('may be the 32 bytes of a key, whatever they are', async () => {
    const bytes = Buffer.concat([Buffer.from('\n \r\t,\0', 'latin1'), Buffer.alloc(26, 0xe9)]);
    expect(await inFile(bytes)).toEqual([idOf(bytes)]);
  });

  it.each([
    ['nothing', '', 'there is no key in it'],
    ['blank lines', '\n \n', 'there is no key in it'],
    ['a passphrase of 32 characters', 'correct horse battery staple 123', 'is a placeholder, a passphrase'],
    ['31 characters and a line end', 'correct horse battery staple 12\n', 'is a placeholder, a passphrase'],
    ['31 bytes', Buffer.alloc(31, 0x80), 'must be 32 random bytes'],
    ['33 bytes', Buffer.concat([randomBytes(32), Buffer.from('\n')]), 'must be 32 random bytes'],
    ['two keys on a line', `${first} ${second}`, 'must be 32 random bytes'],
    ['more than any list of keys', Buffer.alloc(65_537), 'is longer than 65536 bytes'],
  ])('with %s is refused, and not repeated', async (_, contents, sentence) => {
    const message = await refusalOf(() => inFile(contents));
    expect(message).toMatch(/^--seal-key-file: /);
    expect(message).toContain(sentence);
    expect(message).not.toMatch(new RegExp(`horse|${first.slice(7, 15)}`));
  });

  it('that is not there, or no file, is refused', async () => {
    for (const [file, sentence] of [
      [join(folder, 'missing'), 'cannot be read (ENOENT)'],
      [folder, 'is no file'],
      ['/dev/null', 'is no file'],
      ['', 'cannot be read (ENOENT)'],
    ] as const) {
      expect(await refusalOf(() => readSealKeys({ 'seal-key-file': file }, {}))).toContain(sentence);
    }
  });

  it.each([0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666])(
    'that others may use (%i) is refused',
    async (mode) => {
      const file = fileOf(first, mode);
      const link = `${file}.link`;
      symlinkSync(file, link);
      for (const path of [file, link]) {
        expect(await refusalOf(() => readSealKeys({ 'seal-key-file': path }, {}))).toMatch(
          /other users may .* chmod 600/,
        );
      }
    },
  );

  it.each([0o600, 0o400, 0o700])('that its owner alone may use (%i) is read', async (mode) => {
    expect(await readSealKeys({ 'seal-key-file': fileOf(first, mode) }, {})).toHaveLength(1);
  });
});

describe('a pipe', () => {
  const pipe = (): string => {
    files += 1;
    const path = join(folder, `${files}.pipe`);
    execFileSync('mkfifo', ['-m', '666', path]);
    return path;
  };

  it('is read to its end, with a writer that comes later and pauses', async () => {
    const path = pipe();
    const read = readSealKeys({ 'seal-key-file': path }, {});
    await setImmediate();
    const writer = await open(path, 'w');
    await writer.write(`${first}\n`);
    await setImmediate();
    await writer.write(second);
    await writer.close();
    expect((await read).map(({ id }) => id)).toEqual(ids);
  });

  it('without a writer is refused in time', { timeout: 20_000 }, async () => {
    const path = pipe();
    expect(await refusalOf(() => readSealKeys({ 'seal-key-file': path }, {}))).toMatch(
      /^--seal-key-file: is a pipe to which no program writes a key/,
    );
  });

  it('with more than any list of keys is refused', async () => {
    const path = pipe();
    const read = refusalOf(() => readSealKeys({ 'seal-key-file': path }, {}));
    const writer = await open(path, 'w');
    const written = writer.write('x'.repeat(70_000)).catch(() => {});
    expect(await read).toContain('is longer than 65536 bytes');
    await written;
    await writer.close();
  });
});

it.each([
  [0o600, 1000, 1000, true],
  [0o640, 1000, 1000, false],
  [0o640, 0, 1000, true],
  [0o660, 0, 1000, true],
  [0o644, 0, 1000, false],
  [0o602, 0, 1000, false],
  [0o666, 0, undefined, true],
])('a file of mode %i of the user %i is private to the user %s: %s', (mode, owner, own, expected) => {
  expect(isPrivate(0o100000 | mode, owner, own)).toBe(expected);
});

it('a sealed keyring without its key names the variable, the flag and the verb', () => {
  const text = `rewt-sealed.1.${ids[0]}.`;
  try {
    openSealed(text, new Map(), 'rewt-secret');
    expect.unreachable();
  } catch (error) {
    if (!isRewtError(error) || error.status !== 503) throw error;
    const words = storeInWords(error);
    expect(words).toContain(`sealed with the key ${ids[0]}`);
    expect(words).toContain('Add that key to REWT_SEAL_KEY or --seal-key-file.');
    expect(words).toContain('with rewt revoke --replace sealed.');
  }
  expect(failureOf(new OptionError('sealKey: a rule', { option: 'sealKey' }))).toMatchObject({
    message: 'REWT_SEAL_KEY or --seal-key-file: a rule',
  });
});
