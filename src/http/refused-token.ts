/** Whether an answer says that the token was refused (RFC 6750 §3.1), and nothing else: only then is another token of any use. */

/** One item of a list of challenges, up to a comma outside of quotes (RFC 9110 §11.6.1). No character can be matched in two ways. */
const item = /(?:[^",\\]|"(?:[^"\\]|\\.)*")+/g;
const parameter = /^([^\s="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))$/;

/** No service says as much; it bounds the work that one can cause. */
const MOST_CHARACTERS = 1_024;

/** @param challenges the values of `WWW-Authenticate`; several may stand in one, of several schemes. */
export function isRefusedToken(status: number, challenges: string | readonly string[] | null | undefined): boolean {
  if (status !== 401 || !challenges) return false;
  const list = [challenges].flat().join(',');
  if (list.length > MOST_CHARACTERS) return false;
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
