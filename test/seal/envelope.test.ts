/** The envelope of a sealed keyring: its exact bytes, and what opens it. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealed, openSealed, seal, sealedBy } from '../../src/seal/envelope.js';
import { SealKey } from '../../src/seal/seal-key.js';
import { seeded } from '../keyring/seeded.js';
import { BYTES, envelopeOf, ID, idOf, KEY_NAME, NONCE, SALT } from './samples.js';

const key = new SealKey(BYTES);
const keys = new Map([[key.id, key]]);

/** Returns the salt, then the nonce, then fails. */
function fixed(salt = SALT, nonce = NONCE): (bytes: number) => Buffer {
  const left = [salt, nonce];
  return (bytes) => {
    const next = left.shift();
    if (next?.length !== bytes) throw new Error(`${bytes} random bytes were not expected`);
    return next;
  };
}

/** What follows the header. Another program (Python's cryptography) computed it. */
const vectors: readonly (readonly [string, string, string])[] = [
  ['{"v":1}', 'foobar:rewt-secret', 'AAECAwQFBgcICQoLDA0OD_Dx8vP09fb3-Pn6-0jw7m5FppAkKum9ootrL5zVj7siO5bu'],
  ['', 'foobar:rewt-secret', 'AAECAwQFBgcICQoLDA0OD_Dx8vP09fb3-Pn6-yHazuI-4IgYLxv2pLASM-0'],
  [
    'žluťoučký kůň €',
    'app:jméno:rewt-secret',
    'AAECAwQFBgcICQoLDA0OD_Dx8vP09fb3-Pn6-2sbXrsgDKDIZ4fQwoXB76s6rBWhHUWe3COlaAP81PMrd0k06UMi_Q',
  ],
];

describe('an envelope', () => {
  it.each(vectors)('of %j for %j has these bytes', (text, keyName, body) => {
    const envelope = `rewt-sealed.1.pOZ9vsSYGqk.${body}`;
    expect(envelopeOf(text, { keyName })).toBe(envelope);
    expect(seal(text, key, keyName, fixed())).toBe(envelope);
    expect(openSealed(envelope, keys, keyName)).toBe(text);
  });

  const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 300 }), fc.json());
  const names = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Buffer.from(one));
  const sealKeys = bytes(32);

  it('is what node:crypto makes of the same parts, and opens again, whatever they are', () => {
    fc.assert(
      fc.property(texts, names, sealKeys, bytes(16), bytes(12), (text, keyName, keyBytes, salt, nonce) => {
        const own = new SealKey(keyBytes);
        const envelope = seal(text, own, keyName, fixed(salt, nonce));
        expect(envelope).toBe(envelopeOf(text, { bytes: keyBytes, salt, nonce, keyName }));
        expect(openSealed(envelope, new Map([...keys, [own.id, own]]), keyName)).toBe(text);
        expect(sealedBy(envelope)).toBe(idOf(keyBytes));
        expect(isSealed(envelope)).toBe(true);
      }),
      seeded(300),
    );
  });

  it('of one text differs each time: in its salt, its nonce, its ciphertext and its tag', () => {
    const parts = Array.from({ length: 50 }, () => {
      const body = seal('text', key, KEY_NAME, randomBytes).slice(`rewt-sealed.1.${ID}.`.length);
      const one = Buffer.from(body, 'base64url');
      return [one.subarray(0, 16), one.subarray(16, 28), one.subarray(28, -16), one.subarray(-16)];
    });
    for (const at of [0, 1, 2, 3]) expect(new Set(parts.map((one) => one[at]?.toString('hex'))).size).toBe(50);
  });

  it('has another ciphertext for another salt under the same nonce', () => {
    const other = Buffer.alloc(16, 7);
    const bodies = [SALT, other].map((salt) =>
      Buffer.from(seal('text', key, KEY_NAME, fixed(salt)).slice(26), 'base64url'),
    );
    expect(bodies[0]?.subarray(28, 32)).not.toEqual(bodies[1]?.subarray(28, 32));
  });

  it('is 44 bytes longer than its text, and holds nothing of it', () => {
    const text = 'a secret that would be seen, a secret that would be seen';
    const envelope = seal(text, key, KEY_NAME, randomBytes);
    const body = Buffer.from(envelope.slice(`rewt-sealed.1.${ID}.`.length), 'base64url');
    expect(body).toHaveLength(text.length + 44);
    expect(body.includes('secret')).toBe(false);
  });

  it('opens with the key of its id among several, in any order', () => {
    const others = [1, 2, 3].map((n) => new SealKey(Buffer.from([n, ...BYTES.subarray(1)])));
    const envelope = seal('text', key, KEY_NAME, randomBytes);
    for (const all of [
      [key, ...others],
      [...others, key],
    ]) {
      expect(openSealed(envelope, new Map(all.map((one) => [one.id, one])), KEY_NAME)).toBe('text');
    }
  });
});

describe('the beginning of a text', () => {
  const envelope = envelopeOf('text');
  it.each([
    [envelope, true, ID],
    [`rewt-sealed.1.${ID}.`, true, ID],
    [`rewt-sealed.1.${ID}.\n$`, true, ID],
    ['rewt-sealed.1.-_AAAAAAAAA.x', true, '-_AAAAAAAAA'],
    [envelope.replace('.1.', '.2.'), true, null],
    [envelope.replace('.1.', '.01.'), true, null],
    [envelope.replace('.1.', '.11.'), true, null],
    [`rewt-sealed.1.${ID}`, true, null],
    [`rewt-sealed.1.${ID.slice(1)}.`, true, null],
    [`rewt-sealed.1.${ID}A.`, true, null],
    [`rewt-sealed.1.${ID.slice(0, -1)}l.`, true, null],
    [`rewt-sealed.1.${ID.slice(0, -1)}+.`, true, null],
    [`rewt-sealed.1.${ID.slice(0, -1)}ſ.`, true, null],
    ['rewt-sealed.', true, null],
    ['rewt-sealed', false, null],
    [` ${envelope}`, false, null],
    [`\n${envelope}`, false, null],
    [envelope.toUpperCase(), false, null],
    ['rewt-kid.pOZ9vsSYGqk', false, null],
    ['{"v":1}', false, null],
    ['', false, null],
  ])('of %j says whether it is sealed, and by which key', (text, sealed, id) => {
    expect(isSealed(text)).toBe(sealed);
    expect(sealedBy(text)).toBe(id);
  });
});
