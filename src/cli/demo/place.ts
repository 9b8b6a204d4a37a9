/** Where a demo keeps its keyring: a place of its own, of which nothing is left afterwards. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from '../../deadline.js';
import { StoreError } from '../../errors.js';
import { connectRedis } from '../../redis/connect.js';
import { redisNames } from '../../redis/names.js';
import { Rewt } from '../../rewt.js';
import { type Address, openStore } from '../address.js';

/** What each process of the demo is told. */
export interface Place {
  readonly address: Address;
  readonly namespace: string;
}

/**
 * So short that the schedule alone rotates several times while somebody watches. Tokens outlive ten seconds, so that those kept until the revocation die of it
 * and not of their age. A first connection may take its time. Seconds.
 */
const times = { ttl: 2, maxStaleness: 1, clockTolerance: 0.25, tokenLifetime: 20, storeTimeout: 5 };

const REMOVAL_MS = 1_000;

/** A store that each operation asks refuses at once; a copy of Redis' keyring is believed for its soft age. Slack: for a busy machine. Milliseconds. */
export function revocationBoundMs({ address }: Place): number {
  const softAgeMs = Math.min(2_000, (times.maxStaleness * 1_000) / 2);
  return 'redisUrl' in address ? softAgeMs + 250 : 0;
}

/** A place on that Redis, or in a fresh folder: inside the folder that was asked for, else the system's for temporary files. */
export async function makePlace(asked: Address | null): Promise<Place> {
  const namespace = `rewt-demo-${randomBytes(6).toString('hex')}`;
  if (asked !== null && 'redisUrl' in asked) return { address: asked, namespace };
  try {
    const folder = await mkdtemp(join(asked?.folder ?? tmpdir(), 'rewt-demo-'));
    return { address: { folder }, namespace };
  } catch {
    throw new StoreError(
      'ERR_REWT_STORE_DENIED',
      'No folder can be made for the demo: see whether it may be written there.',
    );
  }
}

/** Once every member is closed. What cannot be removed from Redis ends by itself, as its time to live is short. */
export async function removePlace({ address, namespace }: Place): Promise<void> {
  if ('folder' in address) return rm(address.folder, { recursive: true, force: true });
  const port = connectRedis(address.redisUrl);
  const { key, ring } = redisNames(namespace);
  await within(REMOVAL_MS, port.send([['DEL', key, ring]], key), () => new Error()).catch(() => {});
  await port.close();
}

export interface DemoMember {
  readonly rewt: Rewt;
  close(): Promise<void>;
}

export function openMember({ address, namespace }: Place): DemoMember {
  const store = openStore(address, namespace);
  const rewt = new Rewt({ store, redisNamespace: namespace, ...times });
  return {
    rewt,
    async close() {
      await rewt.close();
      await store.close();
    },
  };
}
