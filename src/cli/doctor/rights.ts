/** Which commands rewt needs, which it should not be able to do, and what ACL DRYRUN says of each. Pure. */

import type { RedisNames } from '../../redis/names.js';
import type { Command, Reply } from '../../redis/port.js';

export type Need = 'keyring' | 'push' | 'replicas' | 'members' | 'none';

export interface Ask {
  readonly need: Need;
  /** As the operator writes it in ACL SETUSER. */
  readonly right: string;
  readonly command: Command;
}

export interface Rights {
  /** Null: this Redis knows none, or does not tell. */
  readonly user: string | null;
  /** What is missing, by what it is missed for; null: it does not tell. */
  readonly lacks: Readonly<Record<Exclude<Need, 'none'>, readonly string[]>> | null;
  /** What this user could do, and rewt never does; null: it does not tell. */
  readonly excess: readonly string[] | null;
}

/** None of these is run: ACL DRYRUN only says whether it could be. */
export function asksOf({ key, ring, fleet, draft }: RedisNames): readonly Ask[] {
  const ask = (need: Need, right: string, ...command: Command): Ask => ({ need, right, command });
  return [
    ask('keyring', '+eval', 'EVAL', '', '2', key, ring),
    ask('keyring', `+get ~${key}`, 'GET', key),
    ask('keyring', `+get ~${ring}`, 'GET', ring),
    ask('keyring', '+pttl', 'PTTL', key),
    ask('keyring', '+time', 'TIME'),
    ask('keyring', `+set ~${key}`, 'SET', key, ''),
    ask('keyring', `+set ~${ring}`, 'SET', ring, ''),
    ask('keyring', '+set ~rewt-draft:*', 'SET', draft('doctor'), ''),
    ask('keyring', '+pexpireat', 'PEXPIREAT', key, '1'),
    ask('push', '+client|id', 'CLIENT', 'ID'),
    ask('push', '+client|tracking', 'CLIENT', 'TRACKING', 'OFF'),
    ask('push', '+subscribe &__redis__:invalidate', 'SUBSCRIBE', '__redis__:invalidate'),
    ask('push', '+ping', 'PING'),
    ask('replicas', '+wait', 'WAIT', '1', '1'),
    ask('replicas', '+info', 'INFO', 'replication'),
    ask('members', '+zadd ~rewt-fleet:*', 'ZADD', fleet, '1', 'x'),
    ask('members', '+zrem', 'ZREM', fleet, 'x'),
    ask('members', '+zremrangebyscore', 'ZREMRANGEBYSCORE', fleet, '0', '1'),
    ask('members', '+zrangebyscore', 'ZRANGEBYSCORE', fleet, '0', '1'),
    ask('members', '+zcount', 'ZCOUNT', fleet, '0', '1'),
    ask('none', 'FLUSHALL', 'FLUSHALL'),
    ask('none', 'CONFIG SET', 'CONFIG', 'SET', 'maxmemory', '0'),
    ask('none', 'SHUTDOWN', 'SHUTDOWN'),
    ask('none', 'ACL SETUSER', 'ACL', 'SETUSER', 'x'),
    ask('none', 'KEYS', 'KEYS', '*'),
    ask('none', "GET of others' keys", 'GET', `another:${key}`),
  ];
}

/** `answers`: of ACL DRYRUN, one for each ask. */
export function rightsOf(user: string | null, asks: readonly Ask[], answers: readonly (Reply | Error)[]): Rights {
  const verdicts = asks.map((ask, index) => ({ ...ask, answer: answers[index] ?? new Error('not asked') }));
  // Before Redis 7 there is no DRYRUN, and a user with no more rights than it needs may not ask.
  if (user === null || verdicts.some(({ answer }) => typeof answer !== 'string')) {
    return { user, lacks: null, excess: null };
  }
  const missing = (need: Need): string[] =>
    verdicts.filter((one) => one.need === need && one.answer !== 'OK').map(({ right }) => right);
  return {
    user,
    lacks: {
      keyring: missing('keyring'),
      push: missing('push'),
      replicas: missing('replicas'),
      members: missing('members'),
    },
    excess: verdicts.filter((one) => one.need === 'none' && one.answer === 'OK').map(({ right }) => right),
  };
}
