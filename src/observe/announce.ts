/** Turns what a member tells of itself into messages on the diagnostics channels. */

import { isRewtError, type RewtErrorCode } from '../errors.js';
import type { MemberListener } from '../keyring/member-options.js';
import type { PresenceListener } from '../keyring/presence.js';
import { kidOf } from '../keyring/secret.js';
import type { Caveat } from '../stores/store.js';
import { publish } from './channels.js';

/** The listener for a member of `namespace`, which also tells of its store's caveats. */
export function announce(
  namespace: string,
): Omit<MemberListener, 'renewed' | 'signing'> & PresenceListener & { caveat(caveat: Caveat): void } {
  const warned = new Set<string>();

  function warn(code: string, message: string): void {
    publish('warning', { namespace, code, message });
    if (warned.has(code)) return;
    warned.add(code);
    process.emitWarning(message, { type: 'RewtWarning', code });
  }

  return {
    changed(ring, before, wrote) {
      const kid = kidOf(ring.current.secret);
      if (ring.id !== before.id || ring.epoch !== before.epoch) {
        // What another member revoked may have been rescheduled by this one since.
        const revoked = wrote?.revokes ? wrote.name : null;
        publish('revoked', { namespace, kid, epoch: ring.epoch, cause: revoked ?? 'read', own: revoked !== null });
      } else if (ring.current.secret !== before.current.secret) {
        publish('rotated', { namespace, kid, previousKid: kidOf(before.current.secret), own: wrote !== null });
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
    caveat({ code, message }) {
      warn(code, message);
    },
    ttlTooShort(ttlMs, leastTtlMs, error) {
      warn(
        'REWT_TTL_TOO_SHORT',
        `This member's maxStaleness needs a keyring with a ttl of at least ${leastTtlMs / 1_000} s. This one has ${ttlMs / 1_000} s, and the member could not raise it (${codeOf(error)}): without the store it may refuse good tokens. Let it write, give a member that signs a longer ttl, or lower maxStaleness.`,
      );
    },
    unusableSecret() {
      warn(
        'REWT_UNUSABLE_SECRET',
        'The secret found in the store has fewer than 32 bytes, is not UTF-8, or was revoked before: it was not used, and a fresh one replaces it. Set another, or leave it to rewt.',
      );
    },
  };
}

/** A store that somebody else wrote may fail with anything. */
function codeOf(error: unknown): RewtErrorCode {
  return isRewtError(error) ? error.code : 'ERR_REWT_STORE_DOWN';
}
