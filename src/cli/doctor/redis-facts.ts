/**
 * The facts that the doctor collects from a Redis server, each with a deadline. It writes nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../async/race.js';
import type { Sealing } from '../../keyring/sealing.js';
import type { SealKey } from '../../seal/seal-key.js';
import type { Command, RedisPort, Reply } from '../../stores/redis/clients/port.js';
import { type Address, asStoreError } from '../../stores/redis/errors.js';
import { type AllRedisNames, type RedisNames, redisNames } from '../../stores/redis/names.js';
import { createPlainReader, type PlainReader } from '../../stores/redis/plain-reader.js';
import { redisStore } from '../../stores/redis/redis-store.js';
import type { Role } from '../../stores/redis/rights.js';
import type { Announcements, PushStatus, Store } from '../../stores/store.js';
import type { Link } from '../input/link.js';
import { othersInWords } from '../lookup/others.js';
import { sealingWith } from '../lookup/sealing.js';
import { misnamed, storeInWords } from '../output/errors.js';
import { dangersFor, dangersIn, excessIn } from './excess.js';
import { type KeyringFacts, keyringFactsOf } from './keyring-facts.js';
import { type TriedRights, tryRights } from './rights.js';
import { type ServerFacts, serverFactsOf } from './server-facts.js';

/** A failure in rewt's own sentence. */
export interface Failed {
  readonly code: string;
  readonly message: string;
}

/** The rights of the user of the connection. */
export interface Rights extends TriedRights {
  /** The name of the user; null: not shown. */
  readonly user: string | null;
  /** The role that was asked for; null: none was. */
  readonly wanted: Role | null;
  /** The rights of this user that rewt never uses; null: the server does not show them. */
  readonly excess: readonly string[] | null;
}

/** The keyring and the role that the doctor is asked about. */
export interface Question {
  readonly namespace: string;
  readonly address: AddressFacts;
  readonly wanted: Role | null;
  readonly keys: readonly SealKey[];
}

export interface RedisFacts {
  readonly namespace: string;
  readonly keyPrefix: string;
  readonly address: AddressFacts;
  /** Null: the server replies. */
  readonly unreachable: Failed | null;
  /** The median of several. */
  readonly roundTripMs: number;
  /**
   * The server's clock minus this machine's, and the uncertainty; null if the server does not show
   * its clock.
   */
  readonly skew: { readonly ms: number; readonly uncertainMs: number } | null;
  readonly server: ServerFacts;
  readonly rights: Rights;
  /** The reason why a write is denied; null: it would be accepted. */
  readonly writes: Failed | null;
  readonly push: PushStatus;
  readonly keyring: KeyringFacts | Failed;
  /** The existing keyrings, if this one does not exist. */
  readonly others?: string;
  readonly announcements: Announcements | Failed;
}

/** The URL without its credentials. */
export interface AddressFacts {
  readonly loopback: boolean;
  readonly tls: boolean;
  readonly password: boolean;
  /** The user that the address names. */
  readonly user: string | null;
}

const ANSWER_MS = 3_000;
const PUSH_MS = 3_000;
const ROUND_TRIPS = 7;

export function addressFactsOf({ hosts, tls, password, username }: Link): AddressFacts {
  const loopback = hosts.every(({ host }) => /^(localhost|127(\.\d+){3}|::1)$/i.test(host));
  return { loopback, tls: tls !== null, password: password !== null, user: username };
}

