/** What a demo found in the end, and whether a promise was broken. */

import { count, milliseconds } from './live.js';

/**
 * @param tally what the caller saw
 * @param revocation what the parent saw: when revoke() was called and when it returned, how long
 *   after that an old token may be accepted, and how many old tokens there were to try
 */
export function reportOf(tally, revocation, rotations, seconds) {
  const { calledMs, returnedMs, boundMs, tokensHeld } = revocation;
  const { tries, lastAcceptedSentMs, firstRefusedMs, acceptedAfterRefusal } = tally.oldTokens;
  // A kept token that was refused before there was a reason to.
  const early = firstRefusedMs !== null && firstRefusedMs < calledMs ? 1 : 0;
  const refusedByRotation = tally.refusedByRotation + early;

  const brokenPromises = [];
  if (tally.calls === 0 || tokensHeld === 0) brokenPromises.push('no call was answered with a yes');
  if (refusedByRotation > 0) brokenPromises.push('a rotation cost a call');
  if (firstRefusedMs === null) brokenPromises.push('no old token was refused');
  if (lastAcceptedSentMs !== null && lastAcceptedSentMs > returnedMs + boundMs) {
    brokenPromises.push(`an old token was accepted more than ${boundMs} ms after revoke() had returned`);
  }
  if (acceptedAfterRefusal > 0) brokenPromises.push('an old token was accepted after another one had been refused');

  return {
    calls: tally.calls,
    callsPerSecond: tally.calls / seconds,
    latency: tally.overall,
    rotations,
    refusedByRotation,
    revocation: {
      tookMs: returnedMs - calledMs,
      // From the call of revoke(); null: none was refused.
      oldTokensLivedMs: firstRefusedMs === null ? null : Math.max(0, firstRefusedMs - calledMs),
      oldTokensTried: tries,
      oldTokensAcceptedAfterwards: acceptedAfterRefusal,
      // In flight at that instant: refused, signed again, accepted.
      callsSignedAgain: tally.refusedByRevocation,
    },
    unavailable: tally.unavailable,
    /** In words; empty if every promise was kept. */
    brokenPromises,
  };
}

/** The table, for people. */
export function formatReport({
  calls,
  callsPerSecond,
  latency,
  rotations,
  refusedByRotation,
  revocation,
  unavailable,
}) {
  const { oldTokensLivedMs, oldTokensTried, oldTokensAcceptedAfterwards, callsSignedAgain } = revocation;
  const rows = [
    ['calls made', `${count(calls)} (${count(callsPerSecond)} a second)`],
    ['calls refused by rotation', count(refusedByRotation)],
    ['calls unavailable', count(unavailable)],
    ['latency', `p50 ${milliseconds(latency.p50Ms)}, p99 ${milliseconds(latency.p99Ms)}`],
    ['rotations', count(rotations)],
    ['old tokens lived', oldTokensLivedMs === null ? 'to the end' : `${milliseconds(oldTokensLivedMs)} after revoke()`],
    ['old tokens accepted later', `${count(oldTokensAcceptedAfterwards)} of ${count(oldTokensTried)} tries`],
    ['calls signed again', `${count(callsSignedAgain)}, in flight at that instant`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(25)}  ${value}`).join('\n');
}
