/** Finds the bearer token in a request's headers (RFC 6750 §2.1, RFC 9110 §11.4): one, in one header, or the request is malformed. */

/** The token; undefined where there are no credentials for us, null where there are and cannot be read. */
export type Credentials = string | undefined | null;

/** What we need of a request of node:http, node:http2 and whatever is built on them. */
export interface NodeRequest {
  readonly headers: { readonly authorization?: string | undefined };
  /** Names and values in turns. */
  readonly rawHeaders?: readonly string[] | undefined;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** What we need of the web's Headers. */
export interface WebHeaders {
  get(name: string): string | null;
}

const AUTHORIZATION = 'authorization';

/** After so many headers Node drops what follows, a second `Authorization` too. */
const MAX_HEADERS = 1_000;

/** The scheme in any case, spaces, and then one token68 up to the end. */
const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
/** A scheme as such, and what follows it, if anything. */
const credentials = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: |$)/;
/** Text in quotes, in which a comma separates nothing; to the end if they do not close. */
const quoted = /"(?:[^"\\]|\\.|\\$)*("|$)/gs;
/** After a comma, what looks like the start of other credentials: a scheme and a space, where a parameter has a `=`. */
const further = /,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +[^ =,]/;

/** Node keeps the first of two such headers and tells nobody, so that two proxies could each have looked at another one: only `rawHeaders` has both. */
export function nodeCredentials({ headers, rawHeaders }: NodeRequest): Credentials {
  // What stands here may have been put there, or taken away, by whoever had the request before.
  const value = headers.authorization;
  if (value === undefined) return undefined;
  if (rawHeaders !== undefined && (rawHeaders.length >= 2 * MAX_HEADERS || isRepeated(rawHeaders))) return null;
  return headerCredentials(value);
}

/** The web's Headers join values with a comma, which no bearer token has. */
export function webCredentials(headers: WebHeaders): Credentials {
  const value = headers.get(AUTHORIZATION);
  if (value === null) return undefined;
  return headerCredentials(value);
}

function headerCredentials(value: string): Credentials {
  const token = bearer.exec(value)?.[1];
  if (token !== undefined) return token;
  const unquoted = value.replace(quoted, (_, end) => (end === '' ? '"' : ''));
  if (unquoted.includes('"') || further.test(unquoted)) return null;
  const scheme = credentials.exec(value)?.[1];
  if (scheme === undefined || scheme.toLowerCase() === 'bearer') return null;
  return undefined;
}

function isRepeated(rawHeaders: readonly string[]): boolean {
  let seen = false;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    // The length first: it spares most names the rest.
    if (name === undefined || name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}
