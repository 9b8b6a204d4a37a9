/** Everything that the doctor asks a Redis, each question with a deadline. It writes nothing. */

import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../deadline.js';
import { type Address, asStoreError } from '../../redis/failure.js';
import { type RedisNames, redisNames } from '../../redis/names.js';
import { createPlainReader, type PlainReader } from '../../redis/plain-reader.js';
import type { Command, RedisPort, Reply } from '../../redis/port.js';
import { redisStore } from '../../stores/redis.js';
import type { Announcements, PushStatus, Store } from '../../stores/store.js';
import { misnamed, storeInWords } from '../failure.js';
import type { Link } from '../link.js';
import { othersInWords } from '../others.js';
import { type KeyringFacts, keyringFactsOf } from './keyring-facts.js';
import { excessesOf, excessOf, lacksOf, type Rights } from './rights.js';
import { type ServerFacts, serverFactsOf } from './server-facts.js';

/** Failures in rewt's own words. */
export interface Failed {
  readonly code: string;
  readonly message: string;
}

export interface RedisFacts {
  readonly address: AddressFacts;
  /** Null: it answers. */
  readonly unreachable: Failed | null;
  /** The median of some. */
  readonly roundTripMs: number;
  /** The server's clock less this machine's, and by how much that may be wrong; null where it does not tell. */
  readonly skew: { readonly ms: number; readonly uncertainMs: number } | null;
  readonly server: ServerFacts;
  readonly rights: Rights;
  /** Why a write is refused; null: it would be taken. */
  readonly writes: Failed | null;
  readonly push: PushStatus;
  readonly keyring: KeyringFacts | Failed;
  /** The keyrings that there are, if this one is not. */
  readonly others?: string;
  readonly announcements: Announcements | Failed;
}

/** What the URL says, without what it hides. */
export interface AddressFacts {
  readonly loopback: boolean;
  readonly tls: boolean;
  readonly password: boolean;
}

const ANSWER_MS = 3_000;
const PUSH_MS = 3_000;
const ROUND_TRIPS = 7;

export function addressFactsOf({ hosts, tls, password }: Link): AddressFacts {
  const loopback = hosts.every(({ host }) => /^(localhost|127(\.\d+){3}|::1)$/i.test(host));
  return { loopback, tls: tls !== null, password: password !== null };
}

