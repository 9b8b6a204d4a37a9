/**
 * The tables of SECURITY.md: each claim in them is tried by an attacker who has just what the row
 * gives. A row, a cell or a claim without a proof here is red, and so is a proof without a claim.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESEAL } from '../../src/keyring/reseal.js';
import { createSealKey } from '../../src/seal/seal-key.js';
import { startProxy } from '../support/proxy.js';
import { type RedisServer, startRedis, until } from '../support/servers.js';
import { createScene, dumpBy, expectForged, keepKeyring, kidIn, type Mode, openedBy, outcomesOf } from './attackers.js';
import {
  acceptedToken,
  cannotDestroy,
  expectEndedRefused,
  expectMoved,
  expectNoReturn,
  expectOlderRing,
  expectRevoked,
  expectStopped,
  expectUseUntilExp,
  forges,
  operates,
  ownSecret,
  type Proof,
  readsRedis,
  revokes,
  signer,
  verifier,
  writerRevokes,
  writes,
} from './attacks.js';
import { codeOf } from './fleet.js';

/** By the words of each claim: a cell has several, between semicolons. */
type Proofs = Readonly<Record<string, Proof>>;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('SECURITY.md');

/** Another test has the proof; there it is named by these words. */
const heldBy =
  (path: string, title: string): Proof =>
  () =>
    expect(read(path)).toContain(title);

const stolenToken: Proofs = {
  'uses it until its `exp`, or `revoke()`': async (scene) => {
    await expectUseUntilExp(scene);
    await revokes(scene);
  },
};
const takenReader: Proofs = { forges: forges(verifier), 'cannot destroy': cannotDestroy };
const takenMember: Proofs = {
  forges: forges(signer),
  revokes: async (scene) => {
    const { url } = await signer(scene);
    await expectRevoked(scene, () => scene.member({ redisConn: url }).revoke());
  },
  'stops all members': async (scene) => expectStopped(scene, (await signer(scene)).send),
};
const modes: Readonly<Record<string, readonly [plain: Proofs, sealed: Proofs]>> = {
  'reads Redis, its dumps, replicas, traces': [
    {
      'forges every token': async (scene) => {
        await scene.victim.ready();
        await expectForged(await dumpBy((await readsRedis(scene)).send, scene.namespace), scene, true);
      },
    },
    {
      'learns kids, times and namespaces': async (scene) => {
        const token = await acceptedToken(scene);
        await scene.victim.rotate({ force: true });
        const { send } = await readsRedis(scene);
        const dump = await dumpBy(send, scene.namespace);
        await expectForged(dump, scene, false);
        await scene.judge.ready();
        const { current } = scene.judge.status().keyring ?? {};
        expect(dump.join('\n')).toContain(`rewt-kid.${current?.kid}`);
        expect(dump.join('\n')).not.toContain(kidIn(token));
        const endsAtMs = Date.now() + Number(await send('PTTL', scene.key));
        expect(Math.abs(endsAtMs - Number(current?.expiresAt))).toBeLessThan(1_000);
        heldBy('test/interop/sealed-canary.test.ts', 'of a keyring that is %s')(scene);
      },
    },
  ],
  'writes Redis': [
    {
      'sets a secret and forges': writes(async (scene, send) => {
        await scene.victim.ready();
        await send('SET', scene.key, ownSecret);
        await expectForged([ownSecret], scene, true);
      }),
      revokes: writerRevokes,
      'stops all members': writes(expectStopped),
    },
    {
      revokes: writerRevokes,
      'stops all members': writes(expectStopped),
      'puts an older ring of the same epoch back': expectOlderRing,
    },
  ],
  'took over a member with `readOnly`': [takenReader, takenReader],
  'took over a member that signs': [takenMember, takenMember],
  'stole a token': [stolenToken, stolenToken],
  'operates Redis, without the seal key': [
    {
      forges: forges(operates),
      'revokes by `DEL`': writes((scene, send) => expectRevoked(scene, () => send('DEL', scene.key)), operates),
      'moves a rotation by `EXPIRE`': writes(expectMoved, operates),
    },
    {
      'revokes by `DEL`': writes(async (scene, send) => {
        await expectRevoked(scene, () => send('DEL', scene.key));
        await expectForged(await dumpBy(send, scene.namespace), scene, false);
      }, operates),
      'moves a rotation by `EXPIRE`, to two `ttl` at most': writes(expectMoved, operates),
    },
  ],
  'lost the seal key': [
    {},
    {
      'members that run go on': async (scene) => {
        await acceptedToken(scene);
        await scene.victim.rotate({ force: true });
        await acceptedToken(scene);
        const starting = scene.member({ sealKey: createSealKey(randomBytes) });
        expect(await codeOf(starting.ready())).toBe('ERR_REWT_RING_SEALED');
      },
      "then `revoke({ replace: 'sealed' })`": async (scene) => {
        const token = await acceptedToken(scene);
        await Promise.all([scene.victim, scene.judge].map((live) => live.close()));
        const starting = scene.member({ sealKey: createSealKey(randomBytes) });
        expect(await codeOf(starting.revoke())).toBe('ERR_REWT_RING_SEALED');
        await starting.revoke({ replace: 'sealed' });
        expect(await outcomesOf([token], starting)).toEqual([401]);
        expect(await outcomesOf([await starting.sign({})], starting)).toEqual([200]);
      },
    },
  ],
};

