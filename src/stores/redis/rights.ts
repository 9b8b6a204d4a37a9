/**
 * The rights that a Redis user needs: which command, on which keys, for what, and what the user
 * lacks without it.
 *
 * `rewt acl`, the doctor's check, the sentences of errors and the lines and the table in
 * docs/clients.md are made from this table. Pure.
 */

import { namespaceOf, patternOf, type RedisNames, redisNames } from './names.js';

/** The purpose of a right. */
export type Use = keyof typeof uses;

/** The keys of a namespace, as ACL SETUSER names them. */
export type KeyKind = 'key' | 'ring' | 'draft' | 'fleet';

/** One command, sent directly or run in a script. */
export interface Right<Command extends string = CommandName> {
  readonly command: Command;
  /** The keys that it is used on. */
  readonly on: readonly KeyKind[];
  /** The effect of lacking this right, if it differs from that of its use. */
  readonly cost?: string;
}

/**
 * The channel on which RESP2 receives tracking messages that are redirected to the same connection.
 */
export const PUSH_CHANNEL = '__redis__:invalidate';

const clock = right('time');

/** The effect of lacking the rights of each use. */
const uses = {
  read: {
    cost: 'members can neither sign nor verify',
    rights: [right('eval', ['key', 'ring']), right('get', ['key', 'ring']), right('pttl', ['key']), clock],
  },
  write: {
    cost: 'no member can begin, rotate or revoke the keyring',
    rights: [
      right('set', ['draft', 'key', 'ring']),
      right('get', ['draft']),
      right('pexpireat', ['key', 'ring', 'draft']),
    ],
  },
  role: {
    cost: 'a replica that takes writes is taken for the master, and may not know of a revocation',
    rights: [right('info')],
  },
  push: {
    cost: 'members notice a change at a later read, and not at once',
    rights: [
      right('client|id'),
      right('client|tracking'),
      right('subscribe'),
      right('ping', [], 'each check of the push connection is refused, and becomes an entry in ACL LOG'),
      right('client|setname', [], 'CLIENT LIST does not show which connections are for push'),
    ],
  },
  replicas: {
    cost: 'rotate() and revoke() do not know how many replicas have the change',
    rights: [right('info'), right('set', ['draft']), right('wait'), right('get', ['ring'])],
  },
  announce: {
    cost: 'a member with a memberName cannot announce itself, and rewt status does not count it',
    rights: [
      right('eval', ['fleet']),
      clock,
      right('zrem', ['fleet']),
      right('zrevrangebyscore', ['fleet']),
      right('zadd', ['fleet']),
      right('pttl', ['fleet']),
      right('pexpireat', ['fleet']),
    ],
  },
  look: {
    cost: 'readOnly members and the commands that only read (status, verify, doctor, list) do not work',
    rights: [
      right('info', [], 'readOnly members verify nothing, and the commands that only read do not recognise a replica'),
      clock,
      right('get', ['key', 'ring']),
      right('pttl', ['key']),
    ],
  },
  fleet: {
    cost: 'rewt status does not show the fleet, and rewt rotate cannot warn of members that lag behind',
    rights: [clock, right('zrevrangebyscore', ['fleet']), right('zcount', ['fleet'])],
  },
  find: { cost: 'rewt list does not find keyrings', rights: [right('scan'), right('cluster|slots')] },
  examine: {
    cost: 'rewt doctor does not see snapshots and superfluous rights',
    rights: [right('config|get'), right('acl|whoami'), right('acl|dryrun')],
  },
} as const satisfies Record<string, { readonly cost: string; readonly rights: readonly Right<string>[] }>;

export type CommandName = (typeof uses)[keyof typeof uses]['rights'][number]['command'];

/** The uses of each role. */
export const roles = {
  /** A service. Its user may also run the commands that only read. */
  member: ['read', 'write', 'role', 'push', 'replicas', 'announce', 'look', 'fleet'],
  /** A person who runs every command. */
  operator: ['read', 'write', 'role', 'push', 'replicas', 'announce', 'look', 'fleet', 'find', 'examine'],
  /** A person who only reads: no scripts, no writes. */
  reader: ['look', 'fleet'],
  /** A service with `readOnly`: no scripts, no writes, no announcements. It can still forge. */
  verifier: ['look'],
} as const satisfies Record<string, readonly Use[]>;

export type Role = keyof typeof roles;

export function costOf(use: Use, { cost }: Pick<Right, 'cost'>): string {
  return cost ?? uses[use].cost;
}

export function rightsFor(use: Use): readonly Right[] {
  return uses[use].rights;
}

/** Returns the pattern for one kind of keys, and no others. */
export function keyPattern(kind: KeyKind, { key, ring, fleet, drafts }: RedisNames): string {
  const exact = { key, ring, fleet };
  return kind === 'draft' ? `${patternOf(drafts)}*` : patternOf(exact[kind]);
}

/** Checks for a role without any right to write. */
export function isReading(role: Role): boolean {
  return !usesOf(role).includes('write');
}

/** Returns the uses of a role. With `push`, that of the push connection as well. */
export function usesOf(role: Role, push = false): readonly Use[] {
  const uses: readonly Use[] = roles[role];
  return push && !uses.includes('push') ? [...uses, 'push'] : uses;
}

/**
 * Returns the rules of ACL SETUSER for one role: the keys, then a line for each use with the
 * commands that the earlier lines did not grant.
 */
export function aclRules(role: Role, names: RedisNames, push = false): readonly (readonly string[])[] {
  const wanted = usesOf(role, push);
  const kinds = new Set(wanted.flatMap((use) => rightsFor(use).flatMap(({ on }) => on)));
  const reads = isReading(role) ? '%R~' : '~';
  const keys = [...kinds].map((kind) => reads + keyPattern(kind, names));
  const granted = new Set<string>();
  const lines = wanted.map((use) => {
    const commands = rightsFor(use).map(({ command }) => `+${command}`);
    const more = commands.filter((command) => !granted.has(command));
    for (const command of more) granted.add(command);
    return use === 'push' ? [`&${PUSH_CHANNEL}`, ...more] : more;
  });
  return [keys, ...lines.filter((line) => line.length > 0)];
}

/** Lists the commands of some uses for a sentence: 'EVAL, GET and SET'. */
export function commandsInWords(...wanted: readonly Use[]): string {
  const commands = wanted.flatMap((use) =>
    rightsFor(use).map(({ command }) => command.replace('|', ' ').toUpperCase()),
  );
  const unique = [...new Set(commands)];
  return `${unique.slice(0, -1).join(', ')} and ${unique.at(-1)}`;
}

/** Returns the rules of ACL SETUSER that grant the commands of some uses: '+eval +get'. */
export function commandRules(...wanted: readonly Use[]): string {
  return [...new Set(wanted.flatMap((use) => rightsFor(use).map(({ command }) => `+${command}`)))].join(' ');
}

/** Returns the rules for the keys of a role, for the namespace with this K. */
export function keyRules(key: string, keyPrefix: string, role: Role = 'member'): string | null {
  const namespace = namespaceOf(key, keyPrefix);
  return namespace === null ? null : (aclRules(role, redisNames(namespace, keyPrefix))[0]?.join(' ') ?? null);
}

function right<const Command extends string>(
  command: Command,
  on: readonly KeyKind[] = [],
  cost?: string,
): Right<Command> {
  return cost === undefined ? { command, on } : { command, on, cost };
}
