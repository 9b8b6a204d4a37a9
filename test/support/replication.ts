/**
 * What replicas hear of their master, and how to keep it from them: the one way that an
 * acknowledged write is lost for certain.
 */
import type { RedisServer } from './servers.js';

/** From here on no replica hears of what the master acknowledges, however often it asks to. */
export async function cutReplication(master: RedisServer): Promise<void> {
  // The rights first: a replica that is thrown out is back at once.
  await master.cli('ACL', 'SETUSER', 'default', '-psync', '-sync');
  await master.cli('CLIENT', 'KILL', 'TYPE', 'replica');
}

export async function healReplication(master: RedisServer): Promise<void> {
  await master.cli('ACL', 'SETUSER', 'default', '+psync', '+sync');
}

/** Whether `replica` follows `master` and has all that it sent. */
export async function isInSync(replica: RedisServer, master: RedisServer): Promise<boolean> {
  const [there, here] = await Promise.all([replication(replica), replication(master)]);
  return (
    here.role === 'master' &&
    there.role === 'slave' &&
    there.master_port === String(master.port) &&
    there.master_link_status === 'up' &&
    there.slave_repl_offset === here.master_repl_offset
  );
}

export async function isMaster(server: RedisServer): Promise<boolean> {
  return (await replication(server)).role === 'master';
}

async function replication(server: RedisServer): Promise<Record<string, string>> {
  const lines = (await server.cli('INFO', 'replication')).split(/\r?\n/);
  return Object.fromEntries(lines.filter((line) => line.includes(':')).map((line) => line.split(':', 2)));
}
