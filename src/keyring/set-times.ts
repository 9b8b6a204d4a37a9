/**
 * Changes a keyring's `ttl` and `overlap`, downwards too: what `rewt set` does (protocol.md, "Other
 * times").
 */

import { OptionError } from '../errors.js';
import type { Store } from '../stores/store.js';
import { type OptionReaders, optionReader, readPositive } from '../validation/option-values.js';
import { quoted } from '../validation/printable.js';
import { fleetNeeds } from './announcement.js';
import { readReason } from './command-options.js';
import { times } from './commands.js';
import type { Member } from './member.js';
import { inMs, MAX_OVERLAP_PER_TTL } from './policy.js';
import type { Ring } from './ring.js';

/** The method of a Rewt that sets them. @internal */
export const SET_TIMES = Symbol('rewt set times');

/** Seconds, or strings with a unit. What is left out stays as it is. @internal */
export interface NewTimes {
  readonly ttl?: number | string | undefined;
  readonly overlap?: number | string | undefined;
  readonly reason?: string | undefined;
}

const ms = (value: unknown, name: string) => inMs(readPositive(value, name));
const readers = { ttl: ms, overlap: ms, reason: readReason } satisfies OptionReaders<NewTimes>;

/** Seconds. @internal */
export interface TimesSet {
  readonly before: { readonly ttl: number; readonly overlap: number };
  readonly after: { readonly ttl: number; readonly overlap: number };
  /** Whether another secret signs now: a time that became shorter takes a rotation. */
  readonly rotated: boolean;
  /** The kid that signs now. */
  readonly kid: string;
  /**
   * Members that announced what they need. Members without a `memberName` announce nothing, so they
   * cannot be counted.
   */
  readonly known: number;
  /** Names of members that announced themselves without their needs: those of older versions. */
  readonly unknown: readonly string[];
}

/**
 * @throws {OptionError} for times that do not fit each other or a named member;
 * ERR_REWT_ROTATION_REFUSED as `rotate()`; {StoreError} if announcements cannot be read, or the
 * ring cannot be written.
 */
export async function setTimes(
  newTimes: NewTimes,
  { store, member, namespace, timeoutMs }: { store: Store; member: Member; namespace: string; timeoutMs: number },
): Promise<TimesSet> {
  const option = optionReader(newTimes, readers, 'times');
  const wanted = { ttlMs: option('ttl', null), overlapMs: option('overlap', null) };
  const reason = option('reason', null);
  if (wanted.ttlMs === null && wanted.overlapMs === null) {
    throw new OptionError('ttl: nothing to set. Give ttl, overlap, or both', { option: 'ttl' });
  }
  const announced = await store.announcements?.(namespace, { timeoutMs });
  const needs = announced === undefined ? { known: [], unknown: [] } : fleetNeeds(announced);
  for (const { name, ttlMs, overlapMs } of [...needs.known, { name: 'this one', ...member.needs }]) {
    assertEnough('ttl', wanted.ttlMs, ttlMs, name);
    assertEnough('overlap', wanted.overlapMs, overlapMs, name);
  }
  const { lease, command } = await member.carryOut((policy) => times(policy, { ...wanted, reason, assertFit }));
  const { ring: after, current } = lease.copy;
  const before = command.before() ?? after;
  const seconds = ({ ttl, overlap }: Pick<Ring, 'ttl' | 'overlap'>) => ({ ttl: ttl / 1_000, overlap: overlap / 1_000 });
  return {
    before: seconds(before),
    after: seconds(after),
    rotated: before.current.secret !== after.current.secret,
    kid: current.kid,
    known: needs.known.length,
    unknown: needs.unknown,
  };
}

function assertEnough(option: 'ttl' | 'overlap', wantedMs: number | null, needMs: number, name: string): void {
  if (wantedMs === null || wantedMs >= needMs) return;
  throw new OptionError(
    `${option} (${wantedMs / 1_000} s) is less than the member ${quoted(name)} needs ` +
      `(${needMs / 1_000} s): give it smaller times first, or set at least that`,
    { option },
  );
}

function assertFit({ ttl, overlap }: Pick<Ring, 'ttl' | 'overlap'>): void {
  if (overlap <= ttl * MAX_OVERLAP_PER_TTL) return;
  throw new OptionError(
    `overlap (${overlap / 1_000} s) does not fit ttl (${ttl / 1_000} s): it must be at most ` +
      `${MAX_OVERLAP_PER_TTL} times it. Lower overlap, or raise ttl`,
    { option: 'overlap' },
  );
}
