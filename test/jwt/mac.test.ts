/**
 * The MAC against Node's own HMAC: every length around the block boundaries, every text, every way
 * in which the guard falls back.
 */

import * as crypto from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createMac } from '../../src/jwt/mac.js';
import { seeded } from '../keyring/seeded.js';
import { secretText } from './forge.js';

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>();
  return { ...original, createHmac: vi.fn(original.createHmac) };
});

type OneShotHash = NonNullable<Parameters<typeof createMac>[1]>;

/**
 * RFC 2104 spelt out, so that Node's createHmac, which the code falls back to, is not the only
 * witness.
 */
function hmac(secret: Uint8Array, message: string | Uint8Array): string {
  const sha256 = (...parts: (string | Uint8Array)[]) => {
    const hash = crypto.createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const block = Buffer.alloc(64);
  block.set(secret.length > 64 ? sha256(secret) : secret);
  const pad = (byte: number) => block.map((of) => of ^ byte);
  return Buffer.from(sha256(pad(0x5c), sha256(pad(0x36), message))).toString('base64url');
}

/** In place of `crypto.hash`: not every Node has it, and its calls are to be counted. */
const oneShot = vi.fn<OneShotHash>((algorithm, input, encoding) =>
  crypto.createHash(algorithm).update(input).digest(encoding),
);

/**
 * How a MAC is made: by two one-shot hashes, or by createHmac, and then without as much as a try of
 * the former.
 */
function isFast(secret: Uint8Array): boolean {
  oneShot.mockClear();
  const mac = createMac(secret, oneShot);
  const wasTried = oneShot.mock.calls.length > 0;
  oneShot.mockClear();
  vi.mocked(crypto.createHmac).mockClear();
  mac('x');
  const calls = [oneShot.mock.calls.length, vi.mocked(crypto.createHmac).mock.calls.length];
  expect(calls).toEqual(wasTried ? [2, 0] : [0, 1]);
  return wasTried;
}

const ascii = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7 + 33) % 128));
const highBytes = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 37 + 201) % 256));
const accented = (length: number) => Buffer.from('žluťoučký€🐎'.repeat(8)).subarray(0, length);
const message = (length: number) => Array.from({ length }, (_, at) => String.fromCharCode(33 + (at % 94))).join('');

describe('a MAC', () => {
  // Lengths on both sides of each block's end (a message begins behind one block of pad, and
  // SHA-256 adds 9 bytes), and some between.
  const edges = [0, 1, 31, 32, 43, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 127, 128, 129, 183, 184, 185, 200];

  it.each([
    ['ASCII', ascii],
    ['any bytes', highBytes],
    ['UTF-8, cut anywhere', accented],
  ])('is that of HMAC-SHA256 for secrets of 0 to 130 bytes, %s', (_kind, secretOf) => {
    for (let length = 0; length <= 130; length += 1) {
      const secret = secretOf(length);
      const macs = [createMac(secret), createMac(secret, oneShot), createMac(secret, null)];
      for (const edge of edges) {
        const expected = hmac(secret, message(edge));
        for (const mac of macs) expect(mac(message(edge))).toBe(expected);
      }
    }
  });

  it.each([0, 1, 32, 43, 63, 64, 65, 130])(
    'is that of HMAC-SHA256 for messages of 0 to 200 characters under a secret of %i bytes',
    (length) => {
      for (const secret of [ascii(length), highBytes(length)]) {
        const mac = createMac(secret);
        for (let size = 0; size <= 200; size += 1) expect(mac(message(size))).toBe(hmac(secret, message(size)));
      }
    },
  );

  it.each([
    ['two bytes a character', 'ž'],
    ['three', '€'],
    ['four', '🐎'],
    ['a NUL', '\0'],
    ['the last ASCII character, and the first that is none', '\x7f\x80'],
    ['bytes of Latin-1', 'ÿ'],
    ['a lone high surrogate', '\ud83d'],
    ['a lone low surrogate', '\udc0e'],
    ['surrogates the wrong way round', '\udc0e\ud83d'],
    ['a byte order mark', '\uFEFF'],
  ])('is that of HMAC-SHA256 for messages in UTF-8, %s', (_what, character) => {
    for (const secret of [ascii(43), ascii(64), highBytes(43), ascii(65)]) {
      const mac = createMac(secret);
      for (let times = 1; times <= 70; times += 1) {
        for (const text of [character.repeat(times), `a${character.repeat(times)}`, `${character.repeat(times)}z`]) {
          expect(mac(text)).toBe(hmac(secret, text));
        }
      }
    }
  });

  it('is that of HMAC-SHA256 for any secret and any text', () => {
    const secret = fc.oneof(fc.uint8Array({ maxLength: 130 }), fc.string({ unit: 'binary-ascii', maxLength: 130 }));
    // Any UTF-16 units, so lone surrogates too.
    const text = fc
      .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 300 })
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(secret, fc.array(text, { minLength: 1, maxLength: 3 }), (given, texts) => {
        const bytes = Buffer.from(given as string);
        const mac = createMac(bytes);
        for (const one of texts) expect(mac(one)).toBe(hmac(bytes, one));
      }),
      seeded(1000),
    );
  });

  it('is the one that Node computes: the reference of this test has no errors', () => {
    for (const length of [0, 32, 64, 65, 130]) {
      const expected = crypto.createHmac('sha256', highBytes(length)).update('€').digest('base64url');
      expect(hmac(highBytes(length), '€')).toBe(expected);
    }
  });

  it('is the same if its calls, and those of others, are mixed', () => {
    const secrets = [ascii(43), ascii(44), highBytes(43)];
    const macs = secrets.map((secret) => createMac(secret));
    for (let size = 0; size < 60; size += 1) {
      for (const [at, mac] of macs.entries())
        expect(mac(message(size))).toBe(hmac(secrets[at] as Buffer, message(size)));
    }
  });

  it('is computed with a copy of the secret, whatever becomes of its bytes', () => {
    for (const secret of [ascii(43), highBytes(43)]) {
      const mac = createMac(secret);
      const expected = hmac(secret, 'x');
      secret.fill(0);
      expect(mac('x')).toBe(expected);
    }
  });
});

