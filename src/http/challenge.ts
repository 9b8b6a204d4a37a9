/** The one table from what is wrong with a request to how it is answered (RFC 6750 §3): status, challenge, body. */

import { OptionError } from '../errors.js';

/** An answer in place of the route's. It says nothing of why a token was refused: that is for logs, not for whoever sent it. */
export class Refusal {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;

  constructor(status: number, error: string, headers: Readonly<Record<string, string>>) {
    this.status = status;
    this.headers = Object.freeze({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...headers,
    });
    this.body = JSON.stringify({ error });
    Object.freeze(this);
  }
}

export interface Refusals {
  /** No credentials, or those of another scheme. */
  readonly missing: Refusal;
  /** Credentials in no form that RFC 6750 §2.1 knows, or twice. */
  readonly malformed: Refusal;
  /** The token is refused. */
  readonly refused: Refusal;
  /** The token is good, and not enough. */
  readonly forbidden: Refusal;
  /** Nobody can tell: the store cannot be used. */
  readonly unavailable: Refusal;
}

/** A member notices within this time that its store is back. */
const RETRY_AFTER_SECONDS = 2;

/** Made once at set-up: a refused request costs no text that has to be put together. */
export function createRefusals(realm: string, scope: string | undefined): Refusals {
  const bare = `Bearer realm="${realm}"`;
  const needed = scope === undefined ? '' : `, scope="${scope}"`;
  const challenged = (status: number, error: string, more = ''): Refusal =>
    new Refusal(status, error, { 'www-authenticate': `${bare}, error="${error}"${more}` });
  return Object.freeze({
    // RFC 6750 §3.1: who brought nothing is told of no error.
    missing: new Refusal(401, 'unauthorized', { 'www-authenticate': bare }),
    malformed: challenged(400, 'invalid_request'),
    refused: challenged(401, 'invalid_token'),
    forbidden: challenged(403, 'insufficient_scope', needed),
    // No challenge: another token would help as little.
    unavailable: new Refusal(503, 'temporarily_unavailable', { 'retry-after': String(RETRY_AFTER_SECONDS) }),
  });
}

/** What may stand between quotes as it is, so that a realm can neither end its quotes nor the header (RFC 9110 §5.6.4). */
export function asRealm(value: unknown, option: string): string {
  if (typeof value === 'string' && /^[ !#-[\]-~]{1,200}$/.test(value)) return value;
  throw new OptionError(`${option}: must be 1 to 200 printable ASCII characters, no quotes and no backslashes`, {
    option,
  });
}

/** Names with one space between them (RFC 6749 §3.3). */
export function asScope(value: unknown, option: string): string {
  if (typeof value === 'string' && value.length <= 1_000 && /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/.test(value)) return value;
  throw new OptionError(
    `${option}: must be names with one space between them, such as 'orders:read orders:write': printable ASCII, no quotes and no backslashes`,
    { option },
  );
}
