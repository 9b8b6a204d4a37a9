/**
 * Cluster clients of node-redis 6 (`createCluster`); those of 4 and 5 are rejected (docs/adr/0017).
 */

import { slotOf } from '../slot.js';
import { unlessDown } from './cluster-down.js';
import { createPort } from './dedicated.js';
import { duplicateOf, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import { sendAll, settle } from './outcomes.js';
import type { Command, Outcomes, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
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
  /** Also set while it is connecting. */
  readonly client?: NodeRedisClient | undefined;
}

/**
 * Checks if the client finds the new master of a dead node. From version 6 on, it can skip
 * unreachable nodes.
 */
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

  /**
   * Sends through the owner's client. The cluster's own `sendCommand` queries all nodes for a
   * command without a key, such as WAIT.
   */
  async function send(commands: readonly Command[], key: string): Promise<Outcomes> {
    const outcomes = await sendOn(await ownerClient(key), commands);
    // Only the cluster client learns from a redirection which slots have moved.
    if (!outcomes.some(isRedirection)) return outcomes;
    return sendAll((command) => client.sendCommand(key, false, command), commands);
  }

  /**
   * Queries the other masters. Makes the client find its nodes again if they name another owner.
   */
  function lookAgain(key: string): unknown {
    const owner = ownerOf(key);
    const others = client.masters.filter((node) => node !== owner);
    return Promise.all(
      others.map(async (node) => {
        const other = await client.nodeClient(node);
        const answer = await settle(() => other.sendCommand(['GET', key]));
        // A client that was closed meanwhile would open connections that no call closes.
        if (client.isOpen && isRedirection(answer) && !answer.message.endsWith(` ${owner?.address}`)) {
          await client._slots?.rediscover(other, new Set([owner?.address]));
        }
      }),
    );
  }

  return createPort(nodeRedis, {
    client,
    keyPrefix: String(client._keyPrefix ?? ''),
    borrow() {
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
      // The client of an unreachable node reconnects silently. A duplicate fails with the reason.
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