/** Collects the facts; if the server does not reply, only that. Closes the port afterwards. */
export async function redisFactsOf(port: RedisPort, question: Question): Promise<RedisFacts> {
  const { namespace, address, wanted, keys } = question;
  const { keyPrefix } = port;
  const unknown = { ...nothing, namespace, keyPrefix, address };
  const store = redisStore(port);
  const reader = createPlainReader(port);
  const { key } = redisNames(namespace, keyPrefix);
  const sealing = sealingWith(keys, key);
  const send: Send = async (commands) => {
    const late = () => new Error('timed out');
    const begunAtMs = performance.now();
    try {
      return await within(ANSWER_MS, port.send(commands, key), late);
    } catch (error) {
      port.abandon(key, begunAtMs);
      return commands.map(() => error as Error);
    }
  };
  try {
    // The first command opens the connection, so its time does not count.
    const [first = null] = await send([['PING']]);
    const unreachable = first instanceof Error && !isRefusal(first) ? failedOf(first, port.address()) : null;
    if (unreachable !== null) {
      // Clients hide why they cannot connect to a node of a cluster. A connection to that node
      // alone fails with the reason.
      const keyring = await keyringOf(reader, namespace, keyPrefix, sealing);
      return { ...unknown, unreachable: isKnown(keyring) ? keyring : unreachable };
    }
    const { roundTripMs, skew, silent } = await measure(send);
    // Every other command would be silent too.
    if (silent !== null) return { ...unknown, unreachable: failedOf(silent, port.address()) };
    const [info, save, whoami] = (await send([['INFO'], ['CONFIG', 'GET', 'save'], ['ACL', 'WHOAMI']])) as [
      Reply | Error,
      Reply | Error,
      Reply | Error,
    ];
    if (isSilence(info)) return { ...unknown, unreachable: failedOf(info, port.address()) };
    const user = typeof whoami === 'string' ? whoami : null;
    const keyring = await keyringOf(reader, namespace, keyPrefix, sealing);
    const names = reader.namesOf(namespace);
    const tried = await tryWithin(port, names, wanted);
    const excess =
      user === null ? null : await excessOf(send, user, wanted ?? 'operator', redisNames(namespace, keyPrefix));
    // XX sets only an existing key, and this random name does not exist. So it shows if a write is
    // accepted, without one.
    const [written = null] = await send([['SET', names.draft('doctor'), '', 'PX', '1', 'XX']]);
    return {
      namespace,
      keyPrefix,
      address,
      unreachable,
      roundTripMs,
      skew,
      server: serverFactsOf(info, save),
      rights: { ...tried, user: user ?? address.user, wanted, excess },
      writes: written instanceof Error ? failedOf(written) : null,
      push: await pushOf(store, namespace),
      keyring,
      ...(isMissing(keyring) && {
        others: await othersInWords(
          { namespace, keyPrefix: port.keyPrefix || undefined },
          reader.namespaces({ timeoutMs: ANSWER_MS }),
        ),
      }),
      announcements: await reader
        .announcements(namespace, { timeoutMs: ANSWER_MS })
        .catch((error: Error) => failedOf(error)),
    };
  } finally {
    reader.close();
    await store.close();
  }
}

const nothingTried: TriedRights = { role: 'member', lacks: [], beyond: [], pushes: false };

const nothing: Omit<RedisFacts, 'namespace' | 'keyPrefix' | 'address' | 'unreachable'> = {
  roundTripMs: 0,
  skew: null,
  server: serverFactsOf(null, null),
  rights: { ...nothingTried, user: null, wanted: null, excess: null },
  writes: null,
  push: { state: 'off', reason: null },
  keyring: { code: '', message: '' },
  announcements: { code: '', message: '' },
};

/** Checks if the result contains the reason for the silence. */
function isKnown(keyring: KeyringFacts | Failed): keyring is Failed {
  return 'code' in keyring && keyring.code !== 'ERR_REWT_STORE_TIMEOUT';
}

/** Checks for no reply at all, which is not a denial. */
function isSilence(outcome: Reply | Error): outcome is Error {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_TIMEOUT';
}

/** Checks for a reply, even if it only denies the command. */
function isRefusal(error: Error): boolean {
  return /\bNOPERM\b/.test(error.message);
}

function failedOf(error: Error, address: Address | null = null): Failed {
  const failed = asStoreError(error, address);
  return { code: failed.code, message: storeInWords(failed) };
}

