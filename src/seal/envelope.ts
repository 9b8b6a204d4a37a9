/**
 * The envelope of a sealed keyring: `rewt-sealed.1.<keyId>.` and base64url of a salt (16 bytes), a
 * nonce (12), the ciphertext of AES-256-GCM and its tag (16).
 *
 * The additional data is the header, the length in bytes of K's full name (32 bits, big endian),
 * and that name. Each write has its own key: HMAC-SHA256 under the seal key over "rewt seal 1", the
 * salt and the additional data.
 *
 * The id in the header selects one key. No other key is tried, and no text is taken as it is.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { StoreError } from '../errors.js';
import { decodeBase64url } from '../jwt/encoding.js';
import type { SealKey } from './seal-key.js';

const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The first part of every version's header. */
const MARK = 'rewt-sealed.';
const HEADER = /^rewt-sealed\.1\.([\w-]{11})\./;
const LATER_HEADER = /^rewt-sealed\.(?:[2-9]|[1-9]\d+)\./;

/** Tests for an envelope of any version, by its beginning. */
export function isSealed(text: string): boolean {
  return text.startsWith(MARK);
}

/** Returns the key id of an envelope of this version; null for every other text. */
export function sealedBy(text: string): string | null {
  const id = HEADER.exec(text)?.[1];
  return id !== undefined && decodeBase64url(id) !== null ? id : null;
}

/**
 * Seals a text. Two calls never return the same envelope.
 *
 * @param keyName the full name of K, with the client's key prefix: an envelope opens only under
 * the name that it was sealed for.
 * @param random returns so many random bytes.
 */
export function seal(text: string, key: SealKey, keyName: string, random: (bytes: number) => Buffer): string {
  const salt = random(SALT_BYTES);
  const nonce = random(NONCE_BYTES);
  const header = headerOf(key.id);
  const context = contextOf(header, keyName);
  const cipher = createCipheriv(CIPHER, key.deriveKey(salt, context), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  const sealed = [salt, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return header + Buffer.concat(sealed).toString('base64url');
}

/**
 * Opens an envelope and returns its text.
 *
 * @param keys the keys of this member, by their ids
 * @param keyName the full name of K, as it was when the text was sealed
 * @throws {StoreError} ERR_REWT_RING_NEWER for a later version of the envelope,
 * ERR_REWT_RING_SEALED for a key that is not in `keys`, ERR_REWT_RING_UNREADABLE for every other
 * text that does not open.
 */
export function openSealed(text: string, keys: ReadonlyMap<string, SealKey>, keyName: string): string {
  if (LATER_HEADER.test(text)) {
    throw new StoreError(
      'ERR_REWT_RING_NEWER',
      'The keyring in the store was sealed by a newer rewt: update rewt here, or replace the keyring ' +
        'with revoke({ replace: "newer" }).',
    );
  }
  const id = sealedBy(text);
  if (id === null) throw unreadable();
  const key = keys.get(id);
  if (key === undefined) throw lacking(id, keys);
  const opened = decrypt(text, key, keyName);
  if (opened === null) throw unreadable();
  return opened;
}

/** Returns null for every text that this key did not seal under this name, letter by letter. */
function decrypt(text: string, key: SealKey, keyName: string): string | null {
  const header = headerOf(key.id);
  const bytes = decodeBase64url(text.slice(header.length));
  const start = SALT_BYTES + NONCE_BYTES;
  if (bytes === null || bytes.length < start + TAG_BYTES) return null;
  const salt = bytes.subarray(0, SALT_BYTES);
  const nonce = bytes.subarray(SALT_BYTES, start);
  const context = contextOf(header, keyName);
  // With the length of the tag: Node 20 would accept four of its bytes otherwise.
  const decipher = createDecipheriv(CIPHER, key.deriveKey(salt, context), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    // What `update` returns is not authentic until `final` has returned.
    const unproven = decipher.update(bytes.subarray(start, -TAG_BYTES));
    return Buffer.concat([unproven, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

function headerOf(id: string): string {
  return `${MARK}1.${id}.`;
}

/** Returns the additional data: the header and the name, so that neither can be exchanged. */
function contextOf(header: string, keyName: string): Buffer {
  const name = Buffer.from(keyName);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([Buffer.from(header), length, name]);
}

function unreadable(): StoreError {
  return new StoreError(
    'ERR_REWT_RING_UNREADABLE',
    'The sealed keyring in the store does not open with its key (damaged, moved from another ' +
      'namespace, or changed by another program): find out who wrote it, or replace it with ' +
      'revoke({ replace: "unreadable" }).',
  );
}

/** Names keys by their ids only, which are public, and which the header's form keeps printable. */
function lacking(id: string, keys: ReadonlyMap<string, SealKey>): StoreError {
  const ids = [...keys.keys()];
  const held = ids.length === 0 ? 'has no seal key' : `has ${ids.join(', ')}`;
  return new StoreError(
    'ERR_REWT_RING_SEALED',
    `The keyring in the store is sealed with the key ${id}; this member ${held}. Add that key to ` +
      '`sealKey`. If it is lost, replace the keyring with revoke({ replace: "sealed" }).',
  );
}
