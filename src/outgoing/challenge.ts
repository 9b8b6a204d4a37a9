/**
 * Detection of a response that rejects the token (RFC 6750 §3.1), because only then does another
 * token help.
 */

/**
 * One item of a list of challenges, up to a comma outside quotes (RFC 9110 §11.6.1). No character
 * can match in two ways.
 */
const item = /(?:[^",\\]|"(?:[^"\\]|\\.)*")+/g;
const parameter = /^([^\s="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))$/;

/** Bounds the work that a hostile service can cause; no real challenge is longer. */
const MAX_CHARACTERS = 1_024;

/**
 * Checks if a response rejects the token, and nothing else.
 * @param challenges the values of `WWW-Authenticate`. One value may hold several challenges, of
 * several schemes.
 */
export function isRefusedToken(status: number, challenges: string | readonly string[] | null | undefined): boolean {
  if (status !== 401 || !challenges) return false;
  const list = [challenges].flat().join(',');
  if (list.length > MAX_CHARACTERS) return false;
  let scheme = '';
  for (let part of list.match(item) ?? []) {
    part = part.trim();
    const [, word = '', rest = ''] = /^([^\s=]+)(?:\s+([^\s=].*))?$/s.exec(part) ?? [];
    if (word !== '') {
      scheme = word.toLowerCase();
      part = rest;
    }
    const [, name = '', quoted, bare] = parameter.exec(part) ?? [];
    if (scheme === 'bearer' && name.toLowerCase() === 'error') return (quoted ?? bare) === 'invalid_token';
  }
  return false;
}
