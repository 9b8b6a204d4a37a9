/** valkey-glide, standalone and cluster: commands only, as it lets nobody hear its invalidations. */

import { settle } from './outcomes.js';
import type { Outcomes, RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface GlideClient {
  customCommand(args: string[], options: object): Promise<unknown>;
}

/** Its `Decoder.Bytes`: with strings, a reply that is not UTF-8 would be an error. */
const bytes = 0;

const noConnection =
  'valkey-glide keeps invalidation messages to itself, and another client of its kind would keep the process alive';

/** Redis' own words for errors that its core names anew. */
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
    caveats: [],
    noConnection,
    async send(commands, key) {
      const route = isCluster ? { route: { type: 'primarySlotKey', key } } : {};
      const outcomes: Outcomes[number][] = [];
      // One after the other: what is under way at the same time has no order in this client, which sends again what it could not.
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
  // Those that it has no name for keep theirs, with a colon behind it.
  const code = codes[kind] ?? (/^[A-Z]+$/.test(kind) ? kind : null);
  return code === null ? error : new Error(`${code} ${words}`);
}
