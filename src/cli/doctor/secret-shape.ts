/** The quality of a secret, without any of its text. Pure. */

import { isUsableSecret } from '../../keyring/secret.js';

/**
 * 'uuid': as the original rewt makes them. 'weak': of few different characters, or in an order.
 * 'words': of a language. 'edges': begins or ends with unintended characters. 'unusable': no member
 * signs with it.
 */
export type SecretShape = 'good' | 'uuid' | 'weak' | 'words' | 'edges' | 'unusable';

/** Random text has more different characters than this. */
const FEWEST_CHARACTERS = 10;
/**
 * The maximum share of neighbours that are equal or consecutive. In random text it is one in five
 * at most.
 */
const MAX_ORDERED = 1 / 2;
/** The minimum share of vowels among the letters of a language. In random text it is a fifth. */
const MIN_VOWELS = 0.28;

export function shapeOf(secret: string | null): SecretShape {
  if (!isUsableSecret(secret)) return 'unusable';
  if (/^[\s"'\ufeff]|[\s"'\ufeff]$/.test(secret)) return 'edges';
  if (isUuid(secret)) return 'uuid';
  if (new Set(secret).size < FEWEST_CHARACTERS || isOrdered(secret) || isRepeated(secret)) return 'weak';
  return isWords(secret) ? 'words' : 'good';
}

export function isUuid(secret: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(secret);
}

/** Checks for an order as in 0123456789, abcdef, aaaa. */
function isOrdered(secret: string): boolean {
  const steps = [...secret.slice(1)].filter(
    (_, index) => Math.abs(secret.charCodeAt(index + 1) - secret.charCodeAt(index)) <= 1,
  );
  return steps.length >= (secret.length - 1) * MAX_ORDERED;
}

/** Checks for a shorter text, repeated. */
function isRepeated(secret: string): boolean {
  return Array.from({ length: Math.floor(secret.length / 2) }, (_, index) => index + 1).some((period) =>
    secret.slice(period).startsWith(secret.slice(0, -period)),
  );
}

/**
 * Checks for letters of mostly one case, with the vowels of a language, perhaps with digits at the
 * end.
 */
function isWords(secret: string): boolean {
  const text = secret.replace(/[^a-z]+$/i, '');
  const letters = text.replace(/[ _.,!'-]+/g, '');
  if (letters.length < secret.length / 2 || /[^a-z]/i.test(letters)) return false;
  const upper = letters.replace(/[a-z]/g, '').length;
  const vowels = letters.replace(/[^aeiou]/gi, '').length;
  return Math.min(upper, letters.length - upper) <= letters.length / 4 && vowels >= letters.length * MIN_VOWELS;
}
