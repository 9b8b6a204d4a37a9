/**
 * The fault suite's promises, held on every run of the tests for four of its faults: what happened
 * is counted, how fast it was is not.
 */
import { describe, expect, it } from 'vitest';
import type { RewtOptions } from '../../src/options.js';
import { masterKilled } from './sentinel.js';
import { brokenPromises, type Fault, play } from './stage.js';
import { killed, pushKilled, stopped } from './standalone.js';

/**
 * Seconds. An outage that a busy machine draws out is still shorter than `maxStaleness`, and a
 * process that waits for a processor makes no call late.
 */
const patient: RewtOptions = { ttl: 60, tokenLifetime: 20, maxStaleness: 25, clockTolerance: 0.5, storeTimeout: 10 };

/** Two at once leave two cores room. */
const pairs: readonly (readonly Fault[])[] = [
  [killed, stopped],
  [pushKilled, masterKilled],
];

describe.each(pairs)('members that sign and verify without pause keep every promise', (...faults) => {
  it.concurrent.each(faults.map((fault) => [fault.title, fault] as const))('%s', async (_, fault) => {
    const row = await play(fault, patient);
    expect(brokenPromises(row)).toEqual([]);
    expect(row.spreadMs.length).toBeGreaterThan(3);
  });
});
