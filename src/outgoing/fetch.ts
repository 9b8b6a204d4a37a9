/** `rewt/fetch`: a `fetch` that sends a token of this service with each request. */

import { OptionError } from '../errors.js';
import { isPlainObject } from '../validation/plain-object.js';
import { unlessAborted } from './abort.js';
import { isRefusedToken } from './challenge.js';
import { readTargets, type TokenOptions } from './targets.js';
import type { Signing } from './token-source.js';

export type { TokenOptions } from './targets.js';
export type { Signing } from './token-source.js';

type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = NonNullable<Parameters<Fetch>[1]>;

/**
 * A fetch of any implementation. A Request is passed on as the caller gave it, so its type may be
 * narrower than the platform's.
 */
type FetchBelow = { bivariant(input: string, init?: Init): Promise<Response> }['bivariant'];

/** Options of `createFetch`. */
export interface FetchOptions extends TokenOptions {
  /**
   * The fetch that is called, with all arguments of the caller. Default: the global one at the time
   * of each call.
   */
  fetch?: FetchBelow | undefined;
}

/**
 * Makes a fetch that sends `Authorization: Bearer` with a token for the audience of the URL. If the
 * service rejects the token and the body can be sent again, it retries once with another token. A
 * request that has an `Authorization` already is sent unchanged.
 *
 * @throws {OptionError} for options that are wrong. The returned function rejects as `fetch` does,
 * and with {StoreError} if it can get no token.
 *
 * @example
 * ```ts
 * import { createFetch } from 'rewt/fetch';
 *
 * const fetch = createFetch(rewt, { audience: { 'https://orders.example': 'orders' } });
 * const response = await fetch('https://orders.example/list');
 * ```
 */
export function createFetch(rewt: Signing, options: FetchOptions): Fetch {
  const { audienceOf, source } = readTargets(rewt, options, { fetch: readFetch }, 'fetch options');
  const send: Fetch = readFetch(options.fetch) ?? ((input, init) => globalThis.fetch(input, init));

  return async function fetch(given, options) {
    // Copies: a later change by the caller must not send a token to another service.
    const input = isObject(given) && !isRequest(given) ? String(given) : given;
    // The wrapped fetch rejects these options.
    if (!isObject(options ?? {})) return send(input, options);
    const init = copyOf(options);
    const url = urlOf(input);
    const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined));
    const audience = url === null || headers.has('authorization') ? null : audienceOf(url);
    if (url === null || audience === null) return send(input, init);

    const signal = init?.signal === undefined && isRequest(input) ? input.signal : init?.signal;
    const token = await unlessAborted(source.tokenFor(audience), signal);
    const again = repeatable(input, init);
    const response = await send(input, withToken(init, headers, token));
    if (again === null || !isRefusedHere(response, url)) {
      again?.drop();
      return response;
    }
    let fresh: string;
    try {
      fresh = await unlessAborted(source.tokenInPlaceOf(token, audience), signal);
    } catch (error) {
      again.drop();
      // The service has answered, and no better answer is available.
      if (!signal?.aborted) return response;
      discard(response);
      throw error;
    }
    discard(response);
    return send(again.input, withToken(init, headers, fresh));
  };
}

function readFetch(value: unknown): Fetch | undefined {
  if (value === undefined || typeof value === 'function') return value as Fetch | undefined;
  throw new OptionError('fetch: must be a function', { option: 'fetch' });
}

/**
 * Copies all that the caller gave, because the wrapped fetch may have more options than the
 * platform's: `next`, `agent`, `dispatcher`. Getters of a class and of a Request are on its
 * prototypes.
 */
function copyOf(init: Init | undefined): Init | undefined {
  if (init === undefined || init === null) return undefined;
  if (isPlainObject(init)) return { ...init } as Init;
  const names = new Set<PropertyKey>();
  for (let level: object = init; Object.getPrototypeOf(level) !== null; level = Object.getPrototypeOf(level)) {
    for (const name of Reflect.ownKeys(level)) if (name !== 'constructor') names.add(name);
  }
  return Object.fromEntries([...names].map((name) => [name, Reflect.get(init, name)])) as Init;
}

/** Returns the URL, or null if it is invalid: the wrapped fetch then reports the error. */
function urlOf(input: Input): URL | null {
  const text = isRequest(input) ? input.url : String(input);
  return URL.canParse(text) ? new URL(text) : null;
}

/**
 * Checks the shape, because the Request may come from another copy of undici than the global one.
 */
function isRequest(input: Input): input is Request {
  return isObject(input) && 'url' in input && 'headers' in input;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function withToken(init: Init | undefined, headers: Headers, token: string): Init {
  const own = new Headers(headers);
  own.set('authorization', `Bearer ${token}`);
  return { ...init, headers: own };
}

/**
 * Checks that this origin rejected the token. A redirect may have led to another origin, which
 * received no token. The wrapped fetch may also report no URL.
 */
function isRefusedHere(response: Response, url: URL): boolean {
  if (response.status !== 401) return false;
  if (response.redirected) {
    if (!URL.canParse(response.url) || new URL(response.url).origin !== url.origin) return false;
  }
  return isRefusedToken(response.status, response.headers.get('www-authenticate'));
}

interface Repeatable {
  readonly input: Input;
  /** Releases the copy if no retry is necessary. */
  drop(): void;
}

/** Prepares the retry, before the first request is sent. Null if the body cannot be sent again. */
function repeatable(input: Input, init: Init | undefined): Repeatable | null {
  const body = init?.body ?? null;
  if (body !== null) return isLasting(body) ? { input, drop() {} } : null;
  if (!isRequest(input) || input.body === null) return { input, drop() {} };
  const copy = input.clone();
  return { input: copy, drop: () => discard(copy) };
}

/**
 * Checks if a body can be read twice. A stream, an iterator or an unknown body cannot. The FormData
 * of the package form-data is a Node stream.
 */
function isLasting(body: unknown): boolean {
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return true;
  if (typeof Reflect.get(Object(body), 'pipe') === 'function') return false;
  return /^\[object (?:ArrayBuffer|Blob|File|FormData|URLSearchParams)\]$/.test(Object.prototype.toString.call(body));
}

/**
 * Cancels an unread body, however long it is, so that its connection becomes free. In node-fetch it
 * is a Node stream.
 */
function discard({ body }: { readonly body: object | null }): void {
  const stream = body as { cancel?: () => Promise<void>; destroy?: () => void } | null;
  if (stream?.cancel) stream.cancel().catch(() => {});
  else stream?.destroy?.();
}
