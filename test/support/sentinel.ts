/**
 * A real master with replicas and three sentinels, which fail over if the master is killed, as
 * planned, or so that a write is lost. They never fail over because a machine paused one of the
 * processes.
 */
import { cutReplication, healReplication, isInSync, isMaster } from './replication.js';
import { type RedisServer, serverGroup, until } from './servers.js';

export interface SentinelOptions {
  readonly replicas?: 1 | 2;
  /** Settings of the master and its replicas. */
  readonly args?: readonly string[];
}

export interface SentinelSetup {
  /** What the sentinels call the master. */
  readonly name: string;
  /** Where the sentinels are, as clients want them. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly sentinels: readonly RedisServer[];
  /** The master and its replicas; at the start the first is the master. */
  readonly nodes: readonly RedisServer[];
  /** Who the sentinels say is the master. */
  master(): Promise<RedisServer>;
  /**
   * Resolves to the new master after `old` was killed, once every running sentinel names the same
   * one, and it agrees.
   */
  masterAfter(old: RedisServer): Promise<RedisServer>;
  /**
   * A planned failover. Resolves to the new master as soon as every sentinel knows it: the old one
   * goes on taking (and losing) writes until it is demoted, some ten seconds later.
   */
  failover(): Promise<RedisServer>;
  /**
   * Fails over so that what `write` makes the present master acknowledge is lost. Resolves, when
   * `failover()` would, to what `write` did.
   */
  loseWrites<T>(write: (master: RedisServer) => Promise<T>): Promise<T>;
  /** Does to a former master at once what the sentinels do to it when they get round to it. */
  demote(old: RedisServer): Promise<void>;
  /** Resolves once every running node but the master follows it and has all its writes. */
  inSync(): Promise<void>;
  stop(): Promise<void>;
}

const name = 'rewt-master';
const sentinelCount = 3;

/**
 * How long a silent master counts as running: for ever, except while a test waits for the successor
 * of one that it killed.
 */
const downAfterMs = { patient: 3_600_000, waiting: 1_000 };

export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelSetup> {
  const { replicas = 1, args = [] } = options;
  const group = serverGroup();
  try {
    const settings = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0', ...args];
    // Each with a config file, so that a node which starts again is what the sentinels last made of
    // it.
    const first = await group.start(settings, '');
    const follow = `replicaof 127.0.0.1 ${first.port}\n`;
    const followers = await Promise.all(Array.from({ length: replicas }, () => group.start(settings, follow)));
    // A sentinel asks its master at once for replicas, and then only every ten seconds.
    await until('the replicas follow', () => allOf(followers, (node) => isInSync(node, first)));
    const monitor = [
      `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs.patient}`,
      `sentinel failover-timeout ${name} 10000`,
      `sentinel parallel-syncs ${name} ${replicas}`,
    ].join('\n');
    const sentinels = await Promise.all(
      Array.from({ length: sentinelCount }, () => group.start(['--sentinel'], monitor)),
    );
    // One that was paused for two seconds would not act for the next thirty. Redis 6 cannot be set
    // so.
    await Promise.all(
      sentinels.map((sentinel) => sentinel.cli('SENTINEL', 'DEBUG', 'TILT-TRIGGER', '3600000').catch(() => {})),
    );
    await until('the sentinels know each other and the replicas', () =>
      allOf(sentinels, (sentinel) => isReady(sentinel, replicas)),
    );
    return sentinelSetup([first, ...followers], sentinels, group.stop);
  } catch (error) {
    await group.stop();
    throw error;
  }
}

async function allOf(
  servers: readonly RedisServer[],
  holds: (server: RedisServer) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(servers.map(holds))).every(Boolean);
}

/**
 * Whether it would take part in a failover now: it knows the others, and a replica that it could
 * promote.
 */
