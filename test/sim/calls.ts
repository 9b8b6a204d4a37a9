/** Calls of members as they are judged, with the truth about their tokens. */

import { createHmac } from 'node:crypto';
import type { Promised } from './ledger.js';
import type { Member } from './member.js';
import type { Errand, Good } from './shown.js';

/** A token with the truth about it. */
export interface Token {
  readonly text: string;
  readonly signer: string;
  /** Undefined for a forgery. */
  readonly secret: string | undefined;
  readonly hasKid: boolean;
  /** Signed with next, by a member that could not reach the store when current ended. */
  readonly isPromoted: boolean;
  /**
   * When the secret was known to sign: for rewt the call's end, for old rewt the GET at the server.
   * True time.
   */
  readonly signedAtMs: number;
  /** When the signer's copy was sent for. True time. */
  readonly knownAtMs: number;
  /**
   * The signer was suspended and its wall clock set back: it could not know how old its copy was.
   */
  readonly isUnaware: boolean;
  /** How far the signer's wall clock was ahead. Milliseconds. */
  readonly skewMs: number;
  /** Its own `exp`, by the signer's wall clock. */
  readonly expMs: number;
  readonly lifetimeMs: number;
  /** The `overlap` that its signer has the ring grant before it. */
  readonly needsMs: number;
}

/** A member as far as it is judged. */
export type Judged = Pick<Member, 'name' | 'times' | 'machine' | 'shown' | 'bornAtMs'> & {
  readonly link: Pick<Member['link'], 'state' | 'weather' | 'soundSinceMs'>;
  readonly rewt: Pick<Member['rewt'], 'status'>;
};

/** One call as it was made. */
export interface Call {
  readonly member: Judged;
  readonly fromMs: number;
  readonly awayMs: number;
  readonly verb: 'sign' | 'verify' | Errand['verb'];
  /** What the member had to go on with when it was called. */
  readonly good: Good | null;
}

export interface Counts {
  operations: number;
  accepted: number;
  unavailable: number;
  rotations: number;
  revocations: number;
  readonly excused: Record<string, number>;
  readonly violations: Record<Promised, number>;
}

export interface Violation {
  readonly promise: Promised;
  readonly atMs: number;
  readonly text: string;
}

/** What old rewt does with a token, and everybody else who has only K. */
export function hs256(secret: string, signedPart: string): string {
  return createHmac('sha256', secret).update(signedPart).digest('base64url');
}
