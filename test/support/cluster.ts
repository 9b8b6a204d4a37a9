/**
 * A real Redis Cluster, whose slots move and whose masters are killed, change over as planned, or
 * lose what they acknowledged. None is replaced because a machine paused it.
 */
import { cutReplication, healReplication, isInSync } from './replication.js';
import { type RedisServer, serverGroup, until } from './servers.js';

export interface ClusterOptions {
  readonly masters?: number;
  readonly replicasPerMaster?: 0 | 1;
  /** Settings of every node. */
  readonly args?: readonly string[];
}

export interface ClusterNode extends RedisServer {
  /** Its name within the cluster. */
  readonly id: string;
}

export interface Cluster {
  /** The masters first, then a replica of each in the same order: that is how they start. */
  readonly nodes: readonly ClusterNode[];
  /** The slot of a key. */
  slotOf(key: string): Promise<number>;
  /** The node that owns the slot of a key, once all running nodes agree on it. */
  ownerOf(key: string): Promise<ClusterNode>;
  /** Likewise, but another node than `old`, which was killed: the one that took over from it. */
  ownerAfter(old: ClusterNode, key: string): Promise<ClusterNode>;
  /** A running replica of the owner of a key. */
  replicaOf(key: string): Promise<ClusterNode>;
  /**
   * A planned failover of the key's owner, in which no write is lost. Resolves to the new owner
   * once all nodes agree.
   */
  failover(key: string): Promise<ClusterNode>;
  /**
   * Fails over so that what `write` makes the key's owner acknowledge is lost. Resolves to what
   * `write` did once all nodes agree.
   */
  loseWrites<T>(key: string, write: (owner: ClusterNode) => Promise<T>): Promise<T>;
  /**
   * Moves the key's slot with all its keys to another master; `whenApart` runs while the first of
   * its keys is there and the others are not.
   */
  migrate(key: string, to: ClusterNode, whenApart?: () => Promise<void>): Promise<void>;
  /**
   * Resolves once every running node calls the cluster ok, and every replica has all that its
   * master has.
   */
  inSync(): Promise<void>;
  stop(): Promise<void>;
}

const slotCount = 16_384;

/**
 * Whether replicas leave their master as it is if it fails: always, except while a test waits for
 * the successor of one that it killed.
 */
const noFailover = 'cluster-replica-no-failover';

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { masters = 3, replicasPerMaster = 0, args = [] } = options;
  const group = serverGroup();
  try {
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': 2_000,
      [noFailover]: 'yes',
      'cluster-announce-ip': '127.0.0.1',
    };
    const fast = { 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': 0 };
    const given = Object.entries({ ...settings, ...fast }).flatMap(([setting, value]) => [
      `--${setting}`,
      String(value),
    ]);
    const nodes = await Promise.all(
      Array.from({ length: masters * (1 + replicasPerMaster) }, async () =>
        named(await group.start([...given, ...args])),
      ),
    );
    await introduce(nodes);
    const replicas = nodes.slice(masters);
    await Promise.all(
      nodes.slice(0, masters).map((node, index) => node.cli('CLUSTER', 'ADDSLOTS', ...share(index, masters))),
    );
    await Promise.all(replicas.map((node, index) => node.cli('CLUSTER', 'REPLICATE', nodes[index]?.id ?? '')));
    const cluster = clusterOf(nodes, group.stop);
    await cluster.inSync();
    return cluster;
  } catch (error) {
    await group.stop();
    throw error;
  }
}

/**
 * Adds the node's id to its server, in place: whether it runs, and its pid, are for the server to
 * say.
 */
async function named(server: RedisServer): Promise<ClusterNode> {
  return Object.assign(server, { id: await server.cli('CLUSTER', 'MYID') });
}

/** Makes every node know every other. */
async function introduce(nodes: readonly ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes;
  // Different epochs from the start: nodes that have to settle a collision change their minds on
  // who owns what.
  await Promise.all(nodes.map((node, index) => node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))));
  await until('the nodes know each other', async () => {
    const views = await Promise.all(nodes.map(viewOf));
    // Again, if need be: a node forgets one that does not answer within its timeout.
    for (const { id, port } of others) {
      if (!views[0]?.some((line) => line.id === id)) await first?.cli('CLUSTER', 'MEET', '127.0.0.1', String(port));
    }
    return views.every((view) => nodes.every(({ id }) => view.some((line) => line.id === id && line.connected)));
  });
}

/** The slots of one of so many masters. */
function share(index: number, masters: number): string[] {
  const [from, to] = [index, index + 1].map((part) => Math.round((part * slotCount) / masters)) as [number, number];
  return Array.from({ length: to - from }, (_, offset) => String(from + offset));
}

const unreachable: readonly string[] = ['handshake', 'fail', 'fail?', 'noaddr'];

/** What one node says of all. */
interface Line {
  readonly id: string;
  readonly masterId: string | null;
  readonly connected: boolean;
  readonly slots: readonly (readonly [from: number, to: number])[];
}

