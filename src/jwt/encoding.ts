/**
 * Strict text encodings, each checked by doing it backwards: what comes out different was not in its one canonical form.
 *
 * Node's decoders are lenient (they skip, replace or alias what they cannot read), and one token must have one spelling only.
 */

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The bytes of unpadded base64url, or null where the text is not exactly how those bytes are written (RFC 4648 §3.3, §3.5, §5; RFC 7515 §2):
 * foreign characters, padding, white space, a length that cannot be, or bits left over at the end.
 */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/** The text of UTF-8 bytes, or null where they are not UTF-8 or begin with a byte order mark (RFC 7519 §7.2, RFC 8259 §8.1). */
export function decodeUtf8(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  return buffer.equals(Buffer.from(text, 'utf8')) && !text.startsWith(BYTE_ORDER_MARK) ? text : null;
}
