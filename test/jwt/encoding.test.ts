import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, decodeText, decodeUtf8, encodeText } from '../../src/jwt/encoding.js';
import { seeded } from '../keyring/seeded.js';

describe('base64url', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        expect(decodeBase64url(text)).toEqual(Buffer.from(bytes));
      }),
      seeded(),
    );
  });

  it('has one spelling only: any text that is accepted is how its bytes are written', () => {
    const character = fc.constantFrom(...'AQgwzZ09-_+/= \n.Ł\u0141\u{1F600}');
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
        const text = characters.join('');
        const bytes = decodeBase64url(text);
        const canonical = /^[\w-]*$/.test(text) && text.length % 4 !== 1 && bytes !== null;
        expect(bytes === null || (canonical && bytes.toString('base64url') === text)).toBe(true);
      }),
      seeded(),
    );
  });
});

describe('text as base64url', () => {
  const text = fc.string({ unit: 'binary' });

  it('is what its UTF-8 is in base64url, and is read back', () => {
    fc.assert(
      fc.property(text, (one) => {
        const bytes = new TextEncoder().encode(one);
        expect(encodeText(one)).toBe(Buffer.from(bytes).toString('base64url'));
        expect(decodeText(encodeText(one))).toBe(decodeUtf8(bytes));
      }),
      seeded(),
    );
  });

  it.each([5_461, 5_462, 12_288, 12_289, 16_384, 40_000])(
    'is the same for %i characters, whatever the scratch buffer holds',
    (length) => {
      for (const unit of ['a', 'ž', '€', '🐎']) {
        const long = unit.repeat(Math.ceil(length / unit.length));
        expect(encodeText(long)).toBe(Buffer.from(long).toString('base64url'));
        expect(decodeText(encodeText(long))).toBe(long);
        expect(decodeText(`${encodeText(long)}=`)).toBeNull();
        expect(decodeText(encodeText('short'))).toBe('short');
      }
    },
  );

  it('has one spelling, whatever character stands in whatever place', () => {
    const texts = ['{"a":1}', '{"a":12}', '{"a":123}'].map(encodeText);
    const faults: string[] = [];
    for (const text of texts) {
      for (let at = 0; at < text.length; at += 1) {
        for (let code = 0; code < 0x80; code += 1) {
          for (const gone of [0, 1]) {
            const segment = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + gone);
            const bytes = decodeBase64url(segment);
            if (decodeText(segment) !== (bytes && decodeUtf8(bytes))) faults.push(segment);
          }
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it('is read only where both encodings are right', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.constantFrom('', '=', 'A', ' ', '+'), (bytes, more) => {
        const segment = Buffer.from(bytes).toString('base64url') + more;
        const decoded = decodeBase64url(segment);
        expect(decodeText(segment)).toBe(decoded && decodeUtf8(decoded));
      }),
      seeded(2000),
    );
  });
});

describe('UTF-8', () => {
  it('is read back as it was written, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const expected = text.startsWith('\uFEFF') ? null : text;
        expect(decodeUtf8(new TextEncoder().encode(text))).toBe(expected);
      }),
      seeded(),
    );
  });

  it('is refused exactly where a fatal TextDecoder refuses it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let expected: string | null = null;
        try {
          expected = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
        } catch {}
        expect(decodeUtf8(bytes)).toBe(expected?.startsWith('\uFEFF') ? null : expected);
      }),
      seeded(2000),
    );
  });

  it('is read from a view into a larger buffer', () => {
    expect(decodeUtf8(new Uint8Array(Buffer.from('abcdef')).subarray(2, 4))).toBe('cd');
  });
});
