/**
 * Comparing a token's signature: one spelling and no other, in constant time, whatever was compared
 * before.
 */

import * as crypto from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createMac, type Mac, macMatches } from '../../src/jwt/mac.js';
import { seeded } from '../keyring/seeded.js';
import { secretText } from './forge.js';

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>();
  return { ...original, timingSafeEqual: vi.fn(original.timingSafeEqual) };
});

describe('a signature', () => {
  const mac = createMac(Buffer.from(secretText));
  const right = mac('input');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const put = (at: number, character: string) => right.slice(0, at) + character + right.slice(at + 1);
  const positions = Array.from(right, (character, at) => [at, character] as const);

  it('matches where it is the right one, for the right input and secret only', () => {
    expect(macMatches(mac, 'input', right)).toBe(true);
    expect(macMatches(mac, 'inpuT', right)).toBe(false);
    expect(macMatches(createMac(Buffer.from(`${secretText}.`)), 'input', right)).toBe(false);
  });

  it('does not match with any other character, anywhere', () => {
    for (const [at, character] of positions) {
      for (const other of [...alphabet, '=', '+', '/', ' ', '\n', '\0', '.']) {
        if (other !== character) expect(macMatches(mac, 'input', put(at, other))).toBe(false);
      }
    }
  });

  it('does not match with characters that share their low or high byte with the right one', () => {
    for (const [at, character] of positions) {
      const code = character.charCodeAt(0);
      for (const alias of [code + 0x100, code + 0x200, code + 0xff00, code << 8, (code << 8) | code, 0xdc00 | code]) {
        expect(macMatches(mac, 'input', put(at, String.fromCharCode(alias)))).toBe(false);
      }
    }
  });

  it('does not match in another spelling of the same bytes: bits left over at the end', () => {
    const last = alphabet.indexOf(right.slice(-1));
    for (const bits of [1, 2, 3]) {
      const altered = put(42, alphabet[last ^ bits] as string);
      expect(Buffer.from(altered, 'base64url')).toEqual(Buffer.from(right, 'base64url'));
      expect(macMatches(mac, 'input', altered)).toBe(false);
    }
  });

  it('does not match in any other length, and nothing is computed for it', () => {
    const counted = vi.fn(mac);
    for (let length = 0; length <= 130; length += 1) {
      if (length !== 43) expect(macMatches(counted, 'input', right.repeat(4).slice(0, length))).toBe(false);
    }
    expect(counted).not.toHaveBeenCalled();
    // As many bytes in UTF-8, or as many characters but not units: neither is the length that
    // counts.
    expect(macMatches(mac, 'input', `${'ž'.repeat(21)}A`)).toBe(false);
    expect(macMatches(mac, 'input', '🐎'.repeat(43))).toBe(false);
  });

  it('is judged by nothing that an earlier call left behind', () => {
    const others = ['', right, put(0, 'ž'), right.slice(1), `${right}=`, mac('other'), '€'.repeat(43), '\0'.repeat(43)];
    const empty: Mac = () => '';
    for (const earlier of others) {
      for (const by of [mac, empty]) {
        macMatches(by, 'input', earlier);
        expect(macMatches(mac, 'input', put(42, '_'))).toBe(right.endsWith('_'));
        macMatches(by, 'input', earlier);
        expect(macMatches(mac, 'other', right)).toBe(false);
        macMatches(by, 'input', earlier);
        expect(macMatches(mac, 'input', right)).toBe(true);
      }
    }
  });

  it('matches exactly if it is equal, whatever it is and was compared before', () => {
    const signature = fc.oneof(
      fc.constant(right),
      fc.tuple(fc.nat(42), fc.nat(0xffff)).map(([at, unit]) => put(at, String.fromCharCode(unit))),
      fc.array(fc.nat(0xffff), { minLength: 43, maxLength: 43 }).map((units) => String.fromCharCode(...units)),
      fc.array(fc.constantFrom(...alphabet), { minLength: 42, maxLength: 44 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(signature, signature, (before, given) => {
        macMatches(mac, 'input', before);
        expect(macMatches(mac, 'input', given)).toBe(given === right);
      }),
      seeded(1000),
    );
  });

  it('is compared by timingSafeEqual over all 43 characters, wherever the first difference is', () => {
    for (const given of [right, put(0, '!'), put(21, '!'), put(42, '!'), '\0'.repeat(43)]) {
      vi.mocked(crypto.timingSafeEqual).mockClear();
      macMatches(mac, 'input', given);
      expect(crypto.timingSafeEqual).toHaveBeenCalledOnce();
      const [left, other] = vi.mocked(crypto.timingSafeEqual).mock.calls[0] as [Buffer, Buffer];
      expect([left.toString('utf16le'), other.toString('utf16le')]).toEqual([right, given]);
    }
  });
});
