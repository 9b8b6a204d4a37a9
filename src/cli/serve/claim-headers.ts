/**
 * The claims of a verified token as headers for a proxy to forward: all of them as signed, and
 * single ones that fit into a header.
 */

import { OptionError } from '../../errors.js';
import { hasRoundedNumber } from '../../jwt/json.js';
import type { JwtClaims } from '../../jwt/registered-claims.js';

/** A header with one claim in it. */
export interface ClaimHeader {
  readonly header: string;
  readonly claim: string;
}

/**
 * The header with all claims, as in the token: JSON in base64url. They are neither rounded nor
 * longer than the token.
 */
const ALL_CLAIMS = 'x-rewt-claims';

/** Reads each `X-User=sub`. @throws {OptionError} */
export function parseClaimHeaders(texts: readonly string[]): readonly ClaimHeader[] {
  const headers = texts.map(parseClaimHeader);
  if (new Set(headers.map(({ header }) => header)).size === headers.length) return headers;
  throw new OptionError('--header: the same header twice; it can have one claim', { option: 'header' });
}

function parseClaimHeader(text: string): ClaimHeader {
  const [, header, claim] = /^(x-[a-z0-9-]{1,62})=(.{1,100})$/i.exec(text) ?? [];
  if (header === undefined || claim === undefined || header.toLowerCase() === ALL_CLAIMS) {
    throw new OptionError(
      "--header: must be a header that begins with X-, '=', and the claim to put into it, such as " +
        `X-User=sub; ${ALL_CLAIMS} is always there`,
      { option: 'header' },
    );
  }
  return { header: header.toLowerCase(), claim };
}

/**
 * Returns every requested header, even an empty one: if a header is absent, some proxies forward
 * the client's own under that name. The value is empty for an absent claim, for any value but a
 * text, a whole number up to 2^53 - 1 or a boolean, and for text that a header cannot contain. All
 * claims together still contain it. If JSON rounds a number of the token, no number becomes a
 * header: a fraction could look like a whole number.
 *
 * @param token the one that the claims were read from.
 */
export function headersOf(
  token: string,
  claims: JwtClaims,
  wanted: readonly ClaimHeader[],
): Readonly<Record<string, string>> {
  const [, payload = ''] = token.split('.');
  const headers: Record<string, string> = { [ALL_CLAIMS]: payload };
  const values = wanted.map(({ claim }) => (Object.hasOwn(claims, claim) ? claims[claim] : undefined));
  const areRounded =
    values.some((value) => typeof value === 'number') && hasRoundedNumber(Buffer.from(payload, 'base64url').toString());
  for (const [at, { header }] of wanted.entries()) {
    const value = values[at];
    headers[header] = areRounded && typeof value === 'number' ? '' : textOf(value);
  }
  return headers;
}

function textOf(value: unknown): string {
  // A service may parse the header as JSON, with no more digits than ours.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return '';
  if (!['string', 'number', 'boolean'].includes(typeof value)) return '';
  const text = String(value);
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text) ? text : '';
}
