/** What is no whole envelope of one's own: never a crash, never its text, always a typed error. */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { openSealed, seal } from '../../src/seal/envelope.js';
import { SealKey } from '../../src/seal/seal-key.js';
import { seeded } from '../keyring/seeded.js';
import {
  ALPHABET,
  BYTES,
  envelopeOf,
  everything,
  ID,
  KEY_NAME,
  NONCE,
  type Parts,
  spellings,
  TEXT,
} from './samples.js';

const PLAIN = 'the plain text of a ring';
const key = new SealKey(BYTES);
const keys = new Map([[key.id, key]]);
const OTHER_BYTES = Buffer.from(BYTES.map((byte) => byte ^ 0xff));
const other = new SealKey(OTHER_BYTES);
const envelope = envelopeOf(PLAIN);
const header = `rewt-sealed.1.${ID}.`;
const body = Buffer.from(envelope.slice(header.length), 'base64url');

type Code = 'ERR_REWT_RING_UNREADABLE' | 'ERR_REWT_RING_SEALED' | 'ERR_REWT_RING_NEWER';
const [UNREADABLE, SEALED, NEWER] = [
  'ERR_REWT_RING_UNREADABLE',
  'ERR_REWT_RING_SEALED',
  'ERR_REWT_RING_NEWER',
] as const satisfies readonly Code[];

