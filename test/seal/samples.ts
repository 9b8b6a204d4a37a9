/** A key and an envelope of fixed bytes, and an envelope made without the code under test. */

import { createCipheriv, createHmac } from 'node:crypto';

export const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** 00 11 22 ... ff, twice. */
export const BYTES = Buffer.from('00112233445566778899aabbccddeeff'.repeat(2), 'hex');
export const TEXT = 'rewtsk_ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8';
export const ID = 'pOZ9vsSYGqk';

export const SALT = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
export const NONCE = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafb', 'hex');
export const KEY_NAME = 'foobar:rewt-secret';

/** What goes into an envelope; some of it can be replaced by what does not belong there. */
export interface Parts {
  readonly bytes?: Buffer;
  readonly salt?: Buffer;
  readonly nonce?: Buffer;
  readonly keyName?: string;
  /** What the additional data begins with. */
  readonly bound?: string;
  readonly header?: string;
  readonly label?: string;
  readonly tagBytes?: number;
}

/** Seals with node:crypto alone, as the comment of src/seal/envelope.ts describes it. */
export function envelopeOf(text: string | Buffer, parts: Parts = {}): string {
  const { bytes = BYTES, salt = SALT, nonce = NONCE, keyName = KEY_NAME, label = 'rewt seal 1', tagBytes = 16 } = parts;
  const { header = `rewt-sealed.1.${idOf(bytes)}.`, bound = header } = parts;
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(keyName));
  const aad = Buffer.concat([Buffer.from(bound), length, Buffer.from(keyName)]);
  const key = createHmac('sha256', bytes)
    .update(Buffer.concat([Buffer.from(label), salt, aad]))
    .digest();
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()]);
  return header + Buffer.concat([salt, nonce, ciphertext, cipher.getAuthTag()]).toString('base64url');
}

export function idOf(bytes: Uint8Array): string {
  return createHmac('sha256', bytes).update('rewt seal kid').digest().subarray(0, 8).toString('base64url');
}

/** Options of `inspect` that show as much as it can. */
export const everything = { showHidden: true, depth: Number.POSITIVE_INFINITY, getters: true } as const;

/** Every spelling in which a printer could show the bytes of a key. */
export function spellings(bytes: Buffer): readonly string[] {
  const part = [...bytes.subarray(4, 12)];
  return [
    bytes.toString('base64url').slice(0, 8),
    bytes.toString('base64').slice(8, 20),
    bytes.toString('hex').slice(8, 20),
    bytes.toString('hex').slice(8, 20).toUpperCase(),
    part.map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    part.join(', '),
    part.join(','),
  ];
}
