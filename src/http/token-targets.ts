/** Where tokens are sent, and for whom they then are: the options of `rewt/fetch` beside `fetch` itself. */

import { OptionError } from '../errors.js';
import { isPlainObject, type JsonObject, jsonCopy } from '../jwt/json.js';
import { mistypedClaim } from '../jwt/registered-claims.js';
import { assertNotTwice, compileSignOptions, type SignOptions, signOptionNames } from '../jwt/sign-options.js';
import { asFlag, asList, assertGiven, asText, type Given, optionReader } from '../option-values.js';
import { type Signing, TokenSource } from './token-source.js';

/** The options of `sign`, but for `audience`, hold for every token: `issuer`, `subject`, `expiresIn` and the others. */
export interface TokenOptions extends Omit<Given<SignOptions, 'issuer'>, 'audience'> {
  /**
   * Whom a token is for. By origin: `{ 'https://orders.example': 'orders' }`, and no other origin is sent one. Or one for all, best together with `to`. Or a function that is
   * given the URL, and answers undefined where no token belongs.
   */
  audience: string | Readonly<Record<string, string>> | ((url: URL) => string | undefined);
  /** The origins that are sent tokens, and no others: one or a list. Default: those of `audience`, or where that names none, all that are called. */
  to?: string | readonly string[] | undefined;
  /** Further claims of every token. Default: none. */
  claims?: object | undefined;
  /** Whether tokens are sent without encryption too, beyond this machine: for networks that encrypt by themselves. Default: false, and such a request is refused. */
  plainHttp?: boolean | undefined;
}

export interface Targets {
  /** Null where no token belongs. @throws {OptionError} where one would travel unencrypted, or the function gives no audience. */
  audienceOf(url: URL): string | null;
  readonly source: TokenSource;
}

const ownNames = ['to', 'claims', 'plainHttp'] as const;
export const tokenOptionNames = Object.freeze([...ownNames, ...signOptionNames]);

/** @throws {OptionError} for options that are wrong. */
export function readTargets(rewt: Signing, raw: object, names: readonly string[], where: string): Targets {
  const option = optionReader(raw, names, where);
  assertSigns(rewt);
  assertGiven(raw);
  const audience = option('audience', asAudience, null);
  if (audience === null) {
    throw new OptionError('audience: a token that is for nobody in particular is good at every service; say whom for', {
      option: 'audience',
    });
  }
  const to = option('to', (value, name) => new Set(asList(value, name, asOrigin)), null);
  const plainHttp = option('plainHttp', asFlag, false);
  const claims = option('claims', asClaims, {});
  const given = signOptionNames.filter((name) => name !== 'audience' && Object.hasOwn(raw, name));
  const options = Object.fromEntries(given.map((name) => [name, Reflect.get(raw, name) as unknown]));

  // Each call of sign reads them; that they are wrong is said here.
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
      return asText(wanted, 'audience');
    },
  };
}

type AudienceOf = (url: URL) => string | undefined;

function asAudience(value: unknown, option: string): AudienceOf {
  if (typeof value === 'function') return value as AudienceOf;
  if (isPlainObject(value)) {
    const byOrigin = Object.entries(value).map(([key, one]) => [asOrigin(key, option), asText(one, option)] as const);
    if (byOrigin.length === 0) throw new OptionError(`${option}: the map is empty`, { option });
    const audiences = new Map(byOrigin);
    return ({ origin }) => audiences.get(origin);
  }
  const audience = asText(value, option);
  return () => audience;
}

/** A path would be a promise that nobody keeps: tokens go to all of an origin. */
function asOrigin(value: unknown, option: string): string {
  const text = asText(value, option);
  const url = URL.canParse(text) ? new URL(text) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  // URLs may have other characters in their host, requests have not: a pattern, or a template that was not filled in.
  if (isOrigin && /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/.test(url.hostname)) return url.origin;
  throw new OptionError(
    `${option}: must be an origin such as https://orders.example, without a path; a pattern matches nothing`,
    { option },
  );
}

/** A copy that is plain JSON, with registered claims of the right types. */
function asClaims(value: unknown, option: string): JsonObject {
  const claims = isPlainObject(value) ? jsonCopy(value) : null;
  if (claims === null) throw new OptionError(`${option}: must be a plain object that JSON can write`, { option });
  const mistyped = mistypedClaim(claims);
  if (mistyped === null) return claims;
  throw new OptionError(`${option}: ${mistyped.claim} must be ${mistyped.wanted}`, { option });
}

function assertSigns(rewt: unknown): void {
  const isRewt =
    typeof rewt === 'object' &&
    rewt !== null &&
    ['sign', 'ready', 'refresh', 'status'].every((verb) => typeof Reflect.get(rewt, verb) === 'function');
  if (!isRewt) throw new OptionError('the first argument must be a Rewt', { option: 'rewt' });
}

function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
