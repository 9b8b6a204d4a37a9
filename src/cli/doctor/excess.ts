/**
 * The rights that a user has beyond those of rewt, as far as the server shows them: by ACL GETUSER,
 * and by ACL DRYRUN, which Redis has from 7.0 on. Pure.
 */

import type { Command, Reply } from '../../stores/redis/clients/port.js';
import type { AllRedisNames, RedisNames } from '../../stores/redis/names.js';
import { aclRules, type Role } from '../../stores/redis/rights.js';

/** Commands that only other users of Redis need, each as ACL DRYRUN takes it. */
export function dangersFor({ key }: RedisNames): readonly { readonly name: string; readonly command: Command }[] {
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
 * Returns the dangers that ACL DRYRUN allows; null if the server does not show it. `answers` has
 * one outcome for each.
 */
export function dangersIn(
  dangers: readonly { readonly name: string }[],
  answers: readonly (Reply | Error)[],
): readonly string[] | null {
  if (answers.length === 0 || answers.some((answer) => typeof answer !== 'string')) return null;
  return dangers.filter((_, index) => answers[index] === 'OK').map(({ name }) => name);
}

/** Commands that clients send by themselves, and the one that shows these rules. */
const ofClients = '+cluster|slots +cluster|info +readonly +select +client|setinfo +hello +auth +quit +acl|getuser';

/**
 * Returns the rules in the reply to ACL GETUSER that the role does not need: '~*', '+@all'. Null
 * for any other reply. Never includes the hashes of passwords, which are in the reply.
 */
export function excessIn(reply: Reply | Error, role: Role, names: AllRedisNames): readonly string[] | null {
  if (!Array.isArray(reply)) return null;
  const fields = fieldsOf(reply);
  const selectors = listIn(fields.get('selectors')).flatMap((one) => (Array.isArray(one) ? [fieldsOf(one)] : []));
  const known = new Set(
    [names, ...(names.before === null ? [] : [names.before])]
      .flatMap((each) => aclRules(role, each, true).flat())
      .concat(ofClients.split(' '))
      .map(withoutMode),
  );
  const rules = [fields, ...selectors].flatMap(rulesIn);
  const open = listIn(fields.get('flags')).includes('nopass') ? ['nopass'] : [];
  return [...open, ...new Set(rules.filter((rule) => !known.has(withoutMode(rule))))];
}

function fieldsOf(reply: readonly Reply[]): ReadonlyMap<string, Reply> {
  return new Map(reply.flatMap((name, index) => (index % 2 === 0 ? [[String(name), reply[index + 1] ?? null]] : [])));
}

function rulesIn(fields: ReadonlyMap<string, Reply>): readonly string[] {
  return [
    ...patternsIn(fields.get('keys'), '~'),
    ...patternsIn(fields.get('channels'), '&'),
    ...wordsIn(fields.get('commands')).filter((word) => word.startsWith('+')),
  ];
}

/** Reads patterns: Redis 6 lists them without their sign. No pattern contains a space. */
function patternsIn(value: Reply | undefined, sign: string): readonly string[] {
  return Array.isArray(value) ? value.map((pattern) => `${sign}${String(pattern)}`) : wordsIn(value);
}

function wordsIn(value: Reply | undefined): readonly string[] {
  return typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : [];
}

function listIn(value: Reply | undefined): readonly Reply[] {
  return Array.isArray(value) ? value : [];
}

/** Returns the rule without what it allows on its keys: '%R~a' as '~a'. */
function withoutMode(rule: string): string {
  return rule.replace(/^%\w+~/, '~');
}
