/** The errors of a member without a lease, and of a refused rotation. */

import { OptionError, StoreError } from '../errors.js';
import { quoted } from '../validation/printable.js';

export function unavailable(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DOWN',
    'The keyring cannot be used at this moment: it was just revoked, or it is older than ' +
      'maxStaleness and the store cannot be read.',
  );
}

export function tooFewReplicas(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_READ_ONLY',
    'Another master may have replaced this one: too few replicas follow it, so it takes no ' +
      'writes, and what it shows may be out of date. Bring the replicas back, or connect to the ' +
      'new master.',
  );
}

export function waitsForRing(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_DOWN',
    'The sealed keyring is missing, and its key is there: this member waits two seconds for another ' +
      'one to write it back. Then it begins a new one, which refuses every token of before.',
  );
}

export function plainBesideStrict(name: string): OptionError {
  return new OptionError(
    `memberName: ${quoted(name)} takes no plain keyring, so a writer may have put this one there. Look at it, or add ` +
      'force',
    { option: 'memberName' },
  );
}

export function ringWasSealed(): StoreError {
  return new StoreError(
    'ERR_REWT_RING_SEALED',
    'The keyring was sealed, and its ring is gone; this member has no seal key. Add that of the other ' +
      'members to `sealKey`. If it is lost, replace the keyring with revoke({ replace: "sealed" }).',
  );
}

export function timedOut(): StoreError {
  return new StoreError(
    'ERR_REWT_STORE_TIMEOUT',
    'The store did not answer within storeTimeout: check that it is up and reachable, or allow more time.',
  );
}

export function copyNotFresh(verb: 'sign' | 'verify'): StoreError {
  return new StoreError(
    'ERR_REWT_COPY_NOT_FRESH',
    `${verb}Sync() could not answer without a read of the store, and it waits for nothing: await ` +
      `${verb}() in its place, which does.`,
  );
}

const EARLY_MS = Symbol('rewt earlyMs');

/** Returns how many milliseconds too early a refused rotation came; null for any other error. */
export function earlyMsOf(error: unknown): number | null {
  return error instanceof OptionError ? ((error as { [EARLY_MS]?: number })[EARLY_MS] ?? null) : null;
}

export function rotationRefused(earlyMs: number, force: boolean): OptionError {
  const when = Number.isFinite(earlyMs) ? `in ${Math.ceil(earlyMs / 1000)} s` : 'later';
  const why = force
    ? 'Rotated too often: all the retired secrets that a keyring has room for still verify. Rotate ' +
      `again ${when}, or revoke().`
    : 'Rotated too recently: a member with an older copy may not hold the next secret yet. Rotate ' +
      `again ${when}, rotate({ force: true }), or revoke().`;
  // Not enumerable: the message has it, in seconds.
  return Object.defineProperty(new OptionError(why, { code: 'ERR_REWT_ROTATION_REFUSED' }), EARLY_MS, {
    value: earlyMs,
  });
}

const awaited = {
  begin: 'There is no keyring in this namespace',
  revoke: 'The keyring is to be revoked',
  adopt: 'The secret of the keyring was replaced, and the keyring does not have the new one yet',
  grant: 'The keyring needs a longer ttl',
} as const;

/** What a member that only reads cannot do, and waits for. */
export function ringAwaited(what: keyof typeof awaited): StoreError {
  return new StoreError(
    'ERR_REWT_RING_AWAITED',
    `${awaited[what]}, and a member with readOnly writes none: it waits for a member that signs. Start ` +
      `one${what === 'revoke' ? ', or run rewt revoke' : ''}.`,
  );
}

export function readOnlyRefusal(verb: 'sign' | 'rotate' | 'revoke' | 'set times'): OptionError {
  return new OptionError(
    `readOnly: a Rewt with readOnly: true only verifies, and was to ${verb}. Use a Rewt without it, whose ` +
      'Redis user has the rights of a member (rewt acl --role member).',
    { option: 'readOnly' },
  );
}

export function closed(): StoreError {
  return new StoreError('ERR_REWT_STORE_CLOSED', 'This Rewt was closed: make a new one, or close() later.');
}