const attackers: Readonly<Record<string, readonly [can: Proofs, cannot: Proofs]>> = {
  'sends tokens': [
    {
      'make a member refuse (401), in microseconds each': async (scene) => {
        const token = await acceptedToken(scene);
        const long = Array.from({ length: 1_000 }, (_, at) => `${token.slice(0, -5)}${String(at).padStart(5, '0')}`);
        const begun = process.cpuUsage();
        expect(await outcomesOf(long, scene.judge)).toEqual([401]);
        const { user } = process.cpuUsage(begun);
        expect(user / long.length).toBeLessThan(1_000);
      },
    },
    {
      'forge a token': heldBy('test/hostile.test.ts', 'is refused with'),
      'crash or hang a member': heldBy('test/fuzz/fuzz.test.ts', 'no input breaks a promise'),
    },
  ],
  'stole a token': [
    { 'use it until its `exp`': expectUseUntilExp },
    { 'use it after `revoke()` has reached the member': revokes },
  ],
  'stole the secret': [
    {
      'sign until it is revoked': async (scene) => {
        await scene.victim.ready();
        await expectForged(await openedBy((await operates(scene)).send, scene), scene, true);
      },
    },
    {
      'survive `revoke()`, `DEL` or `SET` on the key: next is dropped as well': async (scene) => {
        const { send } = await operates(scene);
        for (const pull of [
          () => scene.victim.revoke(),
          () => send('DEL', scene.key),
          () => send('SET', scene.key, ownSecret),
        ]) {
          await scene.victim.ready();
          const stolen = await openedBy(send, scene);
          expect(stolen[0]).toMatch(/"next":\{"secret"/);
          await pull();
          await expectForged(stolen, scene, false);
        }
      },
    },
  ],
  'sees logs, errors, metrics, `inspect()`, EVAL arguments in traces': [
    {
      'see kids, times, namespaces': async ({ victim, namespace }) => {
        await victim.ready();
        const { current } = victim.status().keyring ?? {};
        const shown = inspect([victim, victim.status()], { depth: 9 });
        for (const text of [String(current?.kid), namespace]) expect(shown).toContain(text);
        expect(current?.expiresAt).toBeInstanceOf(Date);
      },
    },
    {
      'see secrets, tokens, payloads, connection options': heldBy(
        'test/interop/secrecy.test.ts',
        "describe('no secret is given away'",
      ),
    },
  ],
  'may `PUBLISH` on Redis': [
    {
      'make every member read ten times a second': heldBy(
        'test/keyring/push.test.ts',
        'that brings no news is answered at most ten times a second',
      ),
    },
    {
      'do more than that: a message is never believed': heldBy(
        'test/stores/redis/push.test.ts',
        'hears what anyone publishes on its channel, and takes it for no more than a hint',
      ),
    },
  ],
  'controls the network to Redis': [
    {
      'delay and cut': async (scene) => {
        const network = await startProxy(scene.server.port);
        try {
          const member = scene.member({ redisConn: `redis://127.0.0.1:${network.port}` });
          await network.delayReplies(60);
          const begunMs = performance.now();
          await member.ready();
          expect(performance.now() - begunMs).toBeGreaterThan(50);
          await network.cut();
          await expect(member.ready()).rejects.toMatchObject({ status: 503 });
        } finally {
          await network.stop();
        }
      },
    },
    {
      'keep members going beyond `maxStaleness`: then they answer 503': async (scene) => {
        const network = await startProxy(scene.server.port);
        try {
          const redisConn = `redis://127.0.0.1:${network.port}`;
          const member = scene.member({ redisConn, maxStaleness: 0.6, storeTimeout: 0.3 });
          const token = await acceptedToken(scene);
          await until('it has a copy', async () => (await codeOf(member.verify(token))) === 'no error');
          await network.blackHole();
          const heldMs = performance.now();
          let lastMs = heldMs;
          await until('it stops', async () => {
            const begunMs = performance.now();
            const outcomes = await outcomesOf([token], member);
            if (outcomes[0] === 200) lastMs = begunMs;
            else expect(outcomes).toEqual([503]);
            return outcomes[0] === 503;
          });
          expect(lastMs - heldMs).toBeLessThan(600);
        } finally {
          await network.stop();
        }
      },
    },
  ],
  'profits from a failover that lost writes': [
    { 'bring back an old keyring for a while': expectOlderRing },
    {
      'undo a revocation that a live member in use has seen': async (scene) => {
        await expectNoReturn(scene);
        heldBy('test/stores/redis/failover.test.ts', 'a Sentinel failover')(scene);
      },
    },
  ],
};

/** The sentences below the second table. */
const sentences: readonly (readonly [words: string, mode: Mode, proof: Proof])[] = [
  ['In both modes no writer brings back a secret that a live member in use has seen revoked.', 'plain', expectNoReturn],
  [
    'In both modes no writer brings back a secret that a live member in use has seen revoked.',
    'sealed',
    expectNoReturn,
  ],
  ['A live member also refuses a sealed ring whose current or next it saw end.', 'sealed', expectEndedRefused],
  [
    'A member that starts alone believes an older ring: after an attack on Redis, rotate the seal key.',
    'sealed',
    async (scene) => {
      const putBack = await keepKeyring(scene);
      await expectOlderRing(scene);
      const newKey = createSealKey(randomBytes);
      await scene.member({ sealKey: [newKey, scene.sealKey] })[RESEAL]({});
      await putBack();
      expect(await codeOf(scene.member({ sealKey: newKey }).ready())).toBe('ERR_REWT_RING_SEALED');
    },
  ],
];

interface Claim {
  readonly attacker: string;
  readonly column: string;
  readonly words: string;
  readonly proof: Proof | undefined;
}

/** The claims of the table whose head is `head`; 'the same' repeats those of the cell before. */
function claimsOf(head: string, proofs: Readonly<Record<string, readonly Proofs[]>>): readonly Claim[] {
  const [, body = ''] = page.split(`| ${head} |\n|---|---|---|\n`);
  const rows = (body.split('\n\n')[0] ?? '').split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
  const columns = head.split(' | ').slice(1);
  const claims = rows.flatMap(([, attacker = '', first = '', second = '']) =>
    [first, second.startsWith('the same') ? first : second].flatMap((cell, at) =>
      (cell === '' ? [] : cell.split('; ')).map((words) => {
        const proof = proofs[attacker]?.[at]?.[words];
        return { attacker, column: columns[at] ?? '', words, proof };
      }),
    ),
  );
  return [...claims, ...leftOver(claims, proofs)];
}

/** Proofs of what the table does not claim. */
function leftOver(claims: readonly Claim[], proofs: Readonly<Record<string, readonly Proofs[]>>): readonly Claim[] {
  const claimed = new Set(claims.map(({ proof }) => proof));
  return Object.entries(proofs).flatMap(([attacker, cells]) =>
    cells.flatMap((cell) =>
      Object.entries(cell)
        .filter(([, proof]) => !claimed.has(proof))
        .map(([words]) => ({ attacker, column: 'in no cell', words, proof: undefined })),
    ),
  );
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server?.stop());

async function prove(proof: Proof | undefined, mode: Mode): Promise<void> {
  if (proof === undefined) expect.fail('SECURITY.md and the proofs differ');
  const scene = createScene(server, mode);
  try {
    await proof(scene);
  } finally {
    await scene.close();
  }
}

describe.concurrent('SECURITY.md: an attacker that', () => {
  it.each(claimsOf('attacker | plain keyring | sealed keyring', modes))(
    '$attacker: $column: $words',
    async ({ proof, column }) => prove(proof, column === 'sealed keyring' ? 'sealed' : 'plain'),
  );

  it.each(sentences)('%s (%s)', async (words, mode, proof) => {
    expect(page).toContain(`\n${words}\n`);
    await prove(proof, mode);
  });

  describe.each(['plain', 'sealed'] as const)('(%s)', (mode) => {
    it.each(claimsOf('attacker | can | cannot', attackers))('$attacker: $column: $words', async ({ proof }) =>
      prove(proof, mode),
    );
  });
});
