/**
 * Sign, and verify a token for the first time, with a warm copy of the keyring: against everybody
 * else, in a loop.
 */

import { randomBytes } from 'node:crypto';
import { createOurs, createPeers } from './contenders.js';
import { heapPerOperation } from './heap.js';
import { interleave } from './interleave.js';
import { startRedis } from './local-redis.js';
import { claimSets, freshTokens, SAMPLES } from './samples.js';

const payloads = [
  { bytes: 149, filling: 'flat' },
  { bytes: 1_000, filling: 'list' },
  { bytes: 4_000, filling: 'list' },
];
const IN_FLIGHT = 64;

export async function run({ random }) {
  const server = await startRedis();
  const { rewt, secret, fresh } = await createOurs(server.port, { tokenCache: 0 });
  const ofSealed = { tokenCache: 0, redisNamespace: 'bench-sealed', sealKey: randomBytes(32) };
  const sealed = await createOurs(server.port, ofSealed);
  try {
    const peers = await createPeers(secret);
    const between = async () => {
      await fresh();
      await sealed.fresh();
    };
    const measured = { random, between };
    const tables = [];
    for (const { bytes, filling } of payloads) {
      const claims = claimSets(bytes, filling);
      tables.push(table('sign', bytes, await interleave(signers(rewt, peers, claims), measured)));
      const material = freshTokens(await Promise.all(claims.map((set) => rewt.sign(set))));
      await assertEqualWork(peers, material(0));
      const contenders = verifiers(rewt, peers, material);
      if (bytes === payloads[0].bytes) {
        const ofSealed = freshTokens(await Promise.all(claims.map((set) => sealed.rewt.sign(set))));
        contenders.push({ name: 'rewt, sealed', awaited: true, call: (n) => sealed.rewt.verify(ofSealed(n)) });
        contenders.push(inFlight('jose', peers.jose, material));
      }
      tables.push(table('verify', bytes, await interleave(contenders, { ...measured, material })));
    }
    return [...tables, await heapPerOperation(server.port)];
  } finally {
    await Promise.all([rewt.close(), sealed.rewt.close()]);
    server.stop();
  }
}

function table(verb, bytes, rows) {
  const size = `${bytes.toLocaleString('en')} B`;
  const title = verb === 'sign' ? `Sign a payload of ${size}` : `Verify a token for the first time, payload ${size}`;
  return { id: `codec ${verb} ${bytes}`, title, columns: ['ratio', 'µs p10 / median'], rows };
}

function signers(rewt, peers, claims) {
  const call = (sign) => (n) => sign(claims[n % SAMPLES]);
  return [
    { name: 'rewt', awaited: true, call: (n) => rewt.sign(claims[n % SAMPLES]) },
    { name: 'rewt, signSync', call: (n) => rewt.signSync(claims[n % SAMPLES]) },
    ...Object.entries(peers).map(([name, { sign, awaited }]) => ({ name, awaited, call: call(sign) })),
  ];
}

function verifiers(rewt, peers, material) {
  const call = (verify) => (n) => verify(material(n));
  return [
    { name: 'rewt', awaited: true, call: (n) => rewt.verify(material(n)) },
    { name: 'rewt, verifySync', call: (n) => rewt.verifySync(material(n)) },
    ...Object.entries(peers).map(([name, { verify, awaited }]) => ({ name, awaited, call: call(verify) })),
  ];
}

/** WebCrypto works in other threads, so one at a time is its worst case. */
function inFlight(name, { verify }, material) {
  const call = (n) => Promise.all(Array.from({ length: IN_FLIGHT }, (_, more) => verify(material(n + more))));
  return { name: `${name}, ${IN_FLIGHT} in flight`, awaited: true, each: IN_FLIGHT, call };
}

/** Throws for a library that accepts what it should refuse, or refuses what it should accept. */
async function assertEqualWork(peers, token) {
  const altered = `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
  for (const [name, { sign, verify }] of Object.entries(peers)) {
    const claims = await verify(await sign({ iss: 'billing', aud: 'orders', sub: name }));
    const byOurs = await verify(token);
    const refused = await new Promise((resolve) => resolve(verify(altered))).then(
      () => false,
      () => true,
    );
    if (claims.exp - claims.iat !== 300 || byOurs.iss !== 'billing' || !refused)
      throw new Error(`${name} does other work`);
  }
}
