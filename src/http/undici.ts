/** All that `rewt/undici` gives: an interceptor for undici's dispatchers that sends a token of this service with each request. */

import type { Dispatcher } from 'undici';
import { OptionError } from '../errors.js';
import { isRefusedToken } from './refused-token.js';
import type { Signing, TokenSource } from './token-source.js';
import { readTargets, type TokenOptions, tokenOptionNames } from './token-targets.js';

export type { Signing } from './token-source.js';
export type { TokenOptions } from './token-targets.js';

/**
 * Makes an interceptor for `new Agent().compose(…)`. A request that has an `Authorization` already goes as it is.
 *
 * @throws {OptionError} for options that are wrong, and for one audience without `to`: where a redirect is followed by another interceptor, this one sees a request to
 * wherever it leads.
 */
export function createInterceptor(rewt: Signing, options: TokenOptions): Dispatcher.DispatcherComposeInterceptor {
  const { audienceOf, source } = readTargets(rewt, options, tokenOptionNames, 'interceptor options');
  if (typeof options.audience === 'string' && options.to === undefined) {
    throw new OptionError('to: name the origins that are sent tokens, since a redirect may lead to any other', {
      option: 'to',
    });
  }

  return (dispatch) =>
    function sendToken(given, handler) {
      const url = urlOf(given);
      // A copy: headers can be read once only, and what the program does with its own meanwhile must not send a token elsewhere.
      const request = { ...given, headers: flat(given.headers) as string[] };
      const audience = url === null || hasAuthorization(request.headers) ? null : audienceOf(url);
      if (url === null || audience === null) return dispatch(request, handler);
      const { origin } = url;
      const sender = new Sender({ dispatch, request: { ...request, origin }, handler, source, origin, audience });
      sender.send();
      return true;
    };
}

interface Sending {
  readonly dispatch: Dispatcher.Dispatch;
  readonly request: Dispatcher.DispatchOptions & { readonly headers: readonly string[] };
  readonly handler: Dispatcher.DispatchHandler;
  readonly source: TokenSource;
  readonly origin: string;
  readonly audience: string;
}

/** One request, sent at most twice. */
class Sender implements Dispatcher.DispatchHandler {
  readonly #sending: Sending;
  #token = '';
  #mayRepeat: boolean;
  /** Where an interceptor below this one that follows redirects has been; it grows. */
  #visited: readonly URL[] = [];
  /** 'passed' on to whoever sent the request; 'held' until there is another token; 'dropped' since there is one. */
  #answer: 'passed' | 'held' | 'dropped' = 'passed';

  constructor(sending: Sending) {
    this.#sending = sending;
    this.#mayRepeat = isLasting(sending.request.body);
  }

  send(): void {
    const { source, audience } = this.#sending;
    source.tokenFor(audience).then(
      (token) => this.#dispatch(token),
      (error: Error) => this.#fail(error),
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#visited = (context as { readonly history?: readonly URL[] } | undefined)?.history ?? [];
    this.#sending.handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...upgrade: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#sending.handler.onRequestUpgrade?.(...upgrade);
  }

  onResponseStart(...start: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const { handler, source, audience } = this.#sending;
    const [controller, status, headers] = start;
    if (!this.#mayRepeat || this.#isElsewhere() || !isRefusedToken(status, headers['www-authenticate'])) {
      handler.onResponseStart?.(...start);
      return;
    }
    this.#mayRepeat = false;
    this.#answer = 'held';
    controller.pause();
    source.tokenInPlaceOf(this.#token, audience).then(
      (token) => {
        this.#token = token;
        this.#answer = 'dropped';
        controller.resume();
      },
      () => {
        // The other service has answered, and nothing better can be had.
        if (controller.aborted) return;
        this.#answer = 'passed';
        handler.onResponseStart?.(...start);
        controller.resume();
      },
    );
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#answer === 'passed') this.#sending.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...end: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    if (this.#answer === 'passed') {
      this.#sending.handler.onResponseEnd?.(...end);
      return;
    }
    this.#answer = 'passed';
    this.#dispatch(this.#token);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#sending.handler.onResponseError?.(controller, error);
  }

  /** Another origin has answered, to which a redirect led: it was sent no token. */
  #isElsewhere(): boolean {
    return this.#visited.some(({ origin }) => origin !== this.#sending.origin);
  }

  #dispatch(token: string): void {
    const { dispatch, request } = this.#sending;
    this.#token = token;
    try {
      dispatch({ ...request, headers: [...request.headers, 'authorization', `Bearer ${token}`] }, this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** Nothing was sent, so there is no controller. */
  #fail(error: Error): void {
    this.#sending.handler.onResponseError?.(null as never, error);
  }
}

/** Null where only the dispatcher knows the origin. The path is set and not resolved: `//elsewhere` is a path here, and no origin. */
function urlOf({ origin, path }: Dispatcher.DispatchOptions): URL | null {
  if (origin === undefined || !URL.canParse(String(origin))) return null;
  const url = new URL(origin);
  const [pathname = '/', query = ''] = path.split(/\?(.*)/s);
  url.pathname = pathname;
  url.search = query;
  return url;
}

/** Names and values in turns, as undici takes them in every form. */
function flat(headers: Dispatcher.DispatchOptions['headers']): unknown[] {
  if (headers === undefined || headers === null) return [];
  if (Array.isArray(headers) && !Array.isArray(headers[0])) return [...headers];
  const pairs = Symbol.iterator in headers ? [...(headers as Iterable<[string, unknown]>)] : Object.entries(headers);
  return pairs.flat();
}

function hasAuthorization(headers: readonly unknown[]): boolean {
  return headers.some((name, at) => at % 2 === 0 && String(name).toLowerCase() === 'authorization');
}

/** Whether a body can be sent twice. What fetch sends here is an iterator, always. */
function isLasting(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string' || ArrayBuffer.isView(body)) return true;
  return Object.prototype.toString.call(body) === '[object FormData]';
}
