/** The options of `rewt/fetch` that select where tokens are sent, and for which audience. */

import { OptionError } from '../errors.js';
import { type JsonObject, jsonCopy } from '../jwt/json.js';
import { mistypedClaim } from '../jwt/registered-claims.js';
import { assertNotTwice, compileSignOptions, type SignOptions, signReaders } from '../jwt/sign-options.js';
import {
  assertGiven,
  type Given,
  type OptionReaders,
  optionReader,
  type Readers,
  readFlag,
  readList,
  readText,
} from '../validation/option-values.js';
import { hasMethods, isPlainObject } from '../validation/plain-object.js';
import { type Signing, TokenSource } from './token-source.js';

/**
 * Options for every token: those of `sign` except `audience`, such as `issuer`, `subject` and
 * `expiresIn`.
 */
export interface TokenOptions extends Omit<Given<SignOptions, 'issuer'>, 'audience'> {
  /**
   * The audience of the tokens. By origin: `{ 'https://orders.example': 'orders' }`; other origins
   * receive no token. One audience for all origins: set `to` as well. Or a function that receives
   * the URL, and returns undefined if the URL must receive no token.
   */
  audience: string | Readonly<Record<string, string>> | ((url: URL) => string | undefined);
  /**
   * The only origins that receive tokens: one or a list. Default: the origins that `audience`
   * names. If it names none, all origins that are called.
   */
  to?: string | readonly string[] | undefined;
  /** Additional claims of every token. Default: none. */
  claims?: object | undefined;
  /**
   * Also sends tokens without encryption to other machines: for networks that encrypt by
   * themselves. Default: false, and such a request fails.
   */
  plainHttp?: boolean | undefined;
}

export interface Targets {
  /**
   * Null if the URL must receive no token. @throws {OptionError} if a token would travel
   * unencrypted, or the function returns no audience.
   */
  audienceOf(url: URL): string | null;
  readonly source: TokenSource;
}

const readers = {
  to: readOrigins,
  claims: readClaims,
  plainHttp: readFlag,
  ...signReaders,
  audience: readAudience,
} satisfies OptionReaders<TokenOptions>;

/**
 * Reads the options.
 *
 * @param more the readers of further options that `raw` may have.
 * @throws {OptionError} for options that are wrong.
 */
export function readTargets(rewt: Signing, raw: object, more: Readers, where: string): Targets {
  const option = optionReader(raw, { ...more, ...readers }, where);
  assertSigns(rewt);
  assertGiven(raw);
  const audience = option('audience', null);
  if (audience === null) {
    throw new OptionError('audience: a token without an audience is good at every service. Name one', {
      option: 'audience',
    });
  }
  const to = option('to', null);
  const plainHttp = option('plainHttp', false);
  const claims = option('claims', {});
  const given = Object.keys(signReaders).filter((name) => name !== 'audience' && Object.hasOwn(raw, name));
  const options = Object.fromEntries(given.map((name) => [name, Reflect.get(raw, name) as unknown]));

  // Each call of sign reads them too; checking here reports a mistake at creation.
  assertNotTwice(claims, compileSignOptions({ ...options, audience: 'any' }, where));

  return {
    source: new TokenSource(rewt, claims, options),
    audienceOf(url) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
      if (to !== null && !to.has(url.origin)) return null;
      const wanted = audience(url) ?? null;
      if (wanted === null) return null;
      if (url.protocol === 'http:' && !plainHttp && !isLoopback(url.hostname)) {
        throw new OptionError(
          'a token would travel unencrypted: use https, or plainHttp: true where the network encrypts by itself',
          { option: 'plainHttp' },
        );
      }
      return readText(wanted, 'audience');
    },
  };
}

type AudienceOf = (url: URL) => string | undefined;

function readAudience(value: unknown, option: string): AudienceOf {
  if (typeof value === 'function') return value as AudienceOf;
  if (isPlainObject(value)) {
    const byOrigin = Object.entries(value).map(
      ([key, one]) => [readOrigin(key, option), readText(one, option)] as const,
    );
    if (byOrigin.length === 0) throw new OptionError(`${option}: the map is empty`, { option });
    const audiences = new Map(byOrigin);
    return ({ origin }) => audiences.get(origin);
  }
  const audience = readText(value, option);
  return () => audience;
}

function readOrigins(value: unknown, option: string): ReadonlySet<string> {
  return new Set(readList(value, option, readOrigin));
}

/** Reads an origin. A path is rejected, because tokens are sent to every path of an origin. */
function readOrigin(value: unknown, option: string): string {
  const text = readText(value, option);
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  // A URL may have other characters in its host; a request may not. Such a host is a pattern, or a
  // template without its values.
  if (isOrigin && /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(url.hostname)) return url.origin;
  throw new OptionError(
    `${option}: must be an origin such as https://orders.example, without a path; a pattern matches nothing`,
    { option },
  );
}

/** Copies the claims as plain JSON, and checks the types of registered claims. */
function readClaims(value: unknown, option: string): JsonObject {
  const claims = isPlainObject(value) ? jsonCopy(value) : null;
  if (claims === null) throw new OptionError(`${option}: must be a plain object that JSON can write`, { option });
  const mistyped = mistypedClaim(claims);
  if (mistyped === null) return claims;
  throw new OptionError(`${option}: ${mistyped.claim} must be ${mistyped.wanted}`, { option });
}

function assertSigns(rewt: unknown): void {
  if (!hasMethods(rewt, 'sign', 'ready', 'refresh', 'status'))
    throw new OptionError('the first argument must be a Rewt', { option: 'rewt' });
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
