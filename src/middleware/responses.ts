/**
 * The table of error responses (RFC 6750 §3): status, challenge and body for each fault of a
 * request.
 */

import { OptionError } from '../errors.js';
import { optionReader } from '../validation/option-values.js';
import { isPlainObject } from '../validation/plain-object.js';

/** A response that replaces a route's. */
export interface Answer {
  /** From 200 to 599. */
  readonly status: number;
  /** Headers to set. Names in any case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The body. Default: none. */
  readonly body?: string | undefined;
}

/** The names of errors: those of RFC 6750 §3.1, and others for what it does not cover. */
export type ErrorName =
  | 'unauthorized'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'temporarily_unavailable'
  | 'server_error';

/**
 * An error response. Its body does not contain why a token was rejected: the reason is for logs,
 * not for the client.
 *
 * @example
 * ```ts
 * import { rewtAuth } from 'rewt/express';
 *
 * app.use(rewtAuth(rewt, { onRefused: ({ status, cause }) => console.warn(status, cause) }));
 * ```
 */
export class ErrorResponse implements Answer {
  /** The status, such as 401. */
  readonly status: number;
  /** The kind of error, as in the body. */
  readonly error: ErrorName;
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body; empty for none. */
  readonly body: string;
  /**
   * Why the token was rejected, or why the store cannot be used. Undefined if the request itself is
   * wrong, or `authorize` denied it.
   */
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

  /**
   * Returns the same response with its cause, for the request's log.
   *
   * @example
   * ```ts
   * const logged = refusal.because(new Error('the account is closed'));
   * ```
   */
  because(cause: Error): ErrorResponse {
    return new ErrorResponse(this.status, this.error, this, cause);
  }
}

export interface ErrorResponses {
  /** No credentials, or those of another scheme. */
  readonly missing: ErrorResponse;
  /** Credentials in a form that RFC 6750 §2.1 does not allow, or given twice. */
  readonly malformed: ErrorResponse;
  /** The token was rejected. */
  readonly refused: ErrorResponse;
  /** The token is valid, but does not suffice. */
  readonly forbidden: ErrorResponse;
  /** The store cannot be used; the token may be valid. */
  readonly unavailable: ErrorResponse;
}

export const CHALLENGE = 'www-authenticate';

/**
 * Headers that describe a body. If other middleware has set them, they describe another response.
 */
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

/**
 * Adds our challenge to those of other schemes (RFC 9110 §11.6.1). A client uses the one that it
 * supports.
 */
export function besideOthers(others: unknown, challenge: string): string | string[] {
  const list = [others].flat().filter((other) => typeof other === 'string' && other !== '');
  return list.length === 0 ? challenge : [...(list as string[]), challenge];
}

/** The response if a handler fails after its request was admitted. */
export const failure = json(500, 'server_error');

/** A member notices within this time that its store is available again. */
const RETRY_AFTER_SECONDS = 2;

/** Creates the responses once at set-up, so that a rejected request builds no text. */
export function createErrorResponses(realm: string, scope: string | undefined): ErrorResponses {
  const bare = `Bearer realm="${realm}"`;
  const needed = scope === undefined ? '' : `, scope="${scope}"`;
  const challenged = (status: number, error: ErrorName, more = ''): ErrorResponse =>
    json(status, error, { [CHALLENGE]: `${bare}, error="${error}"${more}` });
  return Object.freeze({
    // RFC 6750 §3.1: a request without credentials gets no error code.
    missing: json(401, 'unauthorized', { [CHALLENGE]: bare }),
    malformed: challenged(400, 'invalid_request'),
    refused: challenged(401, 'invalid_token'),
    forbidden: challenged(403, 'insufficient_scope', needed),
    // No challenge, because another token would not help.
    unavailable: json(503, 'temporarily_unavailable', { 'retry-after': String(RETRY_AFTER_SECONDS) }),
  });
}

function json(status: number, error: ErrorName, headers: Readonly<Record<string, string>> = {}): ErrorResponse {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return new ErrorResponse(status, error, { headers: { ...type, ...headers }, body: JSON.stringify({ error }) });
}

/** The result of `onRefused` may be a copy of the usual response, which has these names. */
const answerReaders = { status: readStatus, headers: readHeaders, body: readBody, error: ignore, cause: ignore };

/**
 * Reads the result of `onRefused`, which may replace `usual`: nothing, or a response that every
 * framework can send.
 *
 * @throws {OptionError} for anything else.
 */
export function readAnswer(raw: unknown, usual: ErrorResponse): ErrorResponse {
  if (raw === undefined || raw === null) return usual;
  const option = optionReader(raw, answerReaders, 'onRefused');
  const status = option('status', 0);
  if (status === 0) throw new OptionError('onRefused: its answer needs a status', { option: 'onRefused' });
  const body = option('body', '');
  // The framework writes the length of the actual body.
  const omitted = ['content-length', 'transfer-encoding', ...(hasBody(status) ? [] : ['content-type'])];
  const given = Object.entries(option('headers', {}));
  const headers = Object.fromEntries(given.filter(([name]) => !omitted.includes(name)));
  return new ErrorResponse(status, usual.error, { headers, body: hasBody(status) ? body : '' }, usual.cause);
}

/**
 * Checks if a response with this status may have a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
 * Frameworks handle such a body differently.
 */
export function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

function ignore(): void {}

function readStatus(value: unknown, option: string): number {
  if (Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599) return value as number;
  throw new OptionError(`onRefused, ${option}: must be a whole number from 200 to 599`, { option: 'onRefused' });
}

function readBody(value: unknown, option: string): string {
  if (typeof value === 'string') return value;
  throw new OptionError(`onRefused, ${option}: must be a string, such as JSON.stringify gives`, {
    option: 'onRefused',
  });
}

/**
 * Reads headers: names and values that cannot break out of a header, and that every platform
 * accepts.
 */
function readHeaders(value: unknown, option: string): Readonly<Record<string, string>> {
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

/**
 * Reads a realm that needs no escaping, so that it can end neither its quotes nor the header (RFC
 * 9110 §5.6.4).
 */
export function readRealm(value: unknown, option: string): string {
  if (typeof value === 'string' && /^[ !#-[\]-~]{1,200}$/.test(value)) return value;
  throw new OptionError(`${option}: must be 1 to 200 printable ASCII characters, no quotes and no backslashes`, {
    option,
  });
}

/** Reads scopes with one space between them (RFC 6749 §3.3). */
export function readScope(value: unknown, option: string): string {
  if (typeof value === 'string' && value.length <= 1_000 && /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/.test(value)) return value;
  throw new OptionError(
    `${option}: must be names with one space between them, such as 'orders:read orders:write': ` +
      'printable ASCII, no quotes and no backslashes',
    { option },
  );
}
