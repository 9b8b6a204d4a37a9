/**
 * The explanation of a token: its parts, its times, the secret that signed it, and the verdict. No
 * result contains its signature. Pure.
 */

import { isRefusal } from '../../jwt/authenticate.js';
import { parseObject } from '../../jwt/json.js';
import { createMac, macMatches } from '../../jwt/mac.js';
import { readToken } from '../../jwt/token.js';
import { createCopy } from '../../keyring/copy.js';
import { isUsableSecret, kidOf } from '../../keyring/secret.js';
import type { Entries, Found } from './found.js';

/** Members with the default of `maxTokenBytes` reject longer tokens. */
const MAX_TOKEN_BYTES = 8_192;

export interface Explained {
  /** The text in the token; null if it cannot be decoded. */
  readonly header: string | null;
  readonly payload: string | null;
  readonly times: { readonly iat: Date | null; readonly nbf: Date | null; readonly exp: Date | null };
  readonly secret: SecretOfToken;
}

export interface SecretOfToken {
  /**
   * 'unknown': no secret of this keyring has the kid, or fits a token without one. 'adopted': K,
   * which has no ring yet. 'none': the token is malformed, and its header names no secret.
   */
  readonly is: 'current' | 'next' | 'retired' | 'adopted' | 'unknown' | 'none';
  /** The kid of the secret if one was found, else of the token's header; null: it names none. */
  readonly kid: string | null;
  /** Null for next, which has no end, and if there is no secret. */
  readonly verifiesUntil: Date | null;
  /** True if the signature is right. Otherwise no part of the token is trustworthy. */
  readonly signed: boolean;
}

export function explain(token: string, entries: Entries, { ring }: Found): Explained {
  const [headerPart = '', payloadPart = ''] = token.split('.');
  const [header, payload] = [headerPart, payloadPart].map((part) => {
    const text = Buffer.from(part, 'base64url').toString('utf8');
    return part === '' ? null : text;
  }) as [string | null, string | null];
  return { header, payload, times: timesIn(payload), secret: secretOf(token, header, entries, ring) };
}

function secretOf(
  token: string,
  header: string | null,
  { key, ring: text }: Entries,
  ring: Found['ring'],
): SecretOfToken {
  const parsed = readToken(token, MAX_TOKEN_BYTES);
  // A truncated token, for example from a log, still names its secret.
  const named = isRefusal(parsed) ? parseObject(header ?? '')?.kid : parsed.kid;
  const kid = typeof named === 'string' ? named : null;
  if (isRefusal(parsed) && kid === null) return { is: 'none', kid, verifiesUntil: null, signed: false };
  const { signedPart, signature } = isRefusal(parsed) ? { signedPart: '', signature: '' } : parsed;
  const candidates = ring === null ? [] : createCopy(ring).keys;
  const fits = (one: (typeof candidates)[number]): boolean => macMatches(one.mac, signedPart, signature);
  const found = candidates.find((one) => (kid === null ? fits(one) : one.kid === kid));
  if (found !== undefined) {
    const { role, verifiesUntilMs } = found;
    const verifiesUntil = verifiesUntilMs === Number.POSITIVE_INFINITY ? null : new Date(verifiesUntilMs);
    return { is: role, kid: found.kid, verifiesUntil, signed: fits(found) };
  }
  if (text === null && key !== null && isUsableSecret(key.value) && (kid === null || kid === kidOf(key.value))) {
    const signed = macMatches(createMac(Buffer.from(key.value)), signedPart, signature);
    const end = key.expiresAtMs === null ? null : new Date(key.expiresAtMs);
    if (kid !== null || signed) return { is: 'adopted', kid: kidOf(key.value), verifiesUntil: end, signed };
  }
  return { is: 'unknown', kid, verifiesUntil: null, signed: false };
}

function timesIn(payload: string | null): Explained['times'] {
  const claims = (payload === null ? null : parseObject(payload)) ?? {};
  const dateOf = (name: string): Date | null => {
    const seconds = claims[name];
    const date = new Date(typeof seconds === 'number' ? seconds * 1_000 : Number.NaN);
    return Number.isNaN(date.getTime()) ? null : date;
  };
  return { iat: dateOf('iat'), nbf: dateOf('nbf'), exp: dateOf('exp') };
}
