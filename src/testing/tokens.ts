/** Ready-made tokens, valid and invalid, that a service may receive. */

import { createHmac, randomBytes } from 'node:crypto';
import type { Rewt, SignOptions } from '../index.js';

/** Makes a token of the given claims, by default `{}`, with the options of `sign`. */
export type TokenMaker = (claims?: object, options?: SignOptions) => Promise<string>;

/**
 * Each comment names the result of `verify`. For other cases, such as a claim that your service
 * requires, write your own test.
 */
export interface TestTokens {
  /** Accepted. */
  readonly valid: TokenMaker;
  /** Its `exp` was an hour ago: `ERR_REWT_EXPIRED`. */
  readonly expired: TokenMaker;
  /** Its `nbf` is in an hour: `ERR_REWT_NOT_ACTIVE`. */
  readonly notYetActive: TokenMaker;
  /** For an unknown audience: `ERR_REWT_CLAIM_MISMATCH` if you require one, else accepted. */
  readonly wrongAudience: TokenMaker;
  /** By an unknown issuer: `ERR_REWT_CLAIM_MISMATCH` if you require one, else accepted. */
  readonly wrongIssuer: TokenMaker;
  /** Signed with a foreign secret, under the kid of yours: `ERR_REWT_BAD_SIGNATURE`. */
  readonly forged: TokenMaker;
  /** Signed with the right secret; its `sub` was changed afterwards: `ERR_REWT_BAD_SIGNATURE`. */
  readonly altered: TokenMaker;
  /**
   * Signed with a secret that no longer signs, but still verifies: accepted. Each call rotates the
   * keyring; a keyring has room for about 30.
   */
  readonly retired: TokenMaker;
  /**
   * Signed with a secret that no member has, like all tokens after `revoke()`:
   * `ERR_REWT_UNKNOWN_KEY`.
   */
  readonly unknownSecret: TokenMaker;
  /** Not a token: `ERR_REWT_MALFORMED`. */
  readonly malformed: TokenMaker;
}

/** The members that sign; the last belongs to another keyring. */
export interface Signers {
  readonly member: Rewt;
  /** A member whose clock is so far behind that its tokens have already expired. */
  readonly behind: Rewt;
  /** A member whose clock is an hour ahead. */
  readonly ahead: Rewt;
  /** A member of another keyring. */
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
      const signed = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const altered = Buffer.from(JSON.stringify({ ...signed, sub: 'somebody-else' })).toString('base64url');
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
