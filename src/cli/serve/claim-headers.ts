/** The claims of a good token as headers, for a proxy to hand on. */

import { OptionError } from '../../errors.js';
import type { JwtClaims } from '../../jwt/registered-claims.js';

/** A header with one claim in it. */
export interface ClaimHeader {
  readonly header: string;
  readonly claim: string;
}

/** All claims: JSON in base64url, so that whatever is in it is safe in a header. */
export const ALL_CLAIMS = 'x-rewt-claims';

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
      `--header: must be a header that begins with X-, '=', and the claim to put into it, such as X-User=sub; ${ALL_CLAIMS} is always there`,
      { option: 'header' },
    );
  }
  return { header: header.toLowerCase(), claim };
}

/**
 * Each header that is wanted is there, if need be with nothing in it: some proxies let what the client sent under its name through where the answer has none.
 * Nothing is what a claim becomes that is absent, neither text, number nor truth value, or has what does not belong in a header; all of it is still among all claims.
 */
export function headersOf(claims: JwtClaims, wanted: readonly ClaimHeader[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = { [ALL_CLAIMS]: Buffer.from(JSON.stringify(claims)).toString('base64url') };
  for (const { header, claim } of wanted) {
    headers[header] = Object.hasOwn(claims, claim) ? textOf(claims[claim]) : '';
  }
  return headers;
}

function textOf(value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return '';
  const text = String(value);
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text) ? text : '';
}
