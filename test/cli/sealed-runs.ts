/** Runs of the command on a namespace that may be sealed. No output has a key or a secret. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { Rewt } from '../../src/index.js';
import type { RewtOptions } from '../../src/options.js';
import { openSealed } from '../../src/seal/envelope.js';
import { createSealKey, readSealKey } from '../../src/seal/seal-key.js';
import { redisNames } from '../../src/stores/redis/names.js';
import type { RedisServer } from '../support/servers.js';
import { rewt } from './command.js';
import type { Run } from './process.js';

export const [key, other, third] = [0, 1, 2].map(() => createSealKey(randomBytes)) as [string, string, string];
export const idOf = (text: string): string => readSealKey(text, 'key').id;
/** The id of the key that a ring is sealed with, or 'plain'. */
export const formOf = (ring: string): string => /^rewt-sealed\.1\.([\w-]{11})\./.exec(ring)?.[1] ?? 'plain';

const keys = new Map([key, other, third].map((text) => [idOf(text), readSealKey(text, 'key')]));

/** `at` gives the server and the namespace of the test that runs. */
export function sealedRuns(at: () => { server: RedisServer; namespace: string; prefix?: string }) {
  const canaries = new Set([key, other, third]);
  const names = () => redisNames(at().namespace, at().prefix);

  /** K and R. */
  async function read(): Promise<readonly [string, string]> {
    const { server } = at();
    return [await server.cli('GET', names().key), await server.cli('GET', names().ring)];
  }

  /** From now on the secrets in the store must not be found. */
  async function plant(): Promise<void> {
    const [, ring] = await read();
    const text = formOf(ring) === 'plain' ? ring : opened(ring);
    for (const [, secret = ''] of text.matchAll(/"secret":"([^"]+)"/g)) canaries.add(secret);
  }

  /** Returns '' for a ring that a test has damaged. */
  function opened(ring: string): string {
    try {
      return openSealed(ring, keys, names().key);
    } catch {
      return '';
    }
  }

  async function run(words: readonly string[], sealKey?: string): Promise<Run> {
    await plant();
    const env = { REWT_URL: at().server.url, REWT_NAMESPACE: at().namespace };
    const done = await rewt(words, { env: sealKey === undefined ? env : { ...env, REWT_SEAL_KEY: sealKey } });
    await plant();
    const shown = done.stdout + done.stderr;
    expect([...canaries].filter((text) => shown.includes(text.slice(0, 20)))).toEqual([]);
    return done;
  }

  async function asMember<T>(options: RewtOptions, use: (member: Rewt) => Promise<T>): Promise<T> {
    const { server, namespace } = at();
    await using member = new Rewt({ redisConn: server.url, redisNamespace: namespace, storeTimeout: 10, ...options });
    return await use(member);
  }

  return {
    names,
    read,
    run,
    asMember,
    /** How many secrets no output may have, beside the keys. */
    planted: () => canaries.size - keys.size,
    /** The exit code, and what `--json` prints. */
    async json(words: readonly string[], sealKey?: string) {
      const { code, stdout } = await run([...words, '--json'], sealKey);
      return { exit: code, ...JSON.parse(stdout) };
    },
    /** Begins a keyring, and returns a token of it. */
    begin: (options: RewtOptions = {}): Promise<string> => asMember(options, (member) => member.sign({ user: 'ann' })),
  };
}
