/** What the three processes of the demo share: a keyring, and a clock. */

import { fileStore, Rewt } from 'rewt';

/**
 * So short that the schedule alone rotates several times during the demo. Only tokens live
 * longer than ten seconds: those kept until the revocation are to die of it. Seconds.
 */
const times = { ttl: 2, maxStaleness: 1, clockTolerance: 0.25, tokenLifetime: 20, storeTimeout: 5 };

/**
 * How long an old token may be accepted once revoke() has returned. In a folder not at all: each
 * call looks at it. A copy of what Redis has is used for half of `maxStaleness`; the rest is for a
 * busy machine. Milliseconds.
 */
export function revocationBoundMs({ url }) {
  return url ? (times.maxStaleness * 1_000) / 2 + 250 : 0;
}

/** Makes this process a member of the keyring on the Redis at `url`, or else in `folder`. */
export function openMember({ url, folder, namespace }) {
  const store = url ? undefined : fileStore({ path: folder });
  const rewt = new Rewt({ redisConn: url, store, redisNamespace: namespace, ...times });
  async function close() {
    await rewt.close();
    await store?.close();
  }
  return { rewt, close };
}

/** A clock that all processes of a machine share, and that cannot be set. Milliseconds. */
export function sharedNowMs() {
  return Number(process.hrtime.bigint()) / 1e6;
}
