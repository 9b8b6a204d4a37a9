/** What a user of Redis may not do of what rewt needs, and what it may do beyond that. Every right is tried, and nothing is run. */

import { asStoreError } from '../../redis/failure.js';
import type { RedisNames } from '../../redis/names.js';
import type { Command, Outcomes, RedisPort, Reply } from '../../redis/port.js';
import {
  type CommandName,
  costOf,
  keyPattern,
  PUSH_CHANNEL,
  type Right,
  rightsFor,
  roles,
  type Use,
} from '../../redis/rights.js';

export interface Lack {
  /** As the operator writes it in ACL SETUSER. */
  readonly right: string;
  readonly use: Use;
  readonly cost: string;
}

export interface Rights {
  /** What a member needs and this user lacks, each right once. */
  readonly lacks: readonly Lack[];
  /** Whether it may look but not be a member: it reads everything, and neither runs scripts nor writes. */
  readonly isReader: boolean;
  /** What this user could do, and rewt never does; null: the server does not tell. */
  readonly excess: readonly string[] | null;
}

/** Each command in a form without effect: Redis looks at rights first, and then finds nothing to do, or something wrong with the arguments. */
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
  // A transaction that this user may begin and not end is the last thing on a connection.
  const isLast = ({ right: { command } }: Attempt) => command === 'multi' || command === 'exec';
  return [...all.filter((one) => !isLast(one)), ...all.filter(isLast)];
}

/** Tries all that a member needs, on connections that are ended afterwards. */
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
  // A connection that is subscribed can do little else.
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
  // A right with a cost of its own can be done without.
  const looks = !lacks.some(({ use, cost }) => forReaders.includes(use) && cost === costOf(use, {}));
  return {
    lacks: lacks.filter(({ right }, index) => lacks.findIndex((other) => other.right === right) === index),
    isReader: looks && isLacking('+eval') && isLacking('+set'),
  };
}

/** Null for an outcome that shows no missing right. */
function missingRight(outcome: unknown, command: string, pattern: string | null): string | null {
  if (!(outcome instanceof Error) || asStoreError(outcome).code !== 'ERR_REWT_STORE_DENIED') return null;
  // Not anywhere: the name of a user may be in the text as well.
  const [, denied] = /permissions to access .*\b(key|channel)s?\b/i.exec(outcome.message) ?? [];
  if (denied === undefined) return `+${command}`;
  return denied.toLowerCase() === 'channel' ? `&${PUSH_CHANNEL}` : `~${pattern ?? '*'}`;
}

interface Excess {
  readonly name: string;
  readonly command: Command;
}

/** What a user for rewt has no use for. */
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

/** `answers`: of ACL DRYRUN, one for each. Redis before 7 has none, and a user with no more rights than it needs may not use it. */
export function excessOf(asked: readonly Excess[], answers: Outcomes | null): readonly string[] | null {
  if (answers === null || answers.length === 0 || answers.some((answer: Reply | Error) => typeof answer !== 'string'))
    return null;
  return asked.filter((_, index) => answers[index] === 'OK').map(({ name }) => name);
}
