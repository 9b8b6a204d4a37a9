/** Breaks each promise once, in a copy of the compiled code, to show that the simulation can fail, and which scenarios see it. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scenario } from './scenarios.js';
import type { Tally } from './tally.js';

interface Break {
  readonly promise: number;
  readonly what: string;
  readonly file: string;
  /** One place in the compiled file. */
  readonly find: string;
  readonly put: string;
}

const breaks: readonly Break[] = [
  {
    promise: 1,
    what: 'a rotation forgets the retired secrets',
    file: 'keyring/advance',
    find: '[{ secret, until }, ...ring.retired]',
    put: '[]',
  },
  {
    promise: 1,
    what: 'next does not verify before it signs',
    file: 'keyring/copy',
    find: 'return { ring, current, next, keys: [current, next, ...retired] };',
    put: 'return { ring, current, next, keys: [current, ...retired] };',
  },
  {
    promise: 1,
    what: 'a copy ends at the soft age, whether the store can be read or not',
    file: 'keyring/member',
    find: 'leaseAgeMs(lease, this.now()) < mostAgeMs ?',
    put: 'leaseAgeMs(lease, this.now()) < this.#options.softAgeMs ?',
  },
  {
    promise: 1,
    what: 'a member that only verifies asks for no ttl',
    file: 'keyring/needs',
    find: 'if (grants(ring, this.#toVerify.asks) ||',
    put: 'if (true ||',
  },
  {
    promise: 2,
    what: 'a copy never ends while the store cannot be read',
    file: 'keyring/member',
    find: 'leaseAgeMs(lease, this.now()) < mostAgeMs ?',
    put: 'true ?',
  },
  {
    promise: 1,
    what: 'an older answer renews nothing, though it shows what the newest does',
    file: 'keyring/holding',
    find: 'if (this.#confirms(sent, version))',
    put: 'if (false)',
  },
  {
    promise: 2,
    what: 'age is the monotonic clock alone',
    file: 'keyring/lease',
    find: 'Math.max(now.monotonicMs - sent.monotonicMs, now.wallMs - sent.wallMs)',
    put: 'now.monotonicMs - sent.monotonicMs',
  },
  {
    promise: 2,
    what: 'a copy is fresh for ever',
    file: 'keyring/member',
    find: 'if (ageMs >= softAgeMs)',
    put: 'if (false)',
  },
  {
    promise: 2,
    what: 'a push message changes nothing',
    file: 'keyring/member',
    find: 'this.#holding.suspect();\n        const before',
    put: 'return;\n        const before',
  },
  {
    promise: 2,
    what: 'a revocation that cannot be written stops nobody',
    file: 'keyring/holding',
    find: 'if (plan?.revokes)',
    put: 'if (false)',
  },
  {
    promise: 2,
    what: 'DEL is a rotation',
    file: 'keyring/advance',
    find: 'const due = nowMs',
    put: 'const due = key === null || nowMs',
  },
  {
    promise: 2,
    what: 'a master that may be deposed renews leases',
    file: 'keyring/exchange',
    find: 'if (snapshot.mayBeDeposed)',
    put: 'if (false)',
  },
  {
    promise: 2,
    what: 'a master that may be deposed takes nothing away',
    file: 'keyring/exchange',
    find: 'errand.pending(found, seen, sent, version)',
    put: '',
  },
  {
    promise: 3,
    what: 'a lower epoch is taken as it is',
    file: 'keyring/advance',
    find: 'if (isRolledBack(ring, known))',
    put: 'if (false)',
  },
  {
    promise: 3,
    what: 'a member that saw a brake forgets it where it cannot be written',
    file: 'keyring/advance',
    find: "plan?.name === 'brake' ?",
    put: 'false ?',
  },
  {
    promise: 3,
    what: 'an answer that may be an older one proves that the store lost writes',
    file: 'keyring/exchange',
    find: 'const isProven = ',
    put: 'const isProven = true || ',
  },
  {
    promise: 3,
    what: 'the same epoch under another name is taken as it is',
    file: 'keyring/known',
    find: '(last.rev !== undefined && last.rev !== revOf(ring))',
    put: 'false',
  },
  {
    promise: 3,
    what: 'what was held before a rollback is forgotten',
    file: 'keyring/advance',
    find: 'distrust(known.ring === null ? known : distrust(known, known.ring), ring)',
    put: 'distrust(known, ring)',
  },
  {
    promise: 3,
    what: 'every write gives the ring a name',
    file: 'keyring/advance',
    find: 'op: mint.id(), ttl',
    put: 'op: mint.id(), rev: mint.id(), ttl',
  },
  {
    promise: 3,
    what: 'a brake that another member wrote has a name that was not expected',
    file: 'keyring/known',
    find: 'rev: undefined }',
    put: 'rev: null }',
  },
  {
    promise: 4,
    what: 'a swap compares nothing',
    file: 'stores/record',
    find: 'snapshot.version !== expected ||',
    put: '',
  },
  {
    promise: 4,
    what: 'rotate() rotates, whoever did meanwhile',
    file: 'keyring/commands',
    find: 'if (done || seen.ring.current.secret !== before)',
    put: 'if (done)',
  },
  {
    promise: 4,
    what: 'a swap that comes late is done all the same',
    file: 'stores/record',
    find: ' || nowMs > notAfterMs',
    put: '',
  },
  {
    promise: 5,
    what: 'a token of unknown key is refused where the store cannot be asked',
    file: 'verifier',
    find: 'await this.#member.leaseSince(arrived)',
    put: 'await this.#member.leaseSince(arrived).catch(() => lease)',
  },
  {
    promise: 5,
    what: 'any kid that the copy lacks counts as revoked',
    file: 'keyring/exchange',
    find: 'return this.#revokedKids.kids.has(kid)',
    put: 'return true',
  },
  {
    promise: 5,
    what: 'who waits for another read waits as long as that takes',
    file: 'keyring/member',
    find: 'await this.inTime(arrived, next, timedOut)',
    put: 'await next',
  },
  {
    promise: 5,
    what: 'a master that may be deposed makes an unknown key final',
    file: 'verifier',
    find: 'await this.#member.leaseSince(arrived)',
    put: "await this.#member.leaseSince(arrived).catch((e) => (e.code === 'ERR_REWT_STORE_READ_ONLY' && this.#member.held()) || Promise.reject(e))",
  },
  {
    promise: 6,
    what: 'tokens without kid are not tried',
    file: 'jwt/authenticate',
    find: 'kid === undefined || ',
    put: '',
  },
  {
    promise: 6,
    what: "old rewt's new secret is a brake",
    file: 'keyring/advance',
    find: 'if (due && key.expiresAtMs !== null',
    put: 'if (false',
  },
  {
    promise: 7,
    what: 'overlap without maxStaleness',
    file: 'options',
    find: 'tokenLifetimeSeconds + maxStaleness + clockToleranceSeconds',
    put: 'tokenLifetimeSeconds',
  },
  {
    promise: 7,
    what: 'what a member needs of the ring is not asked for',
    file: 'options',
    find: 'overlapMs: ms(overlap) },',
    put: 'overlapMs: 0 },',
  },
  {
    promise: 7,
    what: 'a shorter overlap takes no rotation',
    file: 'keyring/advance',
    find: 'if (ttl >= ring.ttl && overlap >= ring.overlap)',
    put: 'if (true)',
  },
  {
    promise: 7,
    what: 'next is not owed the overlap of before',
    file: 'keyring/advance',
    find: '{ owed: nowMs + ring.overlap }',
    put: '{}',
  },
  {
    promise: 7,
    what: 'a secret that is owed more retires by the overlap alone',
    file: 'keyring/advance',
    find: 'ring.current.owed ?? 0)',
    put: '0)',
  },
  {
    promise: 7,
    what: 'a retired secret has no end',
    file: 'jwt/authenticate',
    find: 'nowMs < key.verifiesUntilMs && token',
    put: 'token',
  },
  {
    promise: 1,
    what: 'rotate() does not look at the age of next',
    file: 'keyring/advance',
    find: 'if (youngMs > 0 && !force)',
    put: 'if (false)',
  },
  {
    promise: 1,
    what: 'an EXPIRE is not followed',
    file: 'keyring/advance',
    find: 'if (Math.abs(expiresAt - current.expiresAt) > TTL_NOISE_MS)',
    put: 'if (false)',
  },
  {
    promise: 1,
    what: 'in strict mode a copy has no age',
    file: 'keyring/member',
    find: 'policy.maxStalenessMs === 0 ? storeTimeoutMs',
    put: 'policy.maxStalenessMs === 0 ? Number.POSITIVE_INFINITY',
  },
];

