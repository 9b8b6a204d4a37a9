/**
 * `rewt doctor`: checks everything that a keyring depends on, and reports the remedies. It writes
 * nothing.
 */

import { OptionError } from '../../errors.js';
import type { SealKey } from '../../seal/seal-key.js';
import { redisNames } from '../../stores/redis/names.js';
import type { Announcements } from '../../stores/store.js';
import type { Command } from '../command.js';
import { countOf, type Finding, finding, formatFindings, summaryOf } from '../doctor/finding.js';
import { folderFactsOf } from '../doctor/folder-facts.js';
import { judgeAccess } from '../doctor/judge-access.js';
import { judgeFolder } from '../doctor/judge-folder.js';
import { judgeKeyring } from '../doctor/judge-keyring.js';
import { judgeSealing } from '../doctor/judge-sealing.js';
import { judgeServer } from '../doctor/judge-server.js';
import type { KeyringFacts } from '../doctor/keyring-facts.js';
import { addressFactsOf, type Failed, type Question, type RedisFacts, redisFactsOf } from '../doctor/redis-facts.js';
import { addressOf, type FolderAddress, namespaceOf, placeInWords, placeOf } from '../input/address.js';
import { assertNoWords, lookOptions, readArguments } from '../input/arguments.js';
import { readRole } from '../input/role.js';
import { readSealKeys } from '../input/seal-keys.js';
import { RefusedError } from '../output/errors.js';
import { helpOf } from '../output/help.js';
import { screenOf } from '../output/screen.js';
import { unlessInterrupted } from '../output/terminal.js';
import { connectPlace, orRefusal, type RedisAddress } from '../session.js';

const options = { ...lookOptions, strict: { type: 'boolean' }, role: { type: 'string' } } as const;

const help = helpOf(`
rewt doctor [options]: looks at the store and the keyring in it, and says what
is wrong and what to do. Writes nothing, begins no keyring, shows no secret.

  rewt doctor --url redis://localhost:6379 --json | jq '.findings[].check'

Each finding is ok, a note, a warning or a problem. Exit code 1 where there is a
problem, else 0.

  --strict           exit code 1 for warnings too
  --role <role>      compares the rights of this user of Redis with those of a
                     member, verifier, reader or operator; default: a member, or
                     what the user can at most
`);

export const doctor: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { url, strict = false } = values;
    const address = addressOf(url, terminal.env, values);
    const namespace = namespaceOf(values.namespace, terminal.env);
    const place = placeOf(address, namespace, values['key-prefix']);
    const wanted = readRole(values.role);
    if ('folder' in address && wanted !== null)
      throw new OptionError('--role: has no effect without Redis. Leave it out, or give its --url', { option: 'role' });
    const keys = await unlessInterrupted(readSealKeys(values, terminal.env), terminal);
    const looking =
      'redisUrl' in address
        ? lookAtRedis(address, { namespace, wanted, keys }, place.keyPrefix)
        : lookAtFolder(address, namespace, keys);
    const findings = await unlessInterrupted(looking, terminal);
    const [problems, warnings] = [countOf(findings, 'problem'), countOf(findings, 'warning')];
    return {
      result: `${formatFindings(placeInWords(place), findings, screenOf(terminal))}\n\n${summaryOf(findings)}`,
      json: { ...place, problems, warnings, findings },
      exitCode: problems > 0 || (strict && warnings > 0) ? 1 : 0,
    };
  },
};

async function lookAtRedis(
  address: RedisAddress,
  question: Omit<Question, 'address'>,
  keyPrefix = '',
): Promise<readonly Finding[]> {
  const connected = await orRefusal(connectPlace(address, keyPrefix));
  if (connected instanceof Error) return [finding('reachable', 'problem', connected.message)];
  const { port, close } = connected;
  // Throws if the names cannot share one hash slot.
  redisNames(question.namespace, port.keyPrefix);
  try {
    return judgeRedis(await redisFactsOf(port, { ...question, address: addressFactsOf(address.link) }));
  } finally {
    await close();
  }
}

export function judgeRedis(facts: RedisFacts): readonly Finding[] {
  if (facts.unreachable !== null) return [finding('reachable', 'problem', facts.unreachable.message)];
  const { keyring: read, server } = facts;
  const keyring = judgeRead(read, facts.announcements, facts.others);
  const seal = 'code' in read ? [] : judgeSealing(read, server.replication?.replicas);
  return [finding('reachable', 'ok', 'it answers'), ...judgeServer(facts), ...judgeAccess(facts), ...keyring, ...seal];
}

async function lookAtFolder(
  address: FolderAddress,
  namespace: string,
  keys: readonly SealKey[],
): Promise<readonly Finding[]> {
  const facts = await folderFactsOf(address, namespace, keys);
  const { keyring } = facts;
  return [
    ...judgeFolder(facts, address.urlMissing),
    ...(keyring === null ? [] : judgeRead(keyring, facts.announcements)),
    ...(keyring === null || 'code' in keyring ? [] : judgeSealing(keyring)),
  ];
}

function judgeRead(
  keyring: KeyringFacts | Failed,
  announcements: Announcements | Failed,
  others?: string,
): readonly Finding[] {
  if (keyring instanceof RefusedError) return [finding('keyring', 'problem', keyring.message)];
  if ('code' in keyring) return [finding('keyring', 'problem', `it cannot be read: ${keyring.message}`)];
  return judgeKeyring(keyring, announcements, others);
}