async function isReady(sentinel: RedisServer, replicas: number): Promise<boolean> {
  const others = await sentinel.cli('SENTINEL', 'SENTINELS', name);
  const known = await sentinel.cli('SENTINEL', 'SLAVES', name);
  const count = (text: string, line: RegExp): number => text.match(line)?.length ?? 0;
  return (
    count(others, /^runid\n[0-9a-f]{40}$/gm) === sentinelCount - 1 &&
    count(others, /^flags\nsentinel$/gm) === sentinelCount - 1 &&
    count(known, /^flags\nslave$/gm) === replicas &&
    count(known, /^master-link-status\nok$/gm) === replicas
  );
}

function sentinelSetup(
  nodes: readonly RedisServer[],
  sentinels: readonly RedisServer[],
  stop: () => Promise<void>,
): SentinelSetup {
  const runningSentinels = (): readonly RedisServer[] => sentinels.filter(({ running }) => running);

  async function masterOf(sentinel: RedisServer): Promise<RedisServer | undefined> {
    const [, port] = (await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)).split('\n');
    return nodes.find((node) => node.port === Number(port));
  }

  function master(): Promise<RedisServer> {
    return until('a sentinel names the master', async () => {
      const [sentinel] = runningSentinels();
      return sentinel && masterOf(sentinel);
    });
  }

  /** The master that every sentinel names and that agrees, if it is another than `old`. */
  async function successorOf(old: RedisServer): Promise<RedisServer | null> {
    const [candidate, ...others] = await Promise.all(runningSentinels().map(masterOf));
    if (!candidate || candidate === old || others.some((other) => other !== candidate)) return null;
    return (await isMaster(candidate)) ? candidate : null;
  }

  async function setDownAfter(ms: number): Promise<void> {
    const setting = ['down-after-milliseconds', String(ms)];
    await Promise.all(runningSentinels().map((sentinel) => sentinel.cli('SENTINEL', 'SET', name, ...setting)));
  }

  async function masterAfter(old: RedisServer): Promise<RedisServer> {
    const successor = (): Promise<RedisServer> => until('every sentinel names a new master', () => successorOf(old));
    await setDownAfter(downAfterMs.waiting);
    await successor();
    await setDownAfter(downAfterMs.patient);
    // Had it been paused until then, it could have a successor by now.
    await until('no further failover is under way', failoverIsOver);
    return successor();
  }

  /** A sentinel names the new master some time before it is done with the replicas. */
  async function failoverIsOver(): Promise<boolean> {
    const states = await Promise.all(runningSentinels().map((sentinel) => sentinel.cli('SENTINEL', 'MASTER', name)));
    return !states.some((state) => state.includes('failover_in_progress'));
  }

  async function failover(): Promise<RedisServer> {
    const old = await master();
    return until('every sentinel names a new master', async () => {
      const [first] = runningSentinels();
      // Refused while a failover is not over, or no replica is known to be good enough: both pass.
      // Given up if the replica is slow to become the master.
      if (first && (await masterOf(first)) === old) await first.cli('SENTINEL', 'FAILOVER', name).catch(() => {});
      return successorOf(old);
    });
  }

  return {
    name,
    addresses: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    sentinels,
    nodes,
    master,
    masterAfter,
    failover,
    async loseWrites(write) {
      // A failover that is under way waits for replicas to follow, which they then could not.
      await until('an earlier failover is over', failoverIsOver);
      const old = await master();
      await cutReplication(old);
      try {
        const result = await write(old);
        await (old.running ? failover() : masterAfter(old));
        return result;
      } finally {
        if (old.running) await healReplication(old);
      }
    },
    async demote(old) {
      await old.cli('REPLICAOF', '127.0.0.1', String((await master()).port));
      await old.cli('CLIENT', 'KILL', 'TYPE', 'normal');
    },
    async inSync() {
      await until('the others follow the master', async () => {
        const current = await master();
        const others = nodes.filter((node) => node !== current && node.running);
        return (await failoverIsOver()) && (await allOf(others, (node) => isInSync(node, current)));
      });
    },
    stop,
  };
}
