/** One command on a connection of its own, as `redis-cli` sends it, but without a process: on a busy machine each takes a tenth of a second. */
import { Redis } from 'ioredis';

/** Resolves to what `redis-cli` prints, but for the last line break. Rejects with the server's error. */
export async function oneCommand(port: number, ...[name = '', ...rest]: readonly (string | Buffer)[]): Promise<string> {
  // Nothing but the command is sent: servers are counted and refuse.
  const client = new Redis(port, '127.0.0.1', {
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on('error', () => {});
  try {
    return lines(await client.call(String(name), ...rest)).replace(/\n$/, '');
  } finally {
    client.disconnect();
  }
}

function lines(reply: unknown): string {
  return Array.isArray(reply) ? reply.map(lines).join('\n') : String(reply ?? '');
}