function refusalOf(text: string, { held = keys, keyName = KEY_NAME } = {}): StoreError {
  let opened: string;
  try {
    opened = openSealed(text, held, keyName);
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error(`it opened: ${opened}`);
}

const codeOf = (text: string): string => refusalOf(text).code;
const codesOf = (texts: Iterable<string>): readonly string[] => [...new Set([...texts].map(codeOf))].sort();
const withBody = (bytes: Uint8Array): string => header + Buffer.from(bytes).toString('base64url');

it('the envelope that is forged below opens', () => {
  expect(openSealed(envelope, keys, KEY_NAME)).toBe(PLAIN);
  expect(withBody(body)).toBe(envelope);
});

describe('a changed envelope does not open', () => {
  it('with any of its bits changed, or all of one byte', () => {
    const masks = [1, 2, 4, 8, 16, 32, 64, 128, 255];
    const forged = [...body].flatMap((byte, at) => masks.map((mask) => withBody(body.with(at, byte ^ mask))));
    expect(codesOf(forged)).toEqual([UNREADABLE]);
  });

  it('with any character of its text changed to any other of base64url, or to one that is none', () => {
    const forged = [...envelope].flatMap((was, at) =>
      [...ALPHABET, '+', '/', '=', '.', ' ', '\n', '\0', 'ſ', 'é', '\ud800']
        .filter((letter) => letter !== was)
        .map((letter) => envelope.slice(0, at) + letter + envelope.slice(at + 1)),
    );
    const verdicts = forged.map((text) => ({ at: differsAt(text), code: codeOf(text) }));
    const placesOf = (wanted: Code) => [...new Set(verdicts.filter(({ code }) => code === wanted).map(({ at }) => at))];
    // Only a digit of the version makes it newer, and only a letter of the id another key's.
    expect(placesOf(NEWER)).toEqual([12]);
    expect(placesOf(SEALED)).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    expect(placesOf(UNREADABLE)).toEqual([...envelope].map((_, at) => at));
  });

  it.each([
    [0, 3],
    [1, 0],
    [2, 15],
  ])('with its last character changed: of a text of %d bytes, %d of them decode to the same', (length, aliases) => {
    const text = seal('x'.repeat(length), key, KEY_NAME, randomBytes);
    const forged = [...ALPHABET].map((last) => text.slice(0, -1) + last).filter((one) => one !== text);
    expect(forged.filter((one) => decoded(one).equals(decoded(text)))).toHaveLength(aliases);
    expect(codesOf(forged)).toEqual([UNREADABLE]);
  });

  it('cut at any length, at its end or its beginning', () => {
    const lengths = Array.from(envelope, (_, length) => length);
    expect(codesOf(lengths.map((length) => envelope.slice(0, length)))).toEqual([UNREADABLE]);
    expect(codesOf(lengths.map((length) => envelope.slice(length + 1)))).toEqual([UNREADABLE]);
  });

  it('with its bytes cut at any length, at the end, at the beginning or in the middle', () => {
    const forged = Array.from(body, (_, length) => [
      withBody(body.subarray(0, length)),
      withBody(body.subarray(length + 1)),
      withBody(Buffer.concat([body.subarray(0, length), body.subarray(length + 1)])),
    ]);
    expect(codesOf(forged.flat())).toEqual([UNREADABLE]);
  });

  it('with more at its end, at its beginning or between', () => {
    const more = ['A', 'AA', 'AAAA', '=', '==', ' ', '\n', '\r\n', '.', '.x', '\0', envelope];
    const forged = more.flatMap((text) => [
      envelope + text,
      text + envelope,
      header + text + envelope.slice(header.length),
    ]);
    expect(codesOf(forged.filter((text) => text !== envelope))).toEqual([UNREADABLE]);
  });

  it('in another spelling of the same bytes', () => {
    const rest = body.toString('base64');
    const split = `${envelope.slice(0, header.length + 8)}\n${envelope.slice(header.length + 8)}`;
    const forged = [header + rest, split, `${envelope}=`, envelope.replace(header, header.replace('.1.', '.01.'))];
    expect(codesOf(forged.filter((text) => text !== envelope))).toEqual([UNREADABLE]);
  });

  it('put together of two that were sealed under the same key and name', () => {
    const second = Buffer.from(seal(PLAIN, key, KEY_NAME, randomBytes).slice(header.length), 'base64url');
    const cuts = Array.from(body, (_, at) => at).slice(1);
    const spliced = cuts.map((at) => withBody(Buffer.concat([body.subarray(0, at), second.subarray(at)])));
    expect(codesOf(spliced)).toEqual([UNREADABLE]);
  });
});

describe('an envelope that another program made does not open', () => {
  const parts: readonly (readonly [string, Parts])[] = [
    ['a tag of 4 bytes', { tagBytes: 4 }],
    ['a tag of 12 bytes', { tagBytes: 12 }],
    ['a tag of 15 bytes', { tagBytes: 15 }],
    ['another name of K', { keyName: 'other:rewt-secret' }],
    ['a name without its prefix', { keyName: 'rewt-secret' }],
    ['no name', { keyName: '' }],
    ['the label of another version', { label: 'rewt seal 2' }],
    ['additional data of another version', { bound: `rewt-sealed.2.${ID}.` }],
    ['additional data without the id', { bound: 'rewt-sealed.1.' }],
    ['another key under this id', { bytes: OTHER_BYTES, header }],
    ['a salt that is shorter', { salt: Buffer.alloc(15) }],
    ['a nonce that is longer', { nonce: Buffer.alloc(16) }],
    ['the length of the name moved into the name', { bound: `${header}\0`, keyName: KEY_NAME.slice(1) }],
  ];
  it.each(parts)('with %s', (_, changed) => {
    expect(envelopeOf(PLAIN, changed)).not.toBe(envelopeOf(PLAIN));
    expect(codeOf(envelopeOf(PLAIN, changed))).toBe(UNREADABLE);
  });

  it('with the 4 bytes of a tag that Node 20 would take', () => {
    const short = Buffer.from(envelopeOf('', { tagBytes: 4 }).slice(header.length), 'base64url');
    expect(short).toHaveLength(16 + NONCE.length + 4);
    for (let pad = 0; pad <= 16; pad += 1) {
      expect(codeOf(withBody(Buffer.concat([short, Buffer.alloc(pad)])))).toBe(UNREADABLE);
    }
  });
});

describe('an envelope opens only', () => {
  it.each(['foobar:rewt-secre', 'foobar:rewt-secrets', 'Foobar:rewt-secret', 'x:foobar:rewt-secret', ''])(
    'under its own name, not %j',
    (keyName) => {
      expect(refusalOf(envelope, { keyName }).code).toBe(UNREADABLE);
    },
  );

  it('with its own key: another one under its id is of no use, and no other is tried', () => {
    const wrong = new Map([
      [key.id, other],
      [other.id, key],
    ]);
    expect(refusalOf(envelope, { held: wrong }).code).toBe(UNREADABLE);
    const renamed = envelope.replace(ID, other.id);
    expect(refusalOf(renamed, { held: new Map([...keys, [other.id, other]]) }).code).toBe(UNREADABLE);
  });

  it('if it is one: no text is taken as it is, and each gets the same sentence', () => {
    const plain = [
      '',
      '{"v":1}',
      PLAIN,
      'rewt-kid.pOZ9vsSYGqk',
      ' ',
      'rewt-sealed',
      TEXT,
      envelope.slice(header.length),
    ];
    expect(codesOf(plain)).toEqual([UNREADABLE]);
    const sentences = new Set([...plain, envelope.slice(0, -1)].map((text) => refusalOf(text).message));
    expect([...sentences]).toEqual([expect.stringMatching(/^The sealed keyring .*(?:damaged|moved).*: find out who /)]);
    expect([...sentences][0]).toContain('or replace it with revoke({ replace: "unreadable" }).');
  });

  it('is never broken by text that begins as an envelope does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', 'rewt-sealed.', 'rewt-sealed.1.', header, envelope.slice(0, -8)),
        fc.string({ unit: 'binary', maxLength: 200 }),
        (start, more) => {
          fc.pre(start + more !== envelope);
          expect([UNREADABLE, SEALED, NEWER]).toContain(codeOf(start + more));
        },
      ),
      seeded(200),
    );
  });
});

