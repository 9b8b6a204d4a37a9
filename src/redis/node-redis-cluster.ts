/** Cluster clients of node-redis 6 (`createCluster`); those of 4 and 5 are refused (docs/adr/0017). */

import { createPort } from './client-port.js';
import { unlessDown } from './cluster-down.js';
import { duplicateOf, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import { sendAll, settle } from './outcomes.js';
import type { Command, Outcomes, RedisPort } from './port.js';
import { slotOf } from './slot.js';

/** What rewt uses of such a client. */
export interface NodeRedisCluster extends ManyClients {
  readonly masters: readonly ClusterNode[];
  readonly slots: readonly ({ readonly master: ClusterNode } | undefined)[];
  /** From version 5 on. */
  readonly _slots?: { rediscover(startWith: unknown, excluded?: unknown): unknown };
  nodeClient(node: ClusterNode): Promise<NodeRedisClient>;
  sendCommand(firstKey: string, isReadonly: false, args: readonly string[]): Promise<unknown>;
}

interface ClusterNode {
  readonly address: string;
  /** Also while it is connecting. */
  readonly client?: NodeRedisClient | undefined;
}

/** Whether the client finds the new master of a node that died. From version 6 on it can leave out the nodes that it cannot reach. */
export function recovers({ _slots }: NodeRedisCluster): boolean {
  return _slots !== undefined && _slots.rediscover.length > 1;
}

export function nodeRedisClusterPort(client: NodeRedisCluster): RedisPort {
  const mustBeOpen = opennessOf(client);
  const ownerOf = (key: string): ClusterNode | undefined => client.slots[slotOf(key)]?.master;

  async function ownerClient(key: string): Promise<NodeRedisClient> {
    const owner = ownerOf(key);
    if (!owner) throw new Error(client.masters.length > 0 ? 'CLUSTERDOWN' : 'the client is not open yet');
    return client.nodeClient(owner);
  }

  /** By the owner's client: the cluster's own `sendCommand` asks all nodes where a command names no key, WAIT for one. */
  async function send(commands: readonly Command[], key: string): Promise<Outcomes> {
    const outcomes = await sendOn(await ownerClient(key), commands);
    // But only that learns from a redirection which slots have moved.
    if (!outcomes.some(isRedirection)) return outcomes;
    return sendAll((command) => client.sendCommand(key, false, command), commands);
  }

  /** Asks the other masters, and has the client find its nodes anew if they lead to another owner than it knows. */
  function lookAgain(key: string): unknown {
    const owner = ownerOf(key);
    const others = client.masters.filter((node) => node !== owner);
    return Promise.all(
      others.map(async (node) => {
        const other = await client.nodeClient(node);
        const answer = await settle(() => other.sendCommand(['GET', key]));
        // Of a client that was closed meanwhile, it would open connections that nothing closes.
        if (client.isOpen && isRedirection(answer) && !answer.message.endsWith(` ${owner?.address}`)) {
          await client._slots?.rediscover(other, new Set([owner?.address]));
        }
      }),
    );
  }

  return createPort(nodeRedis, {
    client,
    keyPrefix: String(client._keyPrefix ?? ''),
    lend() {
      mustBeOpen();
      return (commands, key) => {
        const read = async (node: ClusterNode) => (await client.nodeClient(node)).sendCommand(['GET', key]);
        return unlessDown(send(commands, key), () => client.masters.map(read));
      };
    },
    async create(key) {
      mustBeOpen();
      const connected = ownerClient(key);
      connected.catch(() => {});
      // The client of a node that is away connects again and again in silence. A duplicate fails, and says why.
      return duplicateOf(ownerOf(key)?.client ?? (await connected));
    },
    ownerOf: (key) => ownerOf(key)?.address,
    lookAgain,
    scope: (key) => String(slotOf(key)),
  });
}

function isRedirection(outcome: unknown): outcome is Error {
  return outcome instanceof Error && /^(MOVED|ASK) /.test(outcome.message);
}
