/**
 * Tokens that come again, and tokens that never do: what remembering verified ones buys, and what
 * it costs.
 */

import { createSecretKey } from 'node:crypto';
import { rewtAuth } from '../dist/esm/middleware/express.js';
import { startChild } from './child.js';
import { createOurs, withFastJwt, withJsonwebtoken } from './contenders.js';
import { interleave } from './interleave.js';
import { startRedis } from './local-redis.js';
import { audience, claimSets, freshTokens, issuer } from './samples.js';

const payloads = [
  { bytes: 149, filling: 'flat', is: '149 B' },
  { bytes: 1_000, filling: 'flat', is: '1,000 B' },
  // A caller could alter a list, so each call has to make a new one.
  { bytes: 1_000, filling: 'list', is: '1,000 B with a list' },
];

/** So many that none is remembered, or known to have been seen, by the time that it comes again. */
const NEVER_AGAIN = 65_536;

const columns = ['ratio', 'µs p10 / median'];

export async function run({ random }) {
  const server = await startRedis();
  const { rewt: on, secret, fresh: onIsFresh } = await createOurs(server.port);
  const { rewt: off, fresh: offIsFresh } = await createOurs(server.port, { tokenCache: 0 });
  const between = () => Promise.all([onIsFresh(), offIsFresh()]);
  const measure = (contenders, material) =>
    interleave(contenders(material, { on, off, secret }), { random, material, between });
  try {
    const tables = [];
    for (const { bytes, filling, is } of payloads) {
      const tokens = await Promise.all(claimSets(bytes, filling).map((set) => off.sign(set)));
      const headers = freshTokens(tokens.map((token) => `Bearer ${token}`));
      const rows = await measure((material, rewts) => repeated(material, rewts, headers), freshTokens(tokens));
      tables.push({ id: `repeat ${is}`, title: `Verify 256 tokens over and over, payload of ${is}`, columns, rows });
    }
    const [claims] = claimSets(149);
    await between();
    const jtis = Array.from({ length: NEVER_AGAIN }, (_, n) => `never-${n}`);
    const rows = await measure(once, freshTokens(jtis.map((jti) => off.signSync({ ...claims, jti }))));
    tables.push({ id: 'repeat never', title: 'Verify tokens that never come again, payload of 149 B', columns, rows });
    return [...tables, await flood(server.port)];
  } finally {
    await Promise.all([on.close(), off.close()]);
    server.stop();
  }
}

/** `headers` are the same tokens as requests bring them. */
function repeated(material, { on, off, secret }, headers) {
  const options = { audience, issuer };
  const bound = on.verifier(options);
  const auth = rewtAuth(on, options);
  const through = (authorization) =>
    new Promise((resolve) =>
      auth({ headers: { authorization }, rawHeaders: ['Authorization', authorization] }, {}, resolve),
    );
  const peers = {
    'fast-jwt, cache': withFastJwt(secret, { cache: true }),
    'fast-jwt': withFastJwt(secret),
    'jsonwebtoken, KeyObject': withJsonwebtoken(createSecretKey(Buffer.from(secret))),
  };
  return [
    { name: 'rewt', awaited: true, call: (n) => on.verify(material(n)) },
    { name: 'rewt, verifySync', call: (n) => on.verifySync(material(n)) },
    { name: 'rewt, options in each call', awaited: true, call: (n) => on.verify(material(n), options) },
    { name: 'rewt, verifier()', awaited: true, call: (n) => bound(material(n)) },
    { name: 'rewt/express', awaited: true, call: (n) => through(headers(n)) },
    { name: 'rewt, tokenCache: 0', awaited: true, call: (n) => off.verify(material(n)) },
    ...Object.entries(peers).map(([name, { verify }]) => ({ name, call: (n) => verify(material(n)) })),
  ];
}

/** Compared with ours that remembers nothing. */
function once(material, { on, off, secret }) {
  const [cached, uncached] = [withFastJwt(secret, { cache: true }), withFastJwt(secret)];
  return [
    { name: 'rewt, tokenCache: 0', awaited: true, call: (n) => off.verify(material(n)) },
    { name: 'rewt', awaited: true, call: (n) => on.verify(material(n)) },
    { name: 'fast-jwt', call: (n) => uncached.verify(material(n)) },
    { name: 'fast-jwt, cache', call: (n) => cached.verify(material(n)) },
  ];
}

async function flood(port) {
  const child = startChild('flood-child.js', { port }, ['--expose-gc']);
  const rows = await child.ask('flood').finally(child.end);
  const title = 'The heap before and after a flood of tokens, each with a jti of its own (tokenCache: 1000)';
  return { id: 'repeat flood', title, columns: ['before, MB', 'after, MB'], rows };
}
