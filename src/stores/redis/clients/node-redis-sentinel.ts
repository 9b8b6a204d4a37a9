/** node-redis 5 and 6 through sentinels (`createSentinel`). */

import { within } from '../../../async/race.js';
import { isRefusal } from '../errors.js';
import { parseReplication } from '../replication.js';
import { createPort } from './dedicated.js';
import { keepingLast, type ManyClients, type NodeRedisClient, nodeRedis, opennessOf, sendOn } from './node-redis.js';
import { asError, settle } from './outcomes.js';
import type { Outcomes, RedisPort } from './port.js';

/** The part of such a client that rewt uses. */
export interface NodeRedisSentinel extends ManyClients {
  /**
   * Runs every command of the client. `use()` would reserve one connection, but waits until no
   * other command is in flight. On a busy client it waits for ever, and its client cannot be
   * duplicated.
   */
  _execute<T>(isReadonly: false, task: (master: NodeRedisClient) => Promise<T>): Promise<T>;
  getMasterNode(): { readonly host: string; readonly port: number } | undefined;
  readonly isReady: boolean;
  /** From version 6 on. */
  duplicate?(overrides: object): NodeRedisSentinel;
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/** The time without a reply after which a check finds out why the client is not connected. */
const PATIENCE_MS = 200;
const PROBE_MS = 3_000;

export function nodeRedisSentinelPort(client: NodeRedisSentinel): RedisPort {
  const mustBeOpen = opennessOf(client);
  // The application may hold its only lease, even across a failover: a copy of its client leads to
  // the new master.
  const { execute, duplicate } = keepingLast(
    (task) => client._execute(false, task),
    ({ options, isOpen }) => {
      const master = client.getMasterNode();
      return master || isOpen ? { ...options?.socket, ...master } : null;
    },
  );
  let probe: Promise<Error | null> | null = null;

  /** Returns why the client is not connected: it retries silently, whatever its master replies. */
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
    borrow() {
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

/**
 * Throws for a demoted master, which a write or `INFO` shows. The sentinel client reacts only to an
 * error: it then looks up the new master and sends all commands again.
 */
function mustBeMaster(outcomes: Outcomes): Outcomes {
  for (const outcome of outcomes) {
    if (outcome instanceof Error && outcome.message.startsWith('READONLY')) throw outcome;
    if (parseReplication(outcome)?.role === 'replica') throw new Error('READONLY');
  }
  return outcomes;
}

/**
 * Returns the master's error for such a client. Null if there is none, or it may be temporary.
 *
 * @param over called once the copy has ended: it cannot be ended while a sentinel is silent
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
