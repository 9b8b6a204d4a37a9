/** The command line of `rewt acl` that prints the rights of one user. Pure. */

import { aclVersionOf } from '../../stores/redis/acl.js';
import { isReading, type Role } from '../../stores/redis/rights.js';
import { foreignName } from '../output/format.js';
import type { RedisFacts } from './redis-facts.js';

/** The facts that the line depends on. */
type Facts = Pick<RedisFacts, 'namespace' | 'keyPrefix' | 'server'> & { readonly rights: { readonly pushes: boolean } };

/** Returns the command. `user` is null for a new user, which gets the default name. */
export function aclCommand({ namespace, keyPrefix, server, rights }: Facts, role: Role, user: string | null): string {
  const { version } = server;
  // Valkey has had all rules from its first version on.
  const isOld = version?.name === 'Redis' && aclVersionOf(version.number)?.reads === false;
  return [
    `rewt acl --role ${role}`,
    ...(isReading(role) && rights.pushes ? ['--push'] : []),
    ...flag('namespace', namespace === 'rewt' ? '' : namespace),
    ...flag('key-prefix', keyPrefix),
    ...flag('user', user === 'default' ? '' : (user ?? '')),
    ...flag('redis', isOld ? version.number : ''),
  ].join(' ');
}

/** Returns the flag, as a shell takes its value; nothing for an empty value. */
function flag(name: string, value: string): readonly string[] {
  if (value === '') return [];
  const clean = foreignName(value, 200);
  return [`--${name} ${/^[\w.:@%+,/=-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", "'\\''")}'`}`];
}