describe('the guard', () => {
  it('lets one-shot hashes do it for ASCII of up to 64 bytes, and never asks createHmac then', () => {
    for (const length of [0, 1, 32, 43, 63, 64]) expect(isFast(ascii(length))).toBe(true);
    expect(isFast(Buffer.alloc(43, 127))).toBe(true);
    expect(isFast(Buffer.from(secretText))).toBe(true);
  });

  it('leaves longer secrets to createHmac, and does not leave it to the self-test to find out', () => {
    for (const length of [65, 66, 128, 130]) expect(isFast(ascii(length))).toBe(false);
  });

  it('leaves a secret with a byte above 127 to createHmac, wherever it is', () => {
    for (let at = 0; at < 43; at += 1) {
      for (const byte of [128, 255]) {
        const secret = ascii(43);
        secret[at] = byte;
        expect(isFast(secret)).toBe(false);
      }
    }
  });

  it('leaves all to createHmac where there is no one-shot hash', () => {
    const mac = createMac(ascii(43), null);
    vi.mocked(crypto.createHmac).mockClear();
    expect(mac('x')).toBe(hmac(ascii(43), 'x'));
    expect(crypto.createHmac).toHaveBeenCalledOnce();
  });

  it('takes the one-shot hash of this Node where it has one', () => {
    const mac = createMac(ascii(43));
    vi.mocked(crypto.createHmac).mockClear();
    mac('x');
    expect(crypto.createHmac).toHaveBeenCalledTimes(crypto.hash === undefined ? 1 : 0);
  });

  const honest: OneShotHash = (algorithm, input, encoding) =>
    crypto.createHash(algorithm).update(input).digest(encoding);
  it.each<[what: string, oneShot: OneShotHash]>([
    [
      'throws',
      () => {
        throw new Error('no such encoding');
      },
    ],
    [
      'throws for buffers only',
      (algorithm, input, encoding) => {
        if (typeof input !== 'string') throw new TypeError('a string is wanted');
        return honest(algorithm, input, encoding);
      },
    ],
    ['gives nothing', () => ''],
    ['gives undefined', () => undefined as never],
    [
      'gives bytes in place of text',
      (algorithm, input) => crypto.createHash(algorithm).update(input).digest() as never,
    ],
    ['gives hex', (algorithm, input) => crypto.createHash(algorithm).update(input).digest('hex')],
    ['knows another algorithm only', (_algorithm, input, encoding) => honest('sha512', input, encoding)],
    [
      'takes a text for Latin-1',
      (algorithm, input, encoding) =>
        honest(algorithm, typeof input === 'string' ? Buffer.from(input, 'latin1') : input, encoding),
    ],
    [
      'takes a text for ASCII',
      (algorithm, input, encoding) =>
        honest(algorithm, typeof input === 'string' ? input.replace(/[^\0-\x7f]/g, '?') : input, encoding),
    ],
    [
      'reads one block of its input',
      (algorithm, input, encoding) => honest(algorithm, input.slice(0, 64) as never, encoding),
    ],
    [
      'reads two blocks of its input',
      (algorithm, input, encoding) => honest(algorithm, input.slice(0, 128) as never, encoding),
    ],
    [
      'writes padded base64',
      (algorithm, input, encoding) =>
        encoding === 'binary'
          ? honest(algorithm, input, encoding)
          : crypto.createHash(algorithm).update(input).digest('base64'),
    ],
  ])('falls back, and is right, where the one-shot hash %s', (_what, lying) => {
    const spy = vi.fn(lying);
    const mac = createMac(ascii(43), spy);
    expect(spy).toHaveBeenCalled();
    spy.mockClear();
    for (const text of ['', 'x', '€', message(200)]) expect(mac(text)).toBe(hmac(ascii(43), text));
    expect(spy).not.toHaveBeenCalled();
  });
});
