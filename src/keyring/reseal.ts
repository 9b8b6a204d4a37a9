/**
 * Puts a keyring under another seal key, or back into plain text: what `rewt reseal` does
 * (protocol.md, "A sealed keyring").
 */

import { OptionError } from '../errors.js';
import type { Store } from '../stores/store.js';
import { type OptionReaders, optionReader, readFlag, readText } from '../validation/option-values.js';
import { quoted } from '../validation/printable.js';
import { fleetSeals } from './announcement.js';
import { readReason } from './command-options.js';
import { reseal } from './commands.js';
import type { Member } from './member.js';
import type { Form } from './plan.js';
import { keyIdOf, type Sealing } from './sealing.js';

/** The method of a Rewt that reseals. @internal */
export const RESEAL = Symbol('rewt reseal');

/** @internal */
export interface Resealing {
  /** The id of the seal key; by default that of the first. */
  readonly to?: string | undefined;
  /** Writes plain text in place of an envelope. The first call only announces it. */
  readonly plain?: boolean | undefined;
  /**
   * Goes on although a named member would stop: one that lacks the key, takes no plain text, or is
   * of an earlier version. From plain text, rotates even if a member may not hold `next` yet.
   */
  readonly force?: boolean | undefined;
  readonly reason?: string | undefined;
}

const readers = {
  to: readText,
  plain: readFlag,
  force: readFlag,
  reason: readReason,
} satisfies OptionReaders<Resealing>;

/** @internal */
export interface Resealed {
  /** The ids of the seal keys before and now; null: plain text. */
  readonly before: string | null;
  readonly after: string | null;
  /** Whether the keyring is sealed still, and announces that plain text follows. */
  readonly opening: boolean;
  /** Whether such an announcement was taken back. */
  readonly withdrawn: boolean;
  /** Whether another secret signs now: coming from plain text takes a rotation. */
  readonly rotated: boolean;
  /** Whether a secret signs that was in plain text: it takes one rotation more. */
  readonly exposed: boolean;
  /** The kid that signs now. */
  readonly kid: string;
  /** Members that announced what they open. */
  readonly known: number;
  /** Names of members that announced themselves without that: those of older versions. */
  readonly unknown: readonly string[];
}

/**
 * @throws {OptionError} for a key that this member or a named one does not open;
 * ERR_REWT_ROTATION_REFUSED as `rotate()`; {StoreError} if announcements cannot be read, or the
 * ring cannot be written.
 */
export async function resealKeyring(
  options: Resealing,
  {
    store,
    member,
    sealing,
    namespace,
    timeoutMs,
  }: { store: Store; member: Member; sealing: Sealing; namespace: string; timeoutMs: number },
): Promise<Resealed> {
  const option = optionReader(options, readers, 'reseal options');
  await sealing.ready(timeoutMs);
  const to = formOf(option('plain', false), option('to', null), sealing.ids);
  const announced = await store.announcements?.(namespace, { timeoutMs });
  const seals = announced === undefined ? { known: [], unknown: [] } : fleetSeals(announced);
  const keyId = keyIdOf(to);
  const force = option('force', false);
  // A writer can announce members that are not there.
  if (keyId !== null && !force) {
    for (const { name, opens } of seals.known) assertOpens(name, opens, keyId);
    assertNoneOlder(seals.unknown);
  }
  const strict = seals.known.find((held) => !held.takesPlain)?.name ?? null;
  const how = { to, strict: force ? null : strict, force, reason: option('reason', null) };
  const { lease, command } = await member.carryOut((policy) => reseal(policy, how));
  const { ring, current } = lease.copy;
  const before = command.before();
  return {
    before: before === null ? member.sealKeyId : keyIdOf(before.form),
    after: member.sealKeyId,
    opening: ring.opening === true,
    withdrawn: before?.opening === true && ring.opening !== true && keyId !== null,
    rotated: before !== null && before.secret !== ring.current.secret,
    exposed: ring.exposed?.includes(current.kid) ?? false,
    kid: current.kid,
    known: seals.known.length,
    unknown: seals.unknown,
  };
}

function formOf(isPlain: boolean, to: string | null, ids: readonly string[]): Form {
  if (isPlain && to !== null)
    throw new OptionError('to: plain text has no key. Leave out one of the two', { option: 'to' });
  if (isPlain) return 'plain';
  const [keyId] = to === null ? ids : ids.filter((id) => id === to);
  if (keyId !== undefined) return { keyId };
  if (ids.length === 0) throw new OptionError('sealKey: there is none to seal with. Give it', { option: 'sealKey' });
  throw new OptionError(`to: none of the keys here has this id, only ${ids.join(', ')}. Add the key itself`, {
    option: 'to',
  });
}

/** @throws {OptionError} about `memberName` for a member that would stop. */
function assertOpens(name: string, opens: readonly string[], keyId: string): void {
  if (opens.includes(keyId)) return;
  throw new OptionError(
    `memberName: ${quoted(name)} does not have the seal key ${keyId}, and would stop. Deploy it there, or add force`,
    { option: 'memberName' },
  );
}

/** @throws {OptionError} about `memberName` for a member of an earlier version: it opens none. */
function assertNoneOlder([name]: readonly string[]): void {
  if (name === undefined) return;
  throw new OptionError(
    `memberName: ${quoted(name)} is of an earlier version, and would stop. Update it first, or add force`,
    { option: 'memberName' },
  );
}
