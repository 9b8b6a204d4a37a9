/**
 * valkey-glide, standalone and cluster: commands only, because it does not expose invalidations.
 */

import { settle } from './outcomes.js';
import type { Outcomes, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface GlideClient {
  customCommand(args: string[], options: object): Promise<unknown>;
}

/** Its `Decoder.Bytes`: with strings, a reply that is not UTF-8 would be an error. */
const bytes = 0;

const noConnection =
  'valkey-glide keeps invalidation messages to itself, and another client of its kind would keep the process alive';

/** Redis' own codes for errors that glide's core renames. */
const codes: Readonly<Record<string, string>> = {
  BusyLoadingError: 'LOADING',
  ClusterDown: 'CLUSTERDOWN',
  CrossSlot: 'CROSSSLOT',
  MasterDown: 'MASTERDOWN',
  Moved: 'MOVED',
  PermissionDenied: 'NOPERM',
  ReadOnly: 'READONLY',
  TryAgain: 'TRYAGAIN',
};

export function isGlide(client: unknown): client is GlideClient {
  return (
    typeof client === 'object' &&
    client !== null &&
    'customCommand' in client &&
    typeof client.customCommand === 'function' &&
    'invokeScript' in client
  );
}

export function glidePort(client: GlideClient): RedisPort {
  const isCluster = 'fcallWithRoute' in client;
  return {
    dialect: 'glide',
    keyPrefix: '',
    client,
    clientWarnings: [],
    noConnection,
    async send(commands, key) {
      const route = isCluster ? { route: { type: 'primarySlotKey', key } } : {};
      const outcomes: Outcomes[number][] = [];
      // One after the other: this client does not keep the order of concurrent commands, and
      // repeats those that it could not send.
      for (const command of commands) {
        const outcome = await settle(() => client.customCommand([...command], { decoder: bytes, ...route }));
        outcomes.push(outcome instanceof Error ? asRedisSaid(outcome) : outcome);
      }
      return outcomes;
    },
    address: () => null,
    database: () => undefined,
    borrows: () => true,
    beside: () => Promise.reject(new Error(noConnection)),
    leave() {},
    connect: () => Promise.reject(new Error(noConnection)),
    scope: () => '',
    abandon() {},
    async close() {},
  };
}

function asRedisSaid(error: Error): Error {
  if (error.name === 'ConnectionError') return new Error('connection lost');
  const [, kind = '', words = ''] = /^(?:.*? - )??(\w+): (.*)/s.exec(error.message) ?? [];
  // Errors without a new name keep theirs, followed by a colon.
  const code = codes[kind] ?? (/^[A-Z]+$/.test(kind) ? kind : null);
  return code === null ? error : new Error(`${code} ${words}`);
}
