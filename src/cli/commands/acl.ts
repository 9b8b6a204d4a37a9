/**
 * `rewt acl`: the rights of a Redis user as a line of ACL SETUSER. It needs no connection, and
 * knows no password.
 */

import { OptionError } from '../../errors.js';
import { aclVersionOf, aclWords, asTyped, NEWEST } from '../../stores/redis/acl.js';
import { redisNames } from '../../stores/redis/names.js';
import { isReading } from '../../stores/redis/rights.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../input/address.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { variables } from '../input/link.js';
import { readRole } from '../input/role.js';
import { foreignName } from '../output/format.js';
import { helpOf } from '../output/help.js';

const options = {
  help: lookOptions.help,
  json: lookOptions.json,
  namespace: lookOptions.namespace,
  'key-prefix': lookOptions['key-prefix'],
  user: lookOptions.user,
  role: { type: 'string' },
  push: { type: 'boolean' },
  redis: { type: 'string' },
} as const;

const help = helpOf(
  `
rewt acl --role <role> [options]: prints the rights of a Redis user, who in any
role can forge tokens, a verifier too, because the secret that verifies also
signs (HS256); only a sealed keyring needs the seal key for that. The line of
ACL SETUSER replaces all rights that the user has, by those that the role needs
on the keys of one namespace. Needs no connection to Redis.

  rewt acl --role member --namespace shop | redis-cli

The line has no password, so a new user cannot log in before you add one: in
redis-cli, ACL SETUSER <user> >... Afterwards ACL SAVE, or the user is gone with
a restart. In a cluster, on every node.

  --role <role>      member    a service: signs, rotates, revokes, verifies
                     verifier  a service that verifies, and writes nothing
                     reader    a person: verify, explain, status, doctor
                     operator  a person: every verb
                     A member also runs every verb but list; a verifier those
                     of a reader, without the fleet in status
  --push             lets a verifier or reader notice changes at once, as the
                     other roles can. A verifier without it sets push: false,
                     or each connection is two entries in ACL LOG
  --user <name>      name of the Redis user; default: rewt-<role>
  --redis <version>  of the server, if it is older than 7: such as 6, or 6.2
  --namespace <name> which keyring; or ${variables.namespace}; default: rewt
  --key-prefix <text>  what the Redis client of the members puts before keys
`,
  { takesPlace: false },
);

const PUSHLESS =
  'It may not use push: set push: false in its options, or each connection is two entries in ACL LOG. ' +
  'With --push it may.';

export const acl: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const role = readRole(values.role);
    if (role === null) throw new OptionError('--role: give member, verifier, reader or operator', { option: 'role' });
    const user = readUser(values.user ?? `rewt-${role}`);
    const version = values.redis === undefined ? NEWEST : aclVersionOf(values.redis);
    if (version === null)
      throw new OptionError('--redis: give the version of the server, 6.0 or later, such as 6, 6.2 or 7', {
        option: 'redis',
      });
    const namespace = namespaceOf(values.namespace, terminal.env);
    const names = redisNames(namespace, values['key-prefix']);
    const line = aclWords({ role, user, names, push: values.push === true, version }).flat();
    const [, , , ...rules] = line;
    const forges =
      `A ${role} can forge tokens: it reads the secret, with which HS256 signs too. Only a sealed keyring ` +
      'needs the seal key for that.';
    return {
      result: asTyped(line),
      words: [
        ...(isReading(role) ? [forges] : []),
        ...(role === 'verifier' && values.push !== true ? [PUSHLESS] : []),
        `The line has no password, and leaves those of ${foreignName(user)} alone. For a new user add one, ` +
          `or its SHA-256 as #…: ${asTyped(['ACL', 'SETUSER', user])} >…`,
      ],
      json: {
        role,
        user,
        namespace,
        ...(values['key-prefix'] ? { keyPrefix: values['key-prefix'] } : {}),
        rules,
        line: asTyped(line),
      },
    };
  },
};

/** Reads the name of a Redis user. @throws {OptionError} for a name that Redis does not accept. */
function readUser(user: string): string {
  if (user === '' || /[\s\0]/.test(user))
    throw new OptionError('--user: Redis takes no empty name, and none with a space. Give another', { option: 'user' });
  return user;
}
