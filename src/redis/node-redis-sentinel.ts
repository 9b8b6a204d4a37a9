/** node-redis 5 and 6 through sentinels (`createSentinel`). */

import { within } from '../deadline.js';
import { createPort } from './client-port.js';
import { isRefusal } from './failure.js';
import { keepingLast, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import { asError, settle } from './outcomes.js';
import type { Outcomes, RedisPort } from './port.js';

/** What rewt uses of such a client. */
export interface NodeRedisSentinel extends ManyClients {
  /**
   * What every command of theirs goes through. `use()` would do for one connection, but waits until no other command is on its way,
   * on a busy client for ever, and gives no client that could be duplicated.
   */
  _execute<T>(isReadonly: false, task: (master: NodeRedisClient) => Promise<T>): Promise<T>;
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
  readonly isReady: boolean;
  /** Version 6. */
  duplicate?(overrides: object): NodeRedisSentinel;
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/** After so long without an answer, it is found out why the client is not connected. */
const PATIENCE_MS = 200;
const PROBE_MS = 3_000;

export function nodeRedisSentinelPort(client: NodeRedisSentinel): RedisPort {
  const mustBeOpen = opennessOf(client);
  // The application may hold its only lease, also across a failover: a copy of its client leads to the new master.
  const { execute, duplicate } = keepingLast(
    (task) => client._execute(false, task),
    ({ options, isOpen }) => {
      const master = client.getMasterNode();
      return master || isOpen ? { ...options?.socket, ...master } : null;
    },
  );
  let probe: Promise<Error | null> | null = null;

  /** The client tries again in silence, whatever its master answers. */
  async function refusal(): Promise<Error | null> {
    if (client.isReady) return null;
    probe ??= refusalOf(client, () => {
      probe = null;
    });
    return probe;
  }

  return createPort(nodeRedis, {
    client,
    keyPrefix: String(client._keyPrefix ?? ''),
    lend() {
      mustBeOpen();
      return (commands) => {
        const sent = execute(async (master) => mustBeMaster(await sendOn(master, commands)));
        const refused = async (): Promise<Outcomes> => {
          const error = await refusal();
          return error === null ? sent : [error];
        };
        return within(PATIENCE_MS, sent, late).catch(() => Promise.race([sent, refused()]));
      };
    },
    create() {
      mustBeOpen();
      return duplicate();
    },
    ownerOf() {
      const master = client.getMasterNode();
      return master && `${master.host}:${master.port}`;
    },
  });
}

/** Of a demoted master the sentinel client hears by an error that is thrown: it then asks for the new one, and sends all again. */
function mustBeMaster(outcomes: Outcomes): Outcomes {
  for (const outcome of outcomes) {
    if (outcome instanceof Error && outcome.message.startsWith('READONLY')) throw outcome;
  }
  return outcomes;
}

/**
 * What the master has against such a client; null: nothing, or it may be for a while only.
 *
 * @param over called once the copy is gone: it cannot be ended while a sentinel is silent
 */
async function refusalOf(client: NodeRedisSentinel, over: () => void): Promise<Error | null> {
  const other = client.duplicate?.({
    ...{ maxCommandRediscovers: 0, reserveClient: false, scanInterval: 0 },
    ...{ masterPoolSize: 1, replicaPoolSize: 0, clientSideCache: undefined },
  });
  if (other === undefined) return null;
  other.on('error', () => {});
  try {
    await within(PROBE_MS, other.connect(), late);
    return null;
  } catch (error) {
    return isRefusal(error) ? asError(error) : null;
  } finally {
    void settle(() => other.destroy()).then(over);
  }
}

function late(): Error {
  return new Error('timed out');
}
