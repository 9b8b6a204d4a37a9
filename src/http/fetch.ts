/** All that `rewt/fetch` gives: a `fetch` that sends a token of this service with each request. */

import { OptionError } from '../errors.js';
import { isPlainObject } from '../jwt/json.js';
import { unlessAborted } from './abort.js';
import { isRefusedToken } from './refused-token.js';
import type { Signing } from './token-source.js';
import { readTargets, type TokenOptions, tokenOptionNames } from './token-targets.js';

export type { Signing } from './token-source.js';
export type { TokenOptions } from './token-targets.js';

type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = NonNullable<Parameters<Fetch>[1]>;

/** A fetch of any make. A Request reaches it as the caller gave it, so its type may be narrower than the platform's. */
type FetchBelow = { bivariant(input: string, init?: Init): Promise<Response> }['bivariant'];

export interface FetchOptions extends TokenOptions {
  /** The fetch that is called, with all that the caller gives. Default: the global one, as it is at each call. */
  fetch?: FetchBelow | undefined;
}

/**
 * Makes a fetch that sends `Authorization: Bearer` with a token for the audience of the URL, and once more with another token where the first is refused and the body can
 * be sent again. A request that has an `Authorization` already goes as it is.
 *
 * @throws {OptionError} for options that are wrong. What it returns rejects as `fetch` does, and with {StoreError} where no token can be had.
 */
export function createFetch(rewt: Signing, options: FetchOptions): Fetch {
  const { audienceOf, source } = readTargets(rewt, options, [...tokenOptionNames, 'fetch'], 'fetch options');
  const send: Fetch = asFetch(options.fetch) ?? ((input, init) => globalThis.fetch(input, init));

  return async function fetch(given, options) {
    // Copies: what the program does with its own meanwhile must not send a token elsewhere.
    const input = isObject(given) && !isRequest(given) ? String(given) : given;
    // The fetch below refuses it.
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
      // The other service has answered, and nothing better can be had.
      if (!signal?.aborted) return response;
      discard(response);
      throw error;
    }
    discard(response);
    return send(again.input, withToken(init, headers, fresh));
  };
}

function asFetch(value: unknown): Fetch | undefined {
  if (value === undefined || typeof value === 'function') return value as Fetch | undefined;
  throw new OptionError('fetch: must be a function', { option: 'fetch' });
}

/**
 * Copies all that the caller gives, because the fetch below may understand more than the platform's: `next`, `agent`, `dispatcher`.
 * Getters of a class and of a Request stand on its prototypes.
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

/** Null where it is none: then it is for the wrapped fetch to say so. */
function urlOf(input: Input): URL | null {
  const text = isRequest(input) ? input.url : String(input);
  return URL.canParse(text) ? new URL(text) : null;
}

/** By its looks: it may be of another copy of undici than the global one. */
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

/** Not by another origin, to which a redirect led: it was sent no token. Nor by an origin that the fetch below does not name. */
function isRefusedHere(response: Response, url: URL): boolean {
  if (response.status !== 401) return false;
  if (response.redirected) {
    if (!URL.canParse(response.url) || new URL(response.url).origin !== url.origin) return false;
  }
  return isRefusedToken(response.status, response.headers.get('www-authenticate'));
}

interface Repeatable {
  readonly input: Input;
  /** It was not needed. */
  drop(): void;
}

/** What is sent the second time; null where the body is gone by then. Called before the first. */
function repeatable(input: Input, init: Init | undefined): Repeatable | null {
  const body = init?.body ?? null;
  if (body !== null) return isLasting(body) ? { input, drop() {} } : null;
  if (!isRequest(input) || input.body === null) return { input, drop() {} };
  const copy = input.clone();
  return { input: copy, drop: () => discard(copy) };
}

/** Whether a body can be read twice: not a stream, an iterator, or what is unknown. The FormData of the package form-data is a stream of Node's. */
function isLasting(body: unknown): boolean {
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return true;
  if (typeof Reflect.get(Object(body), 'pipe') === 'function') return false;
  return /^\[object (?:ArrayBuffer|Blob|File|FormData|URLSearchParams)\]$/.test(Object.prototype.toString.call(body));
}

/** Ends a body that is not read, however long it is, so that its connection is free. In node-fetch it is a stream of Node's. */
function discard({ body }: { readonly body: object | null }): void {
  const stream = body as { cancel?: () => Promise<void>; destroy?: () => void } | null;
  if (stream?.cancel) stream.cancel().catch(() => {});
  else stream?.destroy?.();
}
