/**
 * The rights that a user of Redis needs: which command, on which keys, for what, and what it costs to lack it.
 *
 * The doctor's check, the words of errors and the lines in docs/clients.md are made from this table. Pure.
 */

import { namespaceOf, patternOf, type RedisNames, redisNames } from './names.js';

/** What a right is for. */
export type Use = keyof typeof uses;

/** The keys of a namespace, as ACL SETUSER names them. */
export type KeyKind = 'key' | 'ring' | 'draft' | 'fleet';

/** One command that is sent, or run inside a script. */
export interface Right<Command extends string = CommandName> {
  readonly command: Command;
  /** The keys that it is used on. */
  readonly on: readonly KeyKind[];
  /** What this right in particular costs to lack, if that is not what its use says. */
  readonly cost?: string;
}

/** Where tracking that is redirected to its own connection arrives in RESP2. */
export const PUSH_CHANNEL = '__redis__:invalidate';

const clock = right('time');

const readTwice = 'the commands that only read do not see secret and ring at one instant, and read them again';

/** By use, and what a user without it goes without. */
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
    cost: 'members notice a change after up to two seconds, and not at once',
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
    cost: 'the commands that only read (status, verify, doctor, list) do not work',
    rights: [
      right('multi', [], readTwice),
      right('exec', [], readTwice),
      right('info'),
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

/** Who uses what. */
export const roles = {
  /** A service; its user may run the commands that only read, too. */
  member: ['read', 'write', 'role', 'push', 'replicas', 'announce', 'look', 'fleet'],
  /** A person who runs every command. */
  operator: ['read', 'write', 'role', 'push', 'replicas', 'announce', 'look', 'fleet', 'find', 'examine'],
  /** Whoever looks: no scripts, no writes. */
  reader: ['look', 'fleet'],
} as const satisfies Record<string, readonly Use[]>;

export type Role = keyof typeof roles;

export function costOf(use: Use, { cost }: Pick<Right, 'cost'>): string {
  return cost ?? uses[use].cost;
}

export function rightsFor(use: Use): readonly Right[] {
  return uses[use].rights;
}

/** The pattern of one kind of keys, and of no others. */
export function keyPattern(kind: KeyKind, { key, ring, fleet, drafts }: RedisNames): string {
  const exact = { key, ring, fleet };
  return kind === 'draft' ? `${patternOf(drafts)}*` : patternOf(exact[kind]);
}

/** The rules of ACL SETUSER for one role: keys, then a line for each use with what those before did not grant. */
export function aclRules(role: Role, names: RedisNames): readonly (readonly string[])[] {
  const kinds = new Set(roles[role].flatMap((use) => rightsFor(use).flatMap(({ on }) => on)));
  const reads = role === 'reader' ? '%R~' : '~';
  const keys = [...kinds].map((kind) => reads + keyPattern(kind, names));
  const granted = new Set<string>();
  const lines = roles[role].map((use) => {
    const commands = rightsFor(use).map(({ command }) => `+${command}`);
    const more = commands.filter((command) => !granted.has(command));
    for (const command of more) granted.add(command);
    return use === 'push' ? [`&${PUSH_CHANNEL}`, ...more] : more;
  });
  return [keys, ...lines.filter((line) => line.length > 0)];
}

/** The commands of some uses as a sentence has them: 'EVAL, GET and SET'. */
export function commandsInWords(...wanted: readonly Use[]): string {
  const commands = wanted.flatMap((use) =>
    rightsFor(use).map(({ command }) => command.replace('|', ' ').toUpperCase()),
  );
  const unique = [...new Set(commands)];
  return `${unique.slice(0, -1).join(', ')} and ${unique.at(-1)}`;
}

/** The rules of ACL SETUSER that grant the commands of some uses: '+eval +get'. */
export function commandRules(...wanted: readonly Use[]): string {
  return [...new Set(wanted.flatMap((use) => rightsFor(use).map(({ command }) => `+${command}`)))].join(' ');
}

/** The rules for the keys of a member, of the namespace that has this K. */
export function keyRules(key: string, keyPrefix: string): string | null {
  const namespace = namespaceOf(key, keyPrefix);
  return namespace === null ? null : (aclRules('member', redisNames(namespace, keyPrefix))[0]?.join(' ') ?? null);
}

function right<const Command extends string>(
  command: Command,
  on: readonly KeyKind[] = [],
  cost?: string,
): Right<Command> {
  return cost === undefined ? { command, on } : { command, on, cost };
}