async function viewOf(node: RedisServer): Promise<Line[]> {
  return (await node.cli('CLUSTER', 'NODES'))
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', , flags = '', masterId = '-', , , , link, ...slots] = line.split(' ');
      return {
        id,
        masterId: masterId === '-' ? null : masterId,
        connected: link === 'connected' && !flags.split(',').some((flag) => unreachable.includes(flag)),
        // A slot on its way is in brackets.
        slots: slots
          .filter((slot) => !slot.startsWith('['))
          .map((range) => {
            const [from, to = from] = range.split('-').map(Number);
            return [from ?? -1, to ?? -1] as const;
          }),
      };
    });
}

function clusterOf(nodes: readonly ClusterNode[], stop: () => Promise<void>): Cluster {
  const runningNodes = (): readonly ClusterNode[] => nodes.filter(({ running }) => running);
  const byId = (id: string | null | undefined): ClusterNode | undefined => nodes.find((node) => node.id === id);

  async function slotOf(key: string): Promise<number> {
    const [node] = runningNodes();
    return Number(await node?.cli('CLUSTER', 'KEYSLOT', key));
  }

  /** The owner that all running nodes name, none if they do not agree. */
  async function agreedOwner(slot: number): Promise<ClusterNode | undefined> {
    const views = await Promise.all(runningNodes().map(viewOf));
    const owners = views.map((view) =>
      view.find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to)),
    );
    const [owner] = owners;
    return owners.every((other) => other?.id === owner?.id) ? byId(owner?.id) : undefined;
  }

  async function ownerOf(key: string, old?: ClusterNode): Promise<ClusterNode> {
    const slot = await slotOf(key);
    return until(`the nodes agree on an owner of slot ${slot}`, async () => {
      const owner = await agreedOwner(slot);
      return owner !== old && owner?.running && owner;
    });
  }

  async function setNoFailover(value: 'yes' | 'no'): Promise<void> {
    await Promise.all(runningNodes().map((node) => node.cli('CONFIG', 'SET', noFailover, value)));
  }

  async function ownerAfter(old: ClusterNode, key: string): Promise<ClusterNode> {
    await setNoFailover('no');
    await ownerOf(key, old);
    await setNoFailover('yes');
    return ownerOf(key, old);
  }

  async function replicaOf(key: string): Promise<ClusterNode> {
    const owner = await ownerOf(key);
    const replica = (await viewOf(owner)).find(({ id, masterId }) => masterId === owner.id && byId(id)?.running);
    const node = byId(replica?.id);
    if (!node) throw new Error('servers: the owner has no running replica');
    return node;
  }

  async function takeOver(key: string, replica: ClusterNode, ...how: string[]): Promise<ClusterNode> {
    const slot = await slotOf(key);
    let askedMs = 0;
    return until(`slot ${slot} changes over`, async () => {
      // Given up by the nodes after five seconds, if an owner on a busy machine does not answer in
      // time.
      if (Date.now() - askedMs > 6_000) {
        askedMs = Date.now();
        await replica.cli('CLUSTER', 'FAILOVER', ...how).catch(() => {});
      }
      return (await agreedOwner(slot)) === replica && replica;
    });
  }

  async function failover(key: string): Promise<ClusterNode> {
    const owner = await ownerOf(key);
    const replica = await replicaOf(key);
    await until('the replica follows', () => isInSync(replica, owner));
    return takeOver(key, replica);
  }

  async function loseWrites<T>(key: string, write: (owner: ClusterNode) => Promise<T>): Promise<T> {
    const owner = await ownerOf(key);
    const replica = await replicaOf(key);
    await cutReplication(owner);
    try {
      const result = await write(owner);
      await takeOver(key, replica, 'TAKEOVER');
      return result;
    } finally {
      if (owner.running) await healReplication(owner);
    }
  }

  async function migrate(key: string, to: ClusterNode, whenApart?: () => Promise<void>): Promise<void> {
    const slot = String(await slotOf(key));
    const from = await ownerOf(key);
    if (from === to) return;
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    const moveOne = async (): Promise<boolean> => {
      const moving = await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '1');
      if (moving !== '') await from.cli('MIGRATE', '127.0.0.1', String(to.port), moving, '0', '5000');
      return moving !== '';
    };
    await moveOne();
    await whenApart?.();
    while (await moveOne());
    // The new owner first: it is the one that then tells the others, with a new epoch.
    await to.cli('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await from.cli('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
    await until(`the nodes know of slot ${slot}`, async () => (await agreedOwner(Number(slot))) === to);
  }

  async function isSettled(): Promise<boolean> {
    const living = runningNodes();
    const infos = await Promise.all(living.map((node) => node.cli('CLUSTER', 'INFO')));
    if (!infos.every((info) => /cluster_state:ok/.test(info))) return false;
    const views = await Promise.all(living.map(viewOf));
    const roles = views.map((view) =>
      view
        .map(({ id, masterId }) => `${id} ${masterId}`)
        .sort()
        .join('\n'),
    );
    if (new Set(roles).size !== 1) return false;
    const follow = await Promise.all(
      (views[0] ?? []).map(({ id, masterId }) => {
        const [node, master] = [byId(id), byId(masterId)];
        return !node?.running || !master || isInSync(node, master);
      }),
    );
    return follow.every(Boolean);
  }

  return {
    nodes,
    slotOf,
    ownerOf: (key) => ownerOf(key),
    ownerAfter,
    replicaOf,
    failover,
    loseWrites,
    migrate,
    inSync: async () => void (await until('the cluster is ok', isSettled)),
    stop,
  };
}
