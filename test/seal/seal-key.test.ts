/** A seal key: what passes for one, its public id, and that nothing prints its bytes. */
import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../../src/errors.js';
import { createSealKey, readSealKey, SealKey } from '../../src/seal/seal-key.js';
import { seeded } from '../keyring/seeded.js';
import { ALPHABET, BYTES, everything, ID, idOf, spellings, TEXT } from './samples.js';

function refusalOf(value: unknown): OptionError {
  try {
    readSealKey(value, 'sealKey');
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error('it passed for a key');
}

describe('a seal key', () => {
  it('has the id that its HMAC gives it, whether it is given as bytes or as text', () => {
    expect(idOf(BYTES)).toBe(ID);
    expect(TEXT).toBe(`rewtsk_${BYTES.toString('base64url')}`);
    expect(readSealKey(BYTES, 'sealKey').id).toBe(ID);
    expect(readSealKey(TEXT, 'sealKey').id).toBe(ID);
  });

  it('derives the key of a write as an HMAC of a label, the salt and the context', () => {
    const salt = Buffer.alloc(16, 0xa5);
    const context = Buffer.from('any context');
    const expected = createHmac('sha256', BYTES)
      .update(Buffer.concat([Buffer.from('rewt seal 1'), salt, context]))
      .digest();
    expect(readSealKey(TEXT, 'sealKey').deriveKey(salt, context)).toEqual(expected);
  });

  it('is read from a Uint8Array, from a part of a buffer, and from another realm', () => {
    const part = Buffer.concat([Buffer.alloc(3), BYTES, Buffer.alloc(3)]).subarray(3, 35);
    const foreign: unknown = runInNewContext('Uint8Array.from(bytes)', { bytes: [...BYTES] });
    expect(foreign).not.toBeInstanceOf(Uint8Array);
    for (const value of [new Uint8Array(BYTES), part, foreign]) expect(readSealKey(value, 'sealKey').id).toBe(ID);
  });

  it('keeps its own copy of the bytes', () => {
    const bytes = Buffer.from(BYTES);
    const key = readSealKey(bytes, 'sealKey');
    const before = key.deriveKey(bytes.subarray(0, 16), bytes);
    const [salt, context] = [BYTES.subarray(0, 16), BYTES];
    bytes.fill(0);
    expect(key.deriveKey(salt, context)).toEqual(before);
  });

  it('is made as text of 32 random bytes, which reads as the same key', () => {
    const asked: number[] = [];
    const text = createSealKey((bytes) => {
      asked.push(bytes);
      return BYTES;
    });
    expect(text).toBe(TEXT);
    expect(asked).toEqual([32]);
  });

  it('comes back from its text, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32, min: 0x80 }), (bytes) => {
        fc.pre(new Set(bytes).size > 1);
        const text = createSealKey(() => Buffer.from(bytes));
        expect(text).toMatch(/^rewtsk_[\w-]{43}$/);
        expect(readSealKey(text, 'sealKey').id).toBe(idOf(bytes));
      }),
      seeded(300),
    );
  });
});

