/** Tokens as a service may be sent them, good and bad, ready-made. */

import { createHmac, randomBytes } from 'node:crypto';
import type { Rewt, SignOptions } from '../index.js';

/** Makes a token of the claims that it is given, which are `{}` by default, with the options of `sign`. */
export type TokenMaker = (claims?: object, options?: SignOptions) => Promise<string>;

/** For each the answer of `verify`; what is none of these is your own business, such as a claim that your service wants. */
export interface TestTokens {
  /** Accepted. */
  readonly valid: TokenMaker;
  /** Its `exp` was an hour ago: `ERR_REWT_EXPIRED`. */
  readonly expired: TokenMaker;
  /** Its `nbf` is in an hour: `ERR_REWT_NOT_ACTIVE`. */
  readonly notYetActive: TokenMaker;
  /** For an audience that nobody has: `ERR_REWT_CLAIM_MISMATCH` where you ask for one, else accepted. */
  readonly wrongAudience: TokenMaker;
  /** By an issuer that nobody is: `ERR_REWT_CLAIM_MISMATCH` where you ask for one, else accepted. */
  readonly wrongIssuer: TokenMaker;
  /** Signed with a secret of somebody's own, under the kid of yours: `ERR_REWT_BAD_SIGNATURE`. */
  readonly forged: TokenMaker;
  /** Signed with the right secret, and its `sub` changed afterwards: `ERR_REWT_BAD_SIGNATURE`. */
  readonly altered: TokenMaker;
  /** Signed with a secret that no longer signs, and still verifies: accepted. It rotates the keyring to make it so, each time; a keyring has room for about 30. */
  readonly retired: TokenMaker;
  /** Signed with a secret that no member has, as all are after `revoke()`: `ERR_REWT_UNKNOWN_KEY`. */
  readonly unknownSecret: TokenMaker;
  /** No token at all: `ERR_REWT_MALFORMED`. */
  readonly malformed: TokenMaker;
}

/** Who signs: members of the keyring, but for the last. */
export interface Signers {
  readonly member: Rewt;
  /** One whose clock is so far behind that whatever it signs has expired. */
  readonly behind: Rewt;
  /** One whose clock is an hour ahead. */
  readonly ahead: Rewt;
  /** Of another keyring. */
  readonly stranger: Rewt;
}

const NOBODY = 'https://nobody.invalid';

export function createTestTokens({ member, behind, ahead, stranger }: Signers): TestTokens {
  return {
    valid: (claims = {}, options) => member.sign(claims, options),
    expired: (claims = {}, options) => behind.sign(claims, options),
    notYetActive: (claims = {}, options) => ahead.sign(claims, { ...options, notBefore: options?.notBefore ?? 0 }),
    wrongAudience: (claims = {}, options) => member.sign(without('aud', claims), { ...options, audience: NOBODY }),
    wrongIssuer: (claims = {}, options) => member.sign(without('iss', claims), { ...options, issuer: NOBODY }),
    async forged(claims = {}, options) {
      const [header, payload] = (await member.sign(claims, options)).split('.');
      const signature = createHmac('sha256', randomBytes(32)).update(`${header}.${payload}`).digest('base64url');
      return `${header}.${payload}.${signature}`;
    },
    async altered(claims = {}, options) {
      const [header, payload = '', signature] = (await member.sign(claims, options)).split('.');
      const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const altered = Buffer.from(JSON.stringify({ ...said, sub: 'somebody-else' })).toString('base64url');
      return `${header}.${altered}.${signature}`;
    },
    async retired(claims = {}, options) {
      const token = await member.sign(claims, options);
      await member.rotate({ force: true });
      return token;
    },
    unknownSecret: (claims = {}, options) => stranger.sign(claims, options),
    malformed: async () => 'this.is.no-token',
  };
}

function without(name: string, claims: object): object {
  return Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
}
