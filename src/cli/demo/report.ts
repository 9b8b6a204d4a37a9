/** What a demo found in the end, and whether a promise was broken. */

import { formatTable, type Row } from '../table.js';
import { count, milliseconds } from './live.js';
import type { Latency, Tally } from './messages.js';

/** The revocation as the parent saw it. Times are `sharedNowMs`. */
export interface Revocation {
  readonly calledMs: number;
  readonly returnedMs: number;
  /** How long after it returned an old token may still be accepted. */
  readonly boundMs: number;
  readonly tokensHeld: number;
}

export interface Report {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly latency: Latency;
  readonly rotations: number;
  readonly refusedByRotation: number;
  readonly revocation: {
    readonly tookMs: number;
    /** From the call of `revoke()` to the first old token that was refused; null: none was. */
    readonly oldTokensLivedMs: number | null;
    readonly oldTokensTried: number;
    readonly oldTokensAcceptedAfterwards: number;
    /** Calls in flight at that instant: refused, signed again, accepted. */
    readonly callsSignedAgain: number;
  };
  readonly unavailable: number;
  /** Sentences; empty where every promise was kept. */
  readonly brokenPromises: readonly string[];
}

export function reportOf(tally: Tally, revocation: Revocation, rotations: number, seconds: number): Report {
  const { calledMs, returnedMs } = revocation;
  const { tries, firstRefusedMs, acceptedAfterRefusal } = tally.oldTokens;
  // A kept token that was refused before there was a reason to.
  const early = firstRefusedMs !== null && firstRefusedMs < calledMs ? 1 : 0;
  const refusedByRotation = tally.refusedByRotation + early;
  return {
    calls: tally.calls,
    callsPerSecond: tally.calls / seconds,
    latency: tally.overall,
    rotations,
    refusedByRotation,
    revocation: {
      tookMs: returnedMs - calledMs,
      oldTokensLivedMs: firstRefusedMs === null ? null : Math.max(0, firstRefusedMs - calledMs),
      oldTokensTried: tries,
      oldTokensAcceptedAfterwards: acceptedAfterRefusal,
      callsSignedAgain: tally.refusedByRevocation,
    },
    unavailable: tally.unavailable,
    brokenPromises: brokenPromises(tally, revocation, refusedByRotation),
  };
}

function brokenPromises({ calls, oldTokens }: Tally, revocation: Revocation, refusedByRotation: number): string[] {
  const { firstRefusedMs, lastAcceptedSentMs, acceptedAfterRefusal } = oldTokens;
  const broken: string[] = [];
  if (calls === 0 || revocation.tokensHeld === 0) broken.push('no call was answered with a yes');
  if (refusedByRotation > 0) broken.push('a rotation cost a call');
  if (firstRefusedMs === null) broken.push('no old token was refused');
  if (lastAcceptedSentMs !== null && lastAcceptedSentMs > revocation.returnedMs + revocation.boundMs) {
    broken.push(`an old token was accepted more than ${Math.round(revocation.boundMs)} ms after revoke() had returned`);
  }
  if (acceptedAfterRefusal > 0) broken.push('an old token was accepted after another one had been refused');
  return broken;
}

export function formatReport(report: Report): string {
  const { latency, revocation } = report;
  const { oldTokensLivedMs, oldTokensTried, oldTokensAcceptedAfterwards, callsSignedAgain } = revocation;
  const lived = oldTokensLivedMs === null ? 'to the end' : `${milliseconds(oldTokensLivedMs)} after revoke()`;
  const rows: readonly Row[] = [
    ['calls made', `${count(report.calls)} (${count(report.callsPerSecond)} a second)`],
    ['calls refused by rotation', count(report.refusedByRotation)],
    ['calls unavailable', count(report.unavailable)],
    ['latency', `p50 ${milliseconds(latency.p50Ms)}, p99 ${milliseconds(latency.p99Ms)}`],
    ['rotations', count(report.rotations)],
    ['old tokens lived', lived],
    ['old tokens accepted later', `${count(oldTokensAcceptedAfterwards)} of ${count(oldTokensTried)} tries`],
    ['calls signed again', `${count(callsSignedAgain)}, in flight at that instant`],
  ];
  return formatTable(rows);
}