describe('an envelope of a later version', () => {
  it.each(['2', '3', '9', '10', '11', '20', '12345678901234567890'])('%s is newer, whatever follows', (version) => {
    for (const rest of ['', `${ID}.`, envelope.slice(14), '\n', '{}']) {
      const error = refusalOf(`rewt-sealed.${version}.${rest}`);
      expect(error).toMatchObject({ code: NEWER, status: 503 });
      expect(error.message).toMatch(
        /^The keyring .* newer rewt: update rewt here, .* revoke\(\{ replace: "newer" \}\)/,
      );
    }
  });

  it.each(['0', '01', '02', '-2', '+2', '2 ', ' 2', '1.5', '2e3', '1e3', 'x', '', '٢', '²'])(
    '%j is none',
    (version) => {
      expect(codeOf(`rewt-sealed.${version}.${envelope.slice(14)}`)).toBe(UNREADABLE);
      expect(codeOf(`rewt-sealed.${version}`)).toBe(UNREADABLE);
    },
  );

  it('2 without a point is none', () => {
    expect(codeOf('rewt-sealed.2')).toBe(UNREADABLE);
    expect(codeOf(' rewt-sealed.2.')).toBe(UNREADABLE);
  });
});

describe('an envelope under a key that is not here', () => {
  const third = new SealKey(Buffer.from([0x80, ...OTHER_BYTES.subarray(1)]));
  it('is an error that names its key, those that are here, the option, and the last resort', () => {
    const held = new Map([other, third].map((one) => [one.id, one]));
    const error = refusalOf(envelope, { held });
    expect(error).toMatchObject({ code: SEALED, status: 503, name: 'StoreError' });
    expect(error.message).toContain(`the key ${ID}; this member has ${other.id}, ${third.id}.`);
    expect(error.message).toContain('`sealKey`');
    expect(error.message).toContain('revoke({ replace: "sealed" })');
  });

  it('says so where no key is here at all, and where nothing follows the id', () => {
    for (const text of [envelope, header]) {
      expect(refusalOf(text, { held: new Map() }).message).toContain(`the key ${ID}; this member has no seal key.`);
    }
  });
});

it('no error holds a key, the text or the envelope, or the error behind it', () => {
  const held = new Map([[other.id, other]]);
  const wrong = new Map([[key.id, other]]);
  const errors = [
    refusalOf(envelope, { held }),
    refusalOf(envelope, { held: wrong }),
    refusalOf(envelope, { keyName: 'secret name' }),
    refusalOf(envelope.slice(0, -1)),
    refusalOf(PLAIN),
    refusalOf(envelope.replace('.1.', '.2.')),
  ];
  expect(new Set(errors.map(({ code }) => code)).size).toBe(3);
  const hidden = [...spellings(BYTES), ...spellings(OTHER_BYTES), PLAIN, envelope.slice(30, 50), 'secret name'];
  for (const error of errors) {
    expect(error.cause).toBeUndefined();
    const shown = [error.message, error.stack, String(error), inspect(error, everything), JSON.stringify(error)];
    for (const text of shown) for (const spelt of hidden) expect(text).not.toContain(spelt);
  }
});

function differsAt(text: string): number {
  return [...text].findIndex((letter, at) => letter !== envelope[at]);
}

function decoded(text: string): Buffer {
  return Buffer.from(text.slice(header.length), 'base64url');
}
