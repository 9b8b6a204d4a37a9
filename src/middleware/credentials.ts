/**
 * The bearer token of a request's headers (RFC 6750 §2.1, RFC 9110 §11.4): exactly one in one
 * header, or the request is malformed.
 */

/**
 * The token; undefined if there are no bearer credentials; null if they are malformed. A token has
 * yet to pass `isToken`.
 */
export type Credentials = string | undefined | null;

/** The parts of a node:http or node:http2 request that are read. */
export interface NodeRequest {
  readonly headers: { readonly authorization?: string | undefined };
  /** Names and values alternate. */
  readonly rawHeaders?: readonly string[] | undefined;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** The part of the web's Headers that is read. */
export interface WebHeaders {
  get(name: string): string | null;
}

const AUTHORIZATION = 'authorization';

/** Node drops the headers after this many, including a second `Authorization`. */
const MAX_HEADERS = 1_000;

const USUAL = 'Bearer ';
const SPACE = 32;
/** The scheme in any case, spaces, and one token68 up to the end. */
const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
/** A scheme, and a space or the end. */
const credentials = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: |$)/;
/** Quoted text, in which a comma separates nothing. Runs to the end if the quotes do not close. */
const quoted = /"(?:[^"\\]|\\.|\\$)*("|$)/gs;
/**
 * After a comma, the start of further credentials: a scheme and a space, not the `=` of a
 * parameter.
 */
const further = /,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +[^ =,]/;

/**
 * Reads `Authorization`. Node silently keeps the first of two such headers, and two proxies might
 * each have read another. Only `rawHeaders` holds both.
 */
export function nodeCredentials({ headers, rawHeaders }: NodeRequest): Credentials {
  // Earlier middleware may have set or removed this header.
  const value = headers.authorization;
  if (value === undefined) return undefined;
  if (rawHeaders !== undefined && (rawHeaders.length >= 2 * MAX_HEADERS || isRepeated(rawHeaders))) return null;
  return headerCredentials(value);
}

/**
 * Reads `Authorization`. The web's Headers join repeated values with a comma, which no bearer token
 * contains.
 */
export function webCredentials(headers: WebHeaders): Credentials {
  const value = headers.get(AUTHORIZATION);
  if (value === null) return undefined;
  return headerCredentials(value);
}

/** Checks if credentials are one token68, so that the header has nothing else in it. */
export function isToken(credentials: string): boolean {
  return bearer.test(USUAL + credentials);
}

function headerCredentials(value: string): Credentials {
  // By the expression it takes ten times as long, and by startsWith() four times.
  if (value.slice(0, USUAL.length) === USUAL && value.charCodeAt(USUAL.length) !== SPACE)
    return value.slice(USUAL.length);
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
    // The length first, because it rules out most names.
    if (name === undefined || name.length !== AUTHORIZATION.length || name.toLowerCase() !== AUTHORIZATION) continue;
    if (seen) return true;
    seen = true;
  }
  return false;
}