/** What there is to know; where it does not answer, that. The port is closed afterwards. */
export async function redisFactsOf(port: RedisPort, namespace: string, address: AddressFacts): Promise<RedisFacts> {
  const store = redisStore(port);
  const reader = createPlainReader(port);
  const { key } = redisNames(namespace, port.keyPrefix);
  const ask = async (commands: readonly Command[]): Promise<readonly (Reply | Error)[]> => {
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
    // The first opens the connection, and is no measure.
    const [first = null] = await ask([['PING']]);
    const unreachable = first instanceof Error && !isRefusal(first) ? failedOf(first, port.address()) : null;
    if (unreachable !== null) {
      // Clients hide why they cannot connect to a node of a cluster: a connection to it alone fails with the reason.
      const keyring = await keyringOf(reader, namespace, port.keyPrefix);
      return { ...nothing, address, unreachable: isKnown(keyring) ? keyring : unreachable };
    }
    const { roundTripMs, skew, silent } = await measure(ask);
    // It would be the same for every other command.
    if (silent !== null) return { ...nothing, address, unreachable: failedOf(silent, port.address()) };
    const [info, save, whoami] = (await ask([['INFO'], ['CONFIG', 'GET', 'save'], ['ACL', 'WHOAMI']])) as [
      Reply | Error,
      Reply | Error,
      Reply | Error,
    ];
    if (isSilence(info)) return { ...nothing, address, unreachable: failedOf(info, port.address()) };
    const user = typeof whoami === 'string' ? whoami : null;
    const keyring = await keyringOf(reader, namespace, port.keyPrefix);
    const names = reader.namesOf(namespace);
    const excesses = excessesOf(names);
    const dryRuns =
      user === null ? null : await ask(excesses.map(({ command }) => ['ACL', 'DRYRUN', user, ...command]));
    // Only where it exists would it be set, and nobody knows this name: whether a write would be taken is said without one.
    const [written = null] = await ask([['SET', names.draft('doctor'), '', 'PX', '1', 'XX']]);
    return {
      address,
      unreachable,
      roundTripMs,
      skew,
      server: serverFactsOf(info, save),
      rights: { ...(await tryRights(port, names)), excess: excessOf(excesses, dryRuns) },
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

const nothing: Omit<RedisFacts, 'address' | 'unreachable'> = {
  roundTripMs: 0,
  skew: null,
  server: serverFactsOf(null, null),
  rights: { lacks: [], isReader: false, excess: null },
  writes: null,
  push: { state: 'off', reason: null },
  keyring: { code: '', message: '' },
  announcements: { code: '', message: '' },
};

/** Whether it says why there was no answer. */
function isKnown(keyring: KeyringFacts | Failed): keyring is Failed {
  return 'code' in keyring && keyring.code !== 'ERR_REWT_STORE_TIMEOUT';
}

/** No answer at all, which is not a refusal. */
function isSilence(outcome: Reply | Error): outcome is Error {
  return outcome instanceof Error && asStoreError(outcome).code === 'ERR_REWT_STORE_TIMEOUT';
}

/** It has answered, if only that this user may not ask. */
function isRefusal(error: Error): boolean {
  return /\bNOPERM\b/.test(error.message);
}

function failedOf(error: Error, address: Address | null = null): Failed {
  const failed = asStoreError(error, address);
  return { code: failed.code, message: storeInWords(failed) };
}

/** What could not be tried shows elsewhere: the server is away. */
async function tryRights(port: RedisPort, names: RedisNames): Promise<Omit<Rights, 'excess'>> {
  const ending = new AbortController();
  const late = () => new Error('timed out');
  try {
    return await within(ANSWER_MS, lacksOf(port, names, ending.signal), late);
  } catch {
    return nothing.rights;
  } finally {
    ending.abort();
  }
}

/** By TIME, sent some times: what took the shortest tells the other clock best. */
async function measure(ask: (commands: readonly Command[]) => Promise<readonly (Reply | Error)[]>) {
  const tookMs: number[] = [];
  let skew: RedisFacts['skew'] = null;
  for (let time = 0; time < ROUND_TRIPS; time += 1) {
    const wallMs = Date.now();
    const sentMs = performance.now();
    const [reply = null] = await ask([['TIME']]);
    if (isSilence(reply)) return { roundTripMs: 0, skew: null, silent: reply };
    const ms = performance.now() - sentMs;
    tookMs.push(ms);
    if (!Array.isArray(reply)) continue;
    const serverMs = Number(reply[0]) * 1_000 + Number(reply[1]) / 1_000;
    // A millisecond more: this machine tells whole ones only.
    if (skew === null || ms / 2 + 1 < skew.uncertainMs)
      skew = { ms: serverMs - (wallMs + ms / 2), uncertainMs: ms / 2 + 1 };
  }
  tookMs.sort((a, b) => a - b);
  return { roundTripMs: tookMs[Math.floor(ROUND_TRIPS / 2)] ?? 0, skew, silent: null };
}

/** As a member would have it, once it has been tried. */
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

async function keyringOf(reader: PlainReader, namespace: string, keyPrefix: string): Promise<KeyringFacts | Failed> {
  try {
    const limits = { timeoutMs: ANSWER_MS };
    const facts = keyringFactsOf(await reader.read(namespace, limits));
    const prefix = facts.key !== null && facts.ring === 'none' ? await reader.prefixOf(namespace, limits) : null;
    return prefix === null ? facts : misnamed(namespace, keyPrefix, prefix);
  } catch (error) {
    return failedOf(error as Error);
  }
}