/** Tries the rights. An unreachable server is reported by other facts. */
async function tryWithin(port: RedisPort, names: RedisNames, wanted: Role | null): Promise<TriedRights> {
  const ending = new AbortController();
  const late = () => new Error('timed out');
  try {
    return await within(ANSWER_MS, tryRights(port, names, wanted, ending.signal), late);
  } catch {
    return nothingTried;
  } finally {
    ending.abort();
  }
}

type Send = (commands: readonly Command[]) => Promise<readonly (Reply | Error)[]>;

/**
 * Asks what this user may do beyond a role. A user that may ask ACL DRYRUN asks it first whether
 * ACL GETUSER is allowed: a refusal is an entry in ACL LOG.
 */
async function excessOf(send: Send, user: string, role: Role, names: AllRedisNames): Promise<readonly string[] | null> {
  const dangers = dangersFor(names);
  const show: Command = ['ACL', 'GETUSER', user];
  const asked = [show, ...dangers.map(({ command }) => command)];
  const [mayShow = null, ...answers] = await send(asked.map((command) => ['ACL', 'DRYRUN', user, ...command]));
  const [shown = null] = typeof mayShow === 'string' && mayShow !== 'OK' ? [] : await send([show]);
  const [rules, allowed] = [excessIn(shown, role, names), dangersIn(dangers, answers)];
  return rules === null && allowed === null ? null : [...(rules ?? []), ...(allowed ?? [])];
}

/** Measures by several TIME commands: the fastest reply shows the other clock best. */
async function measure(send: Send) {
  const tookMs: number[] = [];
  let skew: RedisFacts['skew'] = null;
  for (let time = 0; time < ROUND_TRIPS; time += 1) {
    const wallMs = Date.now();
    const sentMs = performance.now();
    const [reply = null] = await send([['TIME']]);
    if (isSilence(reply)) return { roundTripMs: 0, skew: null, silent: reply };
    const ms = performance.now() - sentMs;
    tookMs.push(ms);
    if (!Array.isArray(reply)) continue;
    const serverMs = Number(reply[0]) * 1_000 + Number(reply[1]) / 1_000;
    // One millisecond more, because this machine reports whole ones only.
    if (skew === null || ms / 2 + 1 < skew.uncertainMs)
      skew = { ms: serverMs - (wallMs + ms / 2), uncertainMs: ms / 2 + 1 };
  }
  tookMs.sort((a, b) => a - b);
  return { roundTripMs: tookMs[Math.floor(ROUND_TRIPS / 2)] ?? 0, skew, silent: null };
}

/** Returns the push status of a member, after an attempt. */
async function pushOf(store: Store, namespace: string): Promise<PushStatus> {
  const watch = store.watch?.(namespace, () => {});
  if (watch === undefined) return { state: 'off', reason: 'This store cannot push.' };
  try {
    const giveUpMs = performance.now() + PUSH_MS;
    while (watch.status().state === 'connecting' && performance.now() < giveUpMs) await sleep(10);
    return watch.status();
  } finally {
    watch.end();
  }
}

function isMissing(keyring: KeyringFacts | Failed): boolean {
  return !('code' in keyring) && keyring.key === null && keyring.ring === 'none';
}

async function keyringOf(
  reader: PlainReader,
  namespace: string,
  keyPrefix: string,
  sealing: Sealing,
): Promise<KeyringFacts | Failed> {
  try {
    const limits = { timeoutMs: ANSWER_MS };
    const facts = keyringFactsOf(await reader.read(namespace, limits), sealing);
    const prefix = facts.key !== null && facts.ring === 'none' ? await reader.prefixOf(namespace, limits) : null;
    return prefix === null ? facts : misnamed(namespace, keyPrefix, prefix);
  } catch (error) {
    return failedOf(error as Error);
  }
}