describe('what is no seal key', () => {
  const passphrase = 'correct horse battery staple 123';
  const wrong: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 32],
    ['an empty text', ''],
    ['a passphrase', passphrase],
    ['the text without its prefix', TEXT.slice(7)],
    ['the prefix in capitals', `REWTSK_${TEXT.slice(7)}`],
    ['a text with a line break', `${TEXT}\n`],
    ['a text with a space before it', ` ${TEXT}`],
    ['padding', `${TEXT}=`],
    ['a character too few', TEXT.slice(0, -1)],
    ['a character too many', `${TEXT}A`],
    ['base64', `rewtsk_${BYTES.toString('base64').slice(0, 43)}`],
    ['hexadecimal digits', BYTES.toString('hex')],
    ['no bytes', Buffer.alloc(0)],
    ['31 bytes', BYTES.subarray(1)],
    ['33 bytes', Buffer.concat([BYTES, BYTES.subarray(0, 1)])],
    ['an ArrayBuffer', new Uint8Array(BYTES).buffer],
    ['32 bytes of another kind of array', new Uint16Array(new Uint8Array(BYTES).buffer)],
    ['a DataView', new DataView(new Uint8Array(BYTES).buffer)],
    ['a list of numbers', [...BYTES]],
    ['an object like bytes', { byteLength: 32, length: 32, [Symbol.toStringTag]: 'Uint8Array' }],
    ['a proxy of bytes', new Proxy(BYTES, {})],
    ['a key', new SealKey(BYTES)],
    ['a list with a key', [TEXT]],
    ['a function', () => BYTES],
  ];
  it.each(wrong)('%s is refused, and the error names the option and the command that makes a key', (_, value) => {
    const error = refusalOf(value);
    expect(error).toMatchObject({ code: 'ERR_REWT_OPTION', status: 500, option: 'sealKey' });
    expect(error.message).toMatch(/^sealKey: must be 32 random bytes, .*'rewtsk_' and 43 .*rewt seal-key$/);
  });

  const notRandom: readonly (readonly [string, unknown])[] = [
    ['32 zeros', Buffer.alloc(32)],
    ['32 equal bytes', Buffer.alloc(32, 0xff)],
    ['a placeholder as text', `rewtsk_${'A'.repeat(43)}`],
    ['the bytes of a passphrase', Buffer.from(passphrase)],
    ['the bytes of hexadecimal digits', Buffer.from(BYTES.toString('hex').slice(0, 32))],
    ['the bytes of a text of several lines', Buffer.from(`one line\t\r\n${'~'.repeat(20)}\n`)],
    ['a passphrase in the text form', `rewtsk_${Buffer.from(passphrase).toString('base64url')}`],
  ];
  it.each(notRandom)('%s is refused, although its length is right', (_, value) => {
    const error = refusalOf(value);
    expect(error.option).toBe('sealKey');
    expect(error.message).toMatch(/^sealKey: is a placeholder, .*rewt seal-key$/);
  });

  it.each([0x08, 0x0e, 0x1f, 0x7f, 0x80, 0xff])('one byte %d among those of text is enough of a key', (byte) => {
    const bytes = Buffer.from(passphrase);
    bytes[31] = byte;
    expect(readSealKey(bytes, 'sealKey').id).toBe(idOf(bytes));
  });

  it('each character of the text matters: the last one has one spelling only', () => {
    const idOfText = (text: string): string | null => {
      try {
        return readSealKey(text, 'sealKey').id;
      } catch {
        return null;
      }
    };
    const ids = [...ALPHABET].map((last) => idOfText(TEXT.slice(0, -1) + last)).filter((id) => id !== null);
    // Four bits of the last character count, two must be zero.
    expect(ids).toHaveLength(16);
    expect(new Set(ids).size).toBe(16);
  });

  it('no refused value, and no part of it, is in the error', () => {
    const near = [`${TEXT}\n`, TEXT.slice(0, -1), BYTES.toString('hex'), passphrase, Buffer.from(passphrase)];
    for (const value of near) {
      const error = refusalOf(value);
      const shown = [error.message, error.stack, String(error), inspect(error, everything), JSON.stringify(error)];
      for (const text of shown) {
        expect(text).not.toContain(TEXT.slice(7, 15));
        expect(text).not.toContain('horse');
        expect(text).not.toContain('8899aabb');
      }
    }
  });
});

describe('a seal key cannot be printed', () => {
  const key = new SealKey(BYTES);
  const holder = { options: [key], keys: new Map([[key.id, key]]) };

  it('by inspect, JSON, String, a template, a clone, or a walk over its properties', () => {
    const clone = structuredClone(key);
    const own = Reflect.ownKeys(key).map((name) => [name, Reflect.get(key, name)]);
    const printed = [
      ...[key, holder, clone].flatMap((value) => [inspect(value, everything), JSON.stringify(value), String(value)]),
      JSON.stringify([...Object.entries(key)]),
      inspect(own, everything),
      inspect(Object.getOwnPropertyDescriptors(key), everything),
      inspect(Object.getOwnPropertyDescriptors(SealKey.prototype), everything),
    ];
    for (const text of printed) for (const spelt of spellings(BYTES)) expect(text).not.toContain(spelt);
    expect(JSON.stringify(key)).toBe(JSON.stringify({ id: ID }));
    // The spellings would be found in what does print bytes.
    expect(spellings(BYTES).filter((spelt) => inspect(BYTES).includes(spelt))).toHaveLength(1);
    expect(spellings(BYTES).filter((spelt) => JSON.stringify(BYTES).includes(spelt))).toHaveLength(1);
  });

  it('is frozen: its id stays the one of its bytes', () => {
    expect(Object.isFrozen(key)).toBe(true);
    expect(() => Reflect.defineProperty(key, 'id', { value: 'another' })).not.toThrow();
    expect(key.id).toBe(ID);
  });
});
