/** What a server tells of itself, read from INFO and CONFIG GET. Pure. */

import type { Reply } from '../../redis/port.js';
import { parseReplication, type Replication } from '../../redis/replication.js';

/** Each part is null where this user is not told. */
export interface ServerFacts {
  readonly version: { readonly name: 'Redis' | 'Valkey'; readonly number: string; readonly mode: string } | null;
  readonly memory: { readonly policy: string; readonly maxBytes: number; readonly usedBytes: number } | null;
  readonly persistence: {
    readonly aof: boolean;
    /** Whether snapshots are written by themselves; null: not told. */
    readonly snapshots: boolean | null;
    /** The last attempt to write to disk failed. */
    readonly failing: boolean;
  } | null;
  readonly replication: Replication | null;
}

export function serverFactsOf(info: Reply | Error, save: Reply | Error): ServerFacts {
  if (typeof info !== 'string') return { version: null, memory: null, persistence: null, replication: null };
  const told = new Map(info.split(/\r?\n/).flatMap((line) => asPair(line)));
  const valkey = told.get('valkey_version');
  const version = valkey ?? told.get('redis_version');
  const policy = told.get('maxmemory_policy');
  const aof = told.get('aof_enabled');
  return {
    version:
      version === undefined
        ? null
        : { name: valkey ? 'Valkey' : 'Redis', number: version, mode: told.get('redis_mode') ?? 'standalone' },
    memory:
      policy === undefined
        ? null
        : { policy, maxBytes: Number(told.get('maxmemory') ?? 0), usedBytes: Number(told.get('used_memory') ?? 0) },
    persistence:
      aof === undefined
        ? null
        : {
            aof: aof === '1',
            snapshots: snapshotsIn(save),
            failing:
              told.get('rdb_last_bgsave_status') === 'err' ||
              (aof === '1' &&
                (told.get('aof_last_write_status') === 'err' || told.get('aof_last_bgrewrite_status') === 'err')),
          },
    replication: parseReplication(info),
  };
}

function asPair(line: string): [string, string][] {
  const [, name, value] = /^([^#:]+):(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value]];
}

/** CONFIG GET answers with the name, then the value: '' where no snapshots are written. */
function snapshotsIn(save: Reply | Error): boolean | null {
  if (!Array.isArray(save) || save.length !== 2) return null;
  return String(save[1]) !== '';
}
