/**
 * The Cluster client of ioredis 5, 6 and iovalkey. It sends a command by its map of slots, and
 * follows redirections.
 */

import { slotOf } from '../slot.js';
import { unlessDown } from './cluster-down.js';
import { createPort } from './dedicated.js';
import { type IoredisClient, ioredis, oneShot } from './ioredis.js';
import { sendAll } from './outcomes.js';
import type { Command, Outcomes, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface IoredisCluster {
  readonly isCluster: true;
  readonly status: string;
  readonly options: {
    readonly keyPrefix?: string | Buffer | null | undefined;
    readonly enableAutoPipelining?: boolean | undefined;
  };
  /** The addresses of the nodes that hold each slot, the owner's first. */
  readonly slots: readonly (readonly string[] | undefined)[];
  call(name: string, ...args: string[]): Promise<unknown>;
  nodes(role: 'master'): readonly IoredisClient[];
  refreshSlotsCache(): void;
}

/** Commands without a key, which the cluster client would send to any node. */
const keyless: ReadonlySet<string> = new Set(['ACL', 'CLIENT', 'CONFIG', 'INFO', 'PING', 'TIME', 'WAIT']);

export function isIoredisCluster(client: unknown): client is IoredisCluster {
  if (typeof client !== 'object' || client === null) return false;
  return (
    'isCluster' in client &&
    client.isCluster === true &&
    'nodes' in client &&
    typeof client.nodes === 'function' &&
    'call' in client &&
    typeof client.call === 'function'
  );
}

export function ioredisClusterPort(cluster: IoredisCluster): RedisPort {
  const { keyPrefix, enableAutoPipelining } = cluster.options;
  const usable = !keyPrefix && !enableAutoPipelining;
  const ownerOf = (key: string): string | undefined => cluster.slots[slotOf(key)]?.[0];

  function assertConnected(): void {
    // Made with lazyConnect: a command would connect it, and the user's own `connect()` would fail.
    if (cluster.status === 'wait') throw new Error('the client is not connected yet');
    // Until it has ended, a command would wait for ever.
    if (cluster.status === 'end' || cluster.status === 'disconnecting') throw new Error('connection is closed');
  }

  /** Returns the cluster client's connection to the node that holds the key. */
  function ownerNode(key: string): IoredisClient {
    assertConnected();
    const owner = ownerOf(key);
    const node = cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner);
    // Between two lookups of the nodes; the next one is in flight, or starts here.
    if (node === undefined) throw moved();
    return node;
  }

  function moved(): Error {
    cluster.refreshSlotsCache();
    return new Error('connection lost');
  }

  function borrowed(commands: readonly Command[], key: string): Promise<Outcomes> {
    // In lower case, because iovalkey finds the key of no other spelling.
    const answers = sendAll(
      ([name, ...args]) => (keyless.has(name) ? ownerNode(key) : cluster).call(name.toLowerCase(), ...args),
      commands,
    );
    return unlessDown(answers, () => cluster.nodes('master').map((node) => node.call('get', key)));
  }

  const port = createPort(ioredis, {
    client: cluster,
    keyPrefix: String(keyPrefix ?? ''),
    borrow() {
      assertConnected();
      return usable ? borrowed : null;
    },
    create(key) {
      assertConnected();
      const [, host, port] = /^(.*):(\d+)$/.exec(ownerOf(key) ?? '') ?? [];
      // An unreachable node is not among them. A duplicate fails with the reason.
      const [node] = cluster.nodes('master');
      if (node === undefined || host === undefined) throw moved();
      return node.duplicate({ ...oneShot(false), readOnly: false, host, port: Number(port) });
    },
    ownerOf,
    lookAgain: () => cluster.refreshSlotsCache(),
    scope: (key) => String(slotOf(key)),
  });

  return {
    ...port,
    async send(commands, key) {
      const outcomes = await port.send(commands, key);
      return outcomes.map((outcome) => {
        // The end of one node is not that of the cluster, whose client looks for the new owner.
        if (!(outcome instanceof Error) || !/connection is closed|\bMOVED\b/i.test(outcome.message)) return outcome;
        return cluster.status === 'end' ? outcome : moved();
      });
    },
  };
}
