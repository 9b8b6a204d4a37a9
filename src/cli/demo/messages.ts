/** What the processes of the demo say to each other. */

import type { Place } from './place.js';

/** From the parent to a service. */
export type Order =
  | { readonly type: 'start'; readonly place: Place; readonly serverPort: number }
  /** Set aside the tokens made so far, and go on trying them: they are about to be revoked. */
  | { readonly type: 'hold' };

/** From a service to the parent. */
export type Notice =
  /** The server takes calls. */
  | { readonly type: 'listening'; readonly port: number }
  /** This service wrote a rotation. */
  | { readonly type: 'rotated'; readonly kid: string }
  | { readonly type: 'tally'; readonly tally: Tally }
  /** That many tokens are set aside, and each verified a moment ago. */
  | { readonly type: 'holding'; readonly tokens: number };

/** What the caller has seen so far. */
export interface Tally {
  /** Calls that were answered with a yes. */
  readonly calls: number;
  readonly refusedByRotation: number;
  /** Calls in flight at the revocation: refused, signed again, and then accepted. */
  readonly refusedByRevocation: number;
  /** Tries that found the store, or the other service, unavailable. */
  readonly unavailable: number;
  /** The kid that signs. */
  readonly kid: string | null;
  /** Of the calls since the last tally. Milliseconds. */
  readonly recent: Latency;
  readonly overall: Latency;
  readonly oldTokens: OldTokens;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What became of tokens from before the revocation. Times are `sharedNowMs`. */
export interface OldTokens {
  readonly tries: number;
  /** When the try was sent that was the last to be accepted. */
  readonly lastAcceptedSentMs: number | null;
  readonly firstRefusedMs: number | null;
  readonly acceptedAfterRefusal: number;
}

/** A clock that all processes of this machine share, and that nobody sets: milliseconds since some instant before they began. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
