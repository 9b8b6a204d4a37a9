/**
 * A second, naive reading of a token, from the RFCs and docs/adr/0010 and not from the code:
 * everything that is wrong with it.
 */

import { KIDS, LIVE_SECRETS, macBy } from './secrets.js';
import { tried } from './target.js';

/** Codes, any of which is a right answer. None: the token has to be accepted. */
export function faultsOf(token: unknown, maxBytes: number): ReadonlySet<string> {
  if (typeof token !== 'string' || token.length > maxBytes) return new Set(['ERR_REWT_MALFORMED']);
  const [first = '', second = '', third = '', ...more] = token.split('.');
  const header = headerOf(first);
  const faults = new Set<string>();
  const note = (fault: string, isThere: boolean) => isThere && faults.add(`ERR_REWT_${fault}`);
  note('MALFORMED', header === null || token.split('.').length !== 3 || more.length > 0);
  note('MALFORMED', !isBase64url(second) || !isBase64url(third) || third.length !== 43);
  if (header === null) return faults;

  const { alg, typ, kid } = header;
  note('UNSUPPORTED', alg !== 'HS256' || Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'));
  note('MALFORMED', typ !== undefined && typeof typ !== 'string');
  const isNamed = kid !== undefined;
  const isName = typeof kid === 'string' && kid !== '' && kid.length <= 256;
  note('MALFORMED', isNamed && !isName);
  const fitting = KIDS.slice(0, LIVE_SECRETS).flatMap((known, at) => (!isNamed || known === kid ? [at] : []));
  note('UNKNOWN_KEY', fitting.length === 0);
  const signedPart = `${first}.${second}`;
  note('BAD_SIGNATURE', fitting.length > 0 && !fitting.some((at) => macBy(at, signedPart) === third));
  if (faults.size > 0) return faults;

  const text = textOf(Buffer.from(second, 'base64url'));
  note('PAYLOAD_INVALID', text === null);
  const saysJwt = typeof typ === 'string' && /^(application\/)?(jwt|.*\+jwt)$/is.test(typ);
  note('PAYLOAD_INVALID', saysJwt && objectOf(text ?? '') === null);
  return faults;
}

function headerOf(segment: string): Record<string, unknown> | null {
  if (!isBase64url(segment)) return null;
  const text = textOf(Buffer.from(segment, 'base64url'));
  const header = text === null ? null : objectOf(text);
  return header !== null && membersIn(text ?? '') === Object.keys(header).length ? header : null;
}

/**
 * Without texts, and then without what is inside of what, an object has as many colons as members.
 */
function membersIn(json: string): number {
  let bare = json
    .replace(/"(?:[^"\\]|\\.)*"/gs, 's')
    .trim()
    .slice(1, -1);
  for (let before = ''; before !== bare; ) {
    before = bare;
    bare = bare.replace(/[[{][^[\]{}]*[\]}]/g, 'x');
  }
  return bare.split(':').length - 1;
}

/** RFC 4648 §5 without padding, and §3.5: no bits that are left over. */
const isBase64url = (text: string) => /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/.test(text);

function textOf(bytes: Uint8Array): string | null {
  const text = tried(() => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), '\ufeff');
  return text.startsWith('\ufeff') ? null : text;
}

export function objectOf(text: string): Record<string, unknown> | null {
  const value = tried(() => JSON.parse(text), null);
  return typeof value === 'object' && !Array.isArray(value) ? value : null;
}
