/** The one table from what is wrong with a request to how it is answered (RFC 6750 §3): status, challenge, body. */

import { OptionError } from '../errors.js';
import { isPlainObject } from '../jwt/json.js';
import { optionReader } from '../option-values.js';

/** What can be answered in place of a route. */
export interface Answer {
  /** From 200 to 599. */
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** The names of errors: RFC 6750 §3.1, and those for which it has none. */
export type ErrorName =
  | 'unauthorized'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable'
  | 'server_error';

/** An answer in place of the route's. Its body says nothing of why a token was refused: that is for logs, and not for the client. */
export class ErrorResponse implements Answer {
  readonly status: number;
  readonly error: ErrorName;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Why a token is refused, or why the store cannot be used; undefined if the request itself is at fault, or `authorize` says no. */
  readonly cause: Error | undefined;

  constructor(status: number, error: ErrorName, { headers = {}, body = '' }: Omit<Answer, 'status'>, cause?: Error) {
    this.status = status;
    this.error = error;
    this.headers = Object.freeze({
      ...(body === '' ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
      'cache-control': 'no-store',
      ...headers,
    });
    this.body = body;
    this.cause = cause;
    Object.freeze(this);
  }

  /** The same answer for the log of its request. */
  because(cause: Error): ErrorResponse {
    return new ErrorResponse(this.status, this.error, this, cause);
  }
}

export interface ErrorResponses {
  /** No credentials, or those of another scheme. */
  readonly missing: ErrorResponse;
  /** Credentials in no form that RFC 6750 §2.1 knows, or twice. */
  readonly malformed: ErrorResponse;
  /** The token is refused. */
  readonly refused: ErrorResponse;
  /** The token is good, and not enough. */
  readonly forbidden: ErrorResponse;
  /** The store cannot be used, which says nothing about the token. */
  readonly unavailable: ErrorResponse;
}

export const CHALLENGE = 'www-authenticate';

/** Headers that describe a body, and so the one of another answer, if other middleware has set them before. */
export const bodyHeaders = Object.freeze([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-disposition',
  'content-md5',
  'content-digest',
  'repr-digest',
  'transfer-encoding',
  'trailer',
  'etag',
  'last-modified',
  'expires',
]);

/** Adds our challenge to those of other schemes (RFC 9110 §11.6.1): a client takes the one that it knows. */
export function besideOthers(others: unknown, challenge: string): string | string[] {
  const list = [others].flat().filter((other) => typeof other === 'string' && other !== '');
  return list.length === 0 ? challenge : [...(list as string[]), challenge];
}

/** The answer to a program that fails after its request was let in. */
export const failure = json(500, 'server_error');

/** A member notices within this time that its store is back. */
const RETRY_AFTER_SECONDS = 2;

/** Made once at set-up: a refused request costs no text that has to be put together. */
export function createErrorResponses(realm: string, scope: string | undefined): ErrorResponses {
  const bare = `Bearer realm="${realm}"`;
  const needed = scope === undefined ? '' : `, scope="${scope}"`;
  const challenged = (status: number, error: ErrorName, more = ''): ErrorResponse =>
    json(status, error, { [CHALLENGE]: `${bare}, error="${error}"${more}` });
  return Object.freeze({
    // RFC 6750 §3.1: a request without credentials is told of no error.
    missing: json(401, 'unauthorized', { [CHALLENGE]: bare }),
    malformed: challenged(400, 'invalid_request'),
    refused: challenged(401, 'invalid_token'),
    forbidden: challenged(403, 'insufficient_scope', needed),
    // No challenge: another token would help as little.
    unavailable: json(503, 'temporarily_unavailable', { 'retry-after': String(RETRY_AFTER_SECONDS) }),
  });
}

function json(status: number, error: ErrorName, headers: Readonly<Record<string, string>> = {}): ErrorResponse {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return new ErrorResponse(status, error, { headers: { ...type, ...headers }, body: JSON.stringify({ error }) });
}

/**
 * Reads what `onRefused` answers in place of `usual`: nothing, or an answer that every framework can give.
 *
 * @throws {OptionError} for anything else.
 */
export function readAnswer(raw: unknown, usual: ErrorResponse): ErrorResponse {
  if (raw === undefined || raw === null) return usual;
  // With those that the usual answer has, of which one may be made.
  const option = optionReader(raw, ['status', 'headers', 'body', 'error', 'cause'], 'onRefused');
  const status = option('status', asStatus, 0);
  if (status === 0) throw new OptionError('onRefused: its answer needs a status', { option: 'onRefused' });
  const body = option('body', asBody, '');
  // The framework writes the length that the body really has.
  const omitted = ['content-length', 'transfer-encoding', ...(hasBody(status) ? [] : ['content-type'])];
  const given = Object.entries(option('headers', asHeaders, {}));
  const headers = Object.fromEntries(given.filter(([name]) => !omitted.includes(name)));
  return new ErrorResponse(status, usual.error, { headers, body: hasBody(status) ? body : '' }, usual.cause);
}

/** Checks if an answer with this status may have a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5): frameworks differ in what they do with one. */
export function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

function asStatus(value: unknown, option: string): number {
  if (Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599) return value as number;
  throw new OptionError(`onRefused, ${option}: must be a whole number from 200 to 599`, { option: 'onRefused' });
}

function asBody(value: unknown, option: string): string {
  if (typeof value === 'string') return value;
  throw new OptionError(`onRefused, ${option}: must be a string, such as JSON.stringify gives`, {
    option: 'onRefused',
  });
}

/** What ends no header from within, and what no platform refuses later. */
function asHeaders(value: unknown, option: string): Readonly<Record<string, string>> {
  const entries = isPlainObject(value) ? Object.entries(value) : [['', '']];
  const areRight = entries.every(
    ([name, text]) =>
      /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(String(name)) &&
      typeof text === 'string' &&
      /^[\t -~\u0080-\u00ff]*$/.test(text),
  );
  if (areRight) return Object.fromEntries(entries.map(([name, text]) => [String(name).toLowerCase(), text as string]));
  throw new OptionError(`onRefused, ${option}: must be names and values of headers; encodeURI() makes a URL one`, {
    option: 'onRefused',
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
