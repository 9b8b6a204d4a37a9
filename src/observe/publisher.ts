/** The events of a member, published on the diagnostics channels. */

import { isRewtError, type RewtErrorCode } from '../errors.js';
import type { MemberListener } from '../keyring/member-options.js';
import type { PresenceListener } from '../keyring/presence.js';
import { isRevokedSince } from '../keyring/ring.js';
import { kidOf } from '../keyring/secret.js';
import type { ClientWarning } from '../stores/store.js';
import { publish } from './channels.js';

/** Creates the listener for a member of `namespace`. Also publishes the warnings of its store. */
export function announce(
  namespace: string,
): Omit<MemberListener, 'renewed' | 'signing'> & PresenceListener & { clientWarning(warning: ClientWarning): void } {
  const warned = new Set<string>();

  function warn(code: string, message: string): void {
    publish('warning', { namespace, code, message });
    if (warned.has(code)) return;
    warned.add(code);
    process.emitWarning(message, { type: 'RewtWarning', code });
  }

  return {
    changed(ring, before, ownPlan) {
      const kid = kidOf(ring.current.secret);
      const own = ownPlan !== null;
      if (isRevokedSince(before, ring)) {
        publish('revoked', { namespace, kid, epoch: ring.epoch, cause: ownPlan?.name ?? 'read', own });
      } else if (ring.current.secret !== before.current.secret) {
        publish('rotated', { namespace, kid, previousKid: kidOf(before.current.secret), own });
      }
    },
    refreshed(durationMs, error) {
      publish('refresh', { namespace, outcome: error === null ? 'ok' : codeOf(error), durationMs });
    },
    failed(error) {
      publish('degraded', { namespace, code: codeOf(error) });
    },
    recovered(outageMs) {
      publish('recovered', { namespace, outageMs });
    },
    mayBeDeposed({ message }) {
      warn('REWT_TOO_FEW_REPLICAS', message);
    },
    unannounced(memberName, error) {
      publish('unannounced', { namespace, memberName, code: codeOf(error) });
    },
    clientWarning({ code, message }) {
      warn(code, message);
    },
    ttlTooShort(ttlMs, minTtlMs, error) {
      warn(
        'REWT_TTL_TOO_SHORT',
        `This member's maxStaleness needs a keyring with a ttl of at least ${minTtlMs / 1_000} s. This ` +
          `one has ${ttlMs / 1_000} s, and the member could not raise it (${codeOf(error)}): without the ` +
          'store it may refuse good tokens. Let it write, give a member that signs a longer ttl, or lower ' +
          'maxStaleness.',
      );
    },
    resealed(keyId, previousKeyId) {
      publish('resealed', { namespace, keyId, previousKeyId });
    },
    plainRing() {
      warn(
        'REWT_PLAIN_RING',
        'The keyring is plain text, and this member takes sealed ones only: it counts as an attack, so every token ' +
          "of before is refused. If the namespace is on its way to a seal key, or back, set sealing: 'migrate' for " +
          'all members until rewt reseal has run.',
      );
    },
    unusableSecret() {
      warn(
        'REWT_UNUSABLE_SECRET',
        'A secret in the store is not used, and is replaced: it has fewer than 32 bytes, is not UTF-8, was revoked ' +
          'before, or the keyring is sealed. Leave secrets to rewt; only a plain keyring takes one that was set by ' +
          'hand, of at least 32 bytes.',
      );
    },
  };
}

/** Returns the code of an error. A custom store may fail with any value. */
function codeOf(error: unknown): RewtErrorCode {
  return isRewtError(error) ? error.code : 'ERR_REWT_STORE_DOWN';
}