export async function breakEachPromise(seeds: string, some: readonly Scenario[], match: string): Promise<void> {
  const compiled = fileURLToPath(new URL('../..', import.meta.url));
  console.log('| promise | broken | noticed by | scenarios |\n|---|---|---|---|');
  const chosen = breaks.filter(({ what }) => what.includes(match));
  for (const { promise, what, file, find, put } of chosen) {
    const folder = mkdtempSync(join(tmpdir(), 'rewt-break-'));
    try {
      cpSync(compiled, folder, { recursive: true });
      const path = join(folder, 'src', `${file}.js`);
      const source = readFileSync(path, 'utf8');
      if (source.split(find).length !== 2) throw new Error(`${file} has '${find}' not once: mend breaks.ts`);
      writeFileSync(
        path,
        source.replace(find, () => put),
      );
      const found = some.length === 1 && some[0] ? ['--scenario', some[0].name] : [];
      const command = [join(folder, 'test/sim/main.js'), '--first', '--json', '--seeds', seeds, ...found];
      const { stdout } = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 1e8 });
      const tallies = JSON.parse(stdout) as Tally[];
      const noticed = tallies
        .flatMap(({ scenario, first }) => (first === null ? [] : [{ scenario, ...first }]))
        .sort((one, other) => one.seed - other.seed)
        .map(({ scenario, seed }) => `${scenario} (${seed})`);
      const first = noticed.length === 0 ? 'NOTHING' : noticed.slice(0, 3).join(', ');
      console.log(`| ${promise} | ${what} | ${first} | ${noticed.length} |`);
      if (noticed.length === 0) process.exitCode = 1;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
