/** A seal key: the 32 bytes that seal a keyring, their public name, and their text form. */

import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { OptionError } from '../errors.js';
import { decodeBase64url } from '../jwt/encoding.js';

const KEY_BYTES = 32;
const ID_BYTES = 8;
/** Lets a scanner for leaked secrets recognise the text. */
const TEXT_PREFIX = 'rewtsk_';

/**
 * A seal key whose bytes neither `inspect` nor JSON nor an error can print: they are in a
 * `KeyObject`, in a private field.
 */
export class SealKey {
  /**
   * The public name of the key: 11 characters of base64url that reveal nothing about it. Every
   * reader of the store sees it, so no comparison of ids has to take constant time.
   */
  readonly id: string;
  readonly #key: KeyObject;

  /** @param bytes are copied. */
  constructor(bytes: Uint8Array) {
    this.#key = createSecretKey(bytes);
    this.id = createHmac('sha256', this.#key)
      .update('rewt seal kid')
      .digest()
      .subarray(0, ID_BYTES)
      .toString('base64url');
    Object.freeze(this);
  }

  /**
   * Derives the cipher's key for one write (32 bytes): AES-GCM allows too few random nonces under
   * one key for a store that others can write to.
   *
   * @param salt the random bytes of this write
   * @param context what the write is bound to
   */
  deriveKey(salt: Uint8Array, context: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update('rewt seal 1').update(salt).update(context).digest();
  }
}

/**
 * Reads a seal key: 32 bytes, which are copied, or the text that `createSealKey` returns.
 *
 * @param name the option, as the error names it
 * @throws {OptionError} for everything else. Bytes that are all printable, or all equal, are
 * refused too: they are a passphrase, the hexadecimal digits of a key, or a placeholder.
 */
export function readSealKey(value: unknown, name: string): SealKey {
  const bytes = typeof value === 'string' ? bytesOfText(value) : bytesOf(value);
  if (bytes === null) {
    throw new OptionError(
      `${name}: must be 32 random bytes, or a text of '${TEXT_PREFIX}' and 43 characters. Make one with: rewt seal-key`,
      { option: name },
    );
  }
  if (bytes.every((byte) => byte === bytes[0]) || bytes.every(isPrintable)) {
    throw new OptionError(
      `${name}: is a placeholder, a passphrase or another text, and not random. Make a key with: rewt seal-key`,
      { option: name },
    );
  }
  return new SealKey(bytes);
}

/**
 * Returns the text form of a new key.
 *
 * @param random returns so many random bytes.
 */
export function createSealKey(random: (bytes: number) => Buffer): string {
  return TEXT_PREFIX + random(KEY_BYTES).toString('base64url');
}

/** Returns the bytes of a key's text form; null for every other text. */
function bytesOfText(text: string): Uint8Array | null {
  return text.startsWith(TEXT_PREFIX) ? bytesOf(decodeBase64url(text.slice(TEXT_PREFIX.length))) : null;
}

/** Returns 32 bytes, null for every other value. Accepts arrays of another realm, as in Jest. */
function bytesOf(value: unknown): Uint8Array | null {
  if (!ArrayBuffer.isView(value) || value.byteLength !== KEY_BYTES) return null;
  return Object.prototype.toString.call(value) === '[object Uint8Array]' ? (value as Uint8Array) : null;
}

/** Tests for the bytes of ASCII text. 32 random bytes are all of them once in 10^13 keys. */
function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || (byte >= 0x09 && byte <= 0x0d);
}
