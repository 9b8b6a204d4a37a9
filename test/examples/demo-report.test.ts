/** When a demo says that a promise was broken. */
import { expect, it } from 'vitest';
import { demoModule } from './example.js';

const { formatReport, reportOf } = await demoModule('report');

const latency = { p50Ms: 1, p99Ms: 2 };
const revocation = { calledMs: 1_000, returnedMs: 1_005, boundMs: 100, tokensHeld: 10 };

function reportWith(tally: object, oldTokens: object = {}) {
  const old = { tries: 50, lastAcceptedSentMs: 1_001, firstRefusedMs: 1_003, acceptedAfterRefusal: 0, ...oldTokens };
  const counts = { calls: 100, refusedByRotation: 0, refusedByRevocation: 2, unavailable: 0 };
  return reportOf({ ...counts, overall: latency, oldTokens: old, ...tally }, revocation, 3, 10);
}

it('calls in flight at the revocation and calls unavailable break no promise', () => {
  const report = reportWith({ unavailable: 4 });
  expect(report.brokenPromises).toEqual([]);
  expect(report.revocation).toMatchObject({ oldTokensLivedMs: 3, callsSignedAgain: 2 });
  expect(formatReport(report)).toMatch(/^calls refused by rotation {2}0$/m);
  expect(formatReport(report)).toMatch(/^old tokens lived .*3\.0 ms/m);
});

it.each([
  ['a call refused by a rotation', { refusedByRotation: 1 }, {}, 'a rotation cost a call'],
  ['a kept token refused before the revocation', {}, { firstRefusedMs: 999 }, 'a rotation cost a call'],
  ['an old token accepted past the bound', {}, { lastAcceptedSentMs: 1_106 }, 'more than 100 ms after'],
  ['an old token accepted after a refusal', {}, { acceptedAfterRefusal: 1 }, 'after another one had been refused'],
  ['old tokens that were never refused', {}, { firstRefusedMs: null }, 'no old token was refused'],
  ['a demo without calls', { calls: 0 }, {}, 'no call was answered'],
] as const)('%s is a broken promise', (_, tally, oldTokens, sentence) => {
  const { brokenPromises } = reportWith(tally, oldTokens);
  expect(brokenPromises.join()).toContain(sentence);
});

it('old tokens accepted within the bound break no promise', () => {
  expect(reportWith({}, { lastAcceptedSentMs: 1_105 }).brokenPromises).toEqual([]);
});
