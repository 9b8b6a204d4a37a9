/** The facts in a server's replies to INFO and CONFIG GET. Pure. */

import type { Reply } from '../../stores/redis/clients/port.js';
import { parseReplication, type Replication } from '../../stores/redis/replication.js';

/** Each part is null if the server does not show it to this user. */
export interface ServerFacts {
  readonly version: { readonly name: 'Redis' | 'Valkey'; readonly number: string; readonly mode: string } | null;
  readonly memory: { readonly policy: string; readonly maxBytes: number; readonly usedBytes: number } | null;
  readonly persistence: {
    readonly aof: boolean;
    /** True if the server writes snapshots by itself; null: not shown. */
    readonly snapshots: boolean | null;
    /** True if the last attempt to write to disk failed. */
    readonly failing: boolean;
  } | null;
  readonly replication: Replication | null;
}

export function serverFactsOf(info: Reply | Error, save: Reply | Error): ServerFacts {
  if (typeof info !== 'string') return { version: null, memory: null, persistence: null, replication: null };
  const fields = new Map(info.split(/\r?\n/).flatMap((line) => asPair(line)));
  const valkey = fields.get('valkey_version');
  const version = valkey ?? fields.get('redis_version');
  const policy = fields.get('maxmemory_policy');
  const aof = fields.get('aof_enabled');
  return {
    version:
      version === undefined
        ? null
        : { name: valkey ? 'Valkey' : 'Redis', number: version, mode: fields.get('redis_mode') ?? 'standalone' },
    memory:
      policy === undefined
        ? null
        : { policy, maxBytes: Number(fields.get('maxmemory') ?? 0), usedBytes: Number(fields.get('used_memory') ?? 0) },
    persistence:
      aof === undefined
        ? null
        : {
            aof: aof === '1',
            snapshots: snapshotsIn(save),
            failing:
              fields.get('rdb_last_bgsave_status') === 'err' ||
              (aof === '1' &&
                (fields.get('aof_last_write_status') === 'err' || fields.get('aof_last_bgrewrite_status') === 'err')),
          },
    replication: parseReplication(info),
  };
}

function asPair(line: string): [string, string][] {
  const [, name, value] = /^([^#:]+):(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value]];
}

/** Reads CONFIG GET's reply: the name, then the value, '' if no snapshots are written. */
function snapshotsIn(save: Reply | Error): boolean | null {
  if (!Array.isArray(save) || save.length !== 2) return null;
  return String(save[1]) !== '';
}
