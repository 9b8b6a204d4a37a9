/** The client that a member of the fault suite brings along: as an application would make it. */

/**
 * A client of `redis` or `ioredis`, connected or connecting, for a place: { client, port, user? },
 * or { client, sentinels, name, failoverDetector }, or { client, nodes }. Sentinels and nodes are {
 * host, port }.
 */
export async function connect(place) {
  const client = place.client === 'ioredis' ? await ioredis(place) : await nodeRedis(place);
  // A client without a listener takes the process along.
  client.on('error', () => {});
  if (place.client === 'redis') await client.connect();
  return client;
}

async function ioredis({ port, user, sentinels, name, failoverDetector, nodes }) {
  const { Redis, Cluster } = await import('ioredis');
  if (nodes) return new Cluster(nodes);
  if (sentinels) return new Redis({ sentinels, name, failoverDetector });
  return new Redis({ host: '127.0.0.1', port, ...user });
}

async function nodeRedis({ port, user, sentinels, name, nodes }) {
  const { createClient, createCluster, createSentinel } = await import('redis');
  if (nodes) return createCluster({ rootNodes: nodes.map((socket) => ({ socket })) });
  if (sentinels) return createSentinel({ name, sentinelRootNodes: sentinels });
  return createClient({ ...user, socket: { host: '127.0.0.1', port } });
}
