/**
 * The rights of a Redis user: what rewt needs and the user lacks, and what the user has beyond
 * that. Every right is tried, without an effect.
 */

import type { Command, Outcomes, RedisPort, Reply } from '../../stores/redis/clients/port.js';
import { asStoreError } from '../../stores/redis/errors.js';
import type { RedisNames } from '../../stores/redis/names.js';
import {
  type CommandName,
  costOf,
  keyPattern,
  PUSH_CHANNEL,
  type Right,
  rightsFor,
  roles,
  type Use,
} from '../../stores/redis/rights.js';

export interface Lack {
  /** The rule that an operator writes in ACL SETUSER. */
  readonly right: string;
  readonly use: Use;
  readonly cost: string;
}

export interface Rights {
  /** The rights that a member needs and this user lacks, each once. */
  readonly lacks: readonly Lack[];
  /**
   * True if the user can read everything, but neither run scripts nor write: a reader, and no
   * member.
   */
  readonly isReader: boolean;
  /** The rights of this user that rewt never uses; null: the server does not show them. */
  readonly excess: readonly string[] | null;
}

/**
 * Each command in a form without effect. Redis checks rights first, and then finds nothing to do,
 * or a wrong argument.
 */
const attempts: Readonly<Record<MemberCommand, (name: string) => Command>> = {
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
  multi: () => ['MULTI'],
  exec: () => ['EXEC'],
};

type MemberCommand = Exclude<
  CommandName,
  'subscribe' | 'scan' | 'cluster|slots' | 'config|get' | 'acl|whoami' | 'acl|dryrun'
>;

interface Attempt {
  readonly use: Use;
  readonly right: Right;
  readonly command: Command;
  /** The pattern of the key in it. */
  readonly pattern: string | null;
}

function attemptsFor(names: RedisNames): readonly Attempt[] {
  const keys = { key: names.key, ring: names.ring, fleet: names.fleet, draft: names.draft('doctor') };
  const all = roles.member.flatMap((use) =>
    rightsFor(use).flatMap((right): Attempt[] => {
      const { command, on } = right;
      if (!(command in attempts)) return [];
      const attempt = attempts[command as MemberCommand];
      if (on.length === 0) return [{ use, right, command: attempt(''), pattern: null }];
      return on.map((kind) => ({ use, right, command: attempt(keys[kind]), pattern: keyPattern(kind, names) }));
    }),
  );
  // After a transaction that this user may start but not end, the connection accepts nothing else.
  const isLast = ({ right: { command } }: Attempt) => command === 'multi' || command === 'exec';
  return [...all.filter((one) => !isLast(one)), ...all.filter(isLast)];
}

/** Tries every right of a member, on connections that are ended afterwards. */
export async function lacksOf(
  port: RedisPort,
  names: RedisNames,
  signal: AbortSignal,
): Promise<Omit<Rights, 'excess'>> {
  const tried = attemptsFor(names);
  const connection = await port.connect(names.key, signal);
  const outcomes = await connection.send(tried.map(({ command }) => command));
  const lacks = tried.flatMap(({ use, right, pattern }, index) => {
    const missing = missingRight(outcomes[index], right.command, pattern);
    return missing === null ? [] : [{ right: missing, use, cost: costOf(use, right) }];
  });
  // A subscribed connection can send few other commands.
  const listening = await port.connect(names.key, signal);
  const refused = await listening
    .subscribe(PUSH_CHANNEL, () => {})
    .then(
      () => null,
      (error: unknown) => error,
    );
  const missing = missingRight(refused, 'subscribe', null);
  if (missing !== null) lacks.push({ right: missing, use: 'push', cost: costOf('push', {}) });
  const isLacking = (wanted: string) => lacks.some(({ right }) => right === wanted);
  const forReaders: readonly Use[] = roles.reader;
  // A right with its own cost is optional.
  const looks = !lacks.some(({ use, cost }) => forReaders.includes(use) && cost === costOf(use, {}));
  return {
    lacks: lacks.filter(({ right }, index) => lacks.findIndex((other) => other.right === right) === index),
    isReader: looks && isLacking('+eval') && isLacking('+set'),
  };
}

/** Returns the missing right, or null if the outcome shows none. */
function missingRight(outcome: unknown, command: string, pattern: string | null): string | null {
  if (!(outcome instanceof Error) || asStoreError(outcome).code !== 'ERR_REWT_STORE_DENIED') return null;
  // Not anywhere: the text may also contain a user's name.
  const [, denied] = /permissions to access .*\b(key|channel)s?\b/i.exec(outcome.message) ?? [];
  if (denied === undefined) return `+${command}`;
  return denied.toLowerCase() === 'channel' ? `&${PUSH_CHANNEL}` : `~${pattern ?? '*'}`;
}

interface Excess {
  readonly name: string;
  readonly command: Command;
}

/** Returns commands that a user of rewt never needs. */
export function excessesOf({ key }: RedisNames): readonly Excess[] {
  return [
    { name: 'FLUSHALL', command: ['FLUSHALL'] },
    { name: 'CONFIG SET', command: ['CONFIG', 'SET', 'maxmemory', '0'] },
    { name: 'SHUTDOWN', command: ['SHUTDOWN'] },
    { name: 'ACL SETUSER', command: ['ACL', 'SETUSER', 'x'] },
    { name: 'KEYS', command: ['KEYS', '*'] },
    { name: "GET of others' keys", command: ['GET', `another:${key}`] },
  ];
}

/**
 * Returns the excess rights. `answers` are the outcomes of ACL DRYRUN, one for each. Redis before 7
 * has none, and a user with minimal rights may not use it.
 */
export function excessOf(excesses: readonly Excess[], answers: Outcomes | null): readonly string[] | null {
  if (answers === null || answers.length === 0 || answers.some((answer: Reply | Error) => typeof answer !== 'string'))
    return null;
  return excesses.filter((_, index) => answers[index] === 'OK').map(({ name }) => name);
}
