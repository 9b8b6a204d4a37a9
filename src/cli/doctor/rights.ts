/**
 * The rights of a Redis user: what a role needs and the user lacks. Every right is tried, without
 * an effect.
 */

import type { Command, RedisPort } from '../../stores/redis/clients/port.js';
import { asStoreError } from '../../stores/redis/errors.js';
import type { RedisNames } from '../../stores/redis/names.js';
import {
  type CommandName,
  costOf,
  keyPattern,
  PUSH_CHANNEL,
  type Right,
  type Role,
  rightsFor,
  type Use,
  usesOf,
} from '../../stores/redis/rights.js';

export interface Lack {
  /** The rule that an operator writes in ACL SETUSER. */
  readonly right: string;
  readonly use: Use;
  readonly cost: string;
}

/** The rights that were tried. */
export interface TriedRights {
  /** The role that the user is compared with: the wanted one, or the one that its rights fit. */
  readonly role: Role;
  /** The rights that this role needs and the user lacks, each once. */
  readonly lacks: readonly Lack[];
  /** The rights that this role does not need and the user has: '+set'. */
  readonly beyond: readonly string[];
  /** True if the user may use push. */
  readonly pushes: boolean;
}

/**
 * Each command in a form without effect. Redis checks rights first, and then finds nothing to do,
 * or a wrong argument.
 */
const attempts: Readonly<Record<TriedCommand, (name: string) => Command>> = {
  eval: (name) => ['EVAL', 'return 1', '1', name],
  get: (name) => ['GET', name],
  pttl: (name) => ['PTTL', name],
  time: () => ['TIME'],
  info: () => ['INFO', 'replication'],
  set: (name) => ['SET', name, '', 'NX', 'XX'],
  pexpireat: (name) => ['PEXPIREAT', name, 'never'],
  'client|id': () => ['CLIENT', 'ID'],
  'client|tracking': () => ['CLIENT', 'TRACKING', 'perhaps'],
  'client|setname': () => ['CLIENT', 'SETNAME', 'no name'],
  ping: () => ['PING'],
  wait: () => ['WAIT', 'some', 'time'],
  zrem: (name) => ['ZREM', name, ''],
  zadd: (name) => ['ZADD', name, 'many', ''],
  zrevrangebyscore: (name) => ['ZREVRANGEBYSCORE', name, 'there', 'here'],
  zcount: (name) => ['ZCOUNT', name, 'here', 'there'],
  scan: () => ['SCAN', 'from', 'here'],
  'cluster|slots': () => ['CLUSTER', 'SLOTS'],
  'config|get': () => ['CONFIG', 'GET', 'save'],
  'acl|whoami': () => ['ACL', 'WHOAMI'],
  'acl|dryrun': () => ['ACL', 'DRYRUN', 'default', 'PING'],
};

type TriedCommand = Exclude<CommandName, 'subscribe'>;

interface Attempt {
  readonly use: Use;
  readonly right: Right;
  readonly command: Command;
  /** The pattern of the key in it. */
  readonly pattern: string | null;
}

function attemptsFor(uses: readonly Use[], names: RedisNames): readonly Attempt[] {
  const keys = { key: names.key, ring: names.ring, fleet: names.fleet, draft: names.draft('doctor') };
  return uses.flatMap((use) =>
    rightsFor(use).flatMap((right): Attempt[] => {
      const { command, on } = right;
      if (command === 'subscribe') return [];
      const attempt = attempts[command];
      if (on.length === 0) return [{ use, right, command: attempt(''), pattern: null }];
      return on.map((kind) => ({ use, right, command: attempt(keys[kind]), pattern: keyPattern(kind, names) }));
    }),
  );
}

/**
 * Tries every right of a role, on connections that are ended afterwards.
 *
 * @param wanted null: a member, or a role that only reads if the user can do no more
 */
export async function tryRights(
  port: RedisPort,
  names: RedisNames,
  wanted: Role | null,
  signal: AbortSignal,
): Promise<TriedRights> {
  // The roles that only read need nothing that a member does not need.
  const tried = attemptsFor(usesOf(wanted === 'operator' ? wanted : 'member'), names);
  const connection = await port.connect(names.key, signal);
  const outcomes = await connection.send(tried.map(({ command }) => command));
  const refused = tried.map(({ right }, index) => missingRight(outcomes[index], right.command, tried[index]?.pattern));
  const lacks = tried.flatMap(({ use, right }, index) => {
    const missing = refused[index] ?? null;
    return missing === null ? [] : [{ right: missing, use, cost: costOf(use, right) }];
  });
  // A subscribed connection can send few other commands.
  const listening = await port.connect(names.key, signal);
  const refusal = await listening
    .subscribe(PUSH_CHANNEL, () => {})
    .then(
      () => null,
      (error: unknown) => error,
    );
  const missing = missingRight(refusal, 'subscribe');
  if (missing !== null) lacks.push({ right: missing, use: 'push', cost: costOf('push', {}) });
  const role = wanted ?? fittingRole(lacks);
  const needed = usesOf(role);
  const own = lacks.filter(({ use }) => needed.includes(use));
  const commands = new Set(usesOf(role, true).flatMap((use) => rightsFor(use).map(({ command }) => command)));
  const more = tried.filter(({ right }, index) => refused[index] === null && !commands.has(right.command));
  return {
    role,
    lacks: own.filter(({ right }, index) => own.findIndex((other) => other.right === right) === index),
    beyond: [...new Set(more.map(({ right }) => `+${right.command}`))],
    pushes: !lacks.some(({ use, cost }) => use === 'push' && cost === costOf('push', {})),
  };
}

/** Returns a role that only reads if the user can read, but neither run scripts nor write. */
function fittingRole(lacks: readonly Lack[]): Role {
  // A right with its own cost is optional.
  const can = (use: Use): boolean => !lacks.some((lack) => lack.use === use && lack.cost === costOf(use, {}));
  const isWriter = ['+eval', '+set'].some((wanted) => lacks.every(({ right }) => right !== wanted));
  if (isWriter) return 'member';
  return (['reader', 'verifier'] as const).find((role) => usesOf(role).every(can)) ?? 'member';
}

/** Returns the missing right, or null if the outcome shows none. */
function missingRight(outcome: unknown, command: string, pattern: string | null = null): string | null {
  if (!(outcome instanceof Error) || asStoreError(outcome).code !== 'ERR_REWT_STORE_DENIED') return null;
  // Not anywhere: the text may also contain a user's name.
  const [, denied] = /permissions to access .*\b(key|channel)s?\b/i.exec(outcome.message) ?? [];
  if (denied === undefined) return `+${command}`;
  return denied.toLowerCase() === 'channel' ? `&${PUSH_CHANNEL}` : `~${pattern ?? '*'}`;
}
