/**
 * Tokens that are refused: what a flood of them costs, and whether any of them costs more than its
 * length.
 */

import { createSecretKey } from 'node:crypto';
import { createOurs, withFastJwt, withJose, withJsonwebtoken } from './contenders.js';
import { interleave } from './interleave.js';
import { internal } from './internals.js';
import { startRedis } from './local-redis.js';
import { claimSets, freshTokens } from './samples.js';

const { authenticate, createTokenKey, isRefusal } = await internal('jwt/authenticate');
const { createMac } = await internal('jwt/mac');

const MAX_BYTES = 8_192;
const columns = ['ratio', 'µs p10 / median'];

export async function run({ random }) {
  const server = await startRedis();
  const { rewt, secret, fresh } = await createOurs(server.port, { tokenCache: 0 });
  const contenders = await createRefusing(rewt, secret);
  const measure = async (names, material, options) => {
    const chosen = names.map((name) => contending(name, contenders[name], material));
    for (const { name, call } of chosen) if (!(await call(0))) throw new Error(`${name} takes what it has to refuse`);
    return interleave(chosen, { random, between: fresh, ...options });
  };
  try {
    const everybody = Object.keys(contenders);
    const good = await Promise.all(claimSets(149).map((set) => rewt.sign(set)));
    const withNewStrings = (names, tokens) => {
      const material = freshTokens(tokens);
      return measure(names, material, { material });
    };
    const altered = await withNewStrings(everybody, good.map(withoutItsSignature));
    // By its own verify a token of an unknown kid is one question to the store, which many share; a
    // middleware asks for the code.
    const unknown = await withNewStrings(
      everybody.filter((name) => name !== 'rewt, verify'),
      good.map((token) => reSigned(token, 'another secret, which nobody has')),
    );
    return [
      { id: 'reject signature', title: 'Refuse a bad signature, payload of 149 B', columns, rows: altered },
      { id: 'reject kid', title: 'Refuse a token of an unknown key, payload of 149 B', columns, rows: unknown },
      await hostile(everybody, good[0], measure),
    ];
  } finally {
    await rewt.close();
    server.stop();
  }
}

/**
 * Each contender says whether it refuses: as a code from the core, which is what a middleware
 * needs, or as everybody does, in an error.
 */
async function createRefusing(rewt, secret) {
  const current = createKey(rewt.status().keyring.current.kid, secret);
  const keys = [current, createKey('another-kid', `${secret}, next`)];
  const throwing = {
    'fast-jwt': withFastJwt(secret),
    'jsonwebtoken, KeyObject': withJsonwebtoken(createSecretKey(Buffer.from(secret))),
    jose: await withJose(secret),
  };
  return {
    'rewt, code': { refuses: (token) => isRefusal(authenticate(token, keys, Date.now(), MAX_BYTES)) },
    'rewt, verify': { awaited: true, refuses: (token) => rejects(rewt.verify(token)) },
    ...Object.fromEntries(
      Object.entries(throwing).map(([name, { awaited, verify }]) => [
        name,
        { awaited, refuses: awaited ? (token) => rejects(verify(token)) : (token) => throws(verify, token) },
      ]),
    ),
  };
}

const createKey = (kid, secret) => ({
  ...createTokenKey(kid, createMac(Buffer.from(secret))),
  verifiesUntilMs: Number.POSITIVE_INFINITY,
});

const contending = (name, { awaited, refuses }, material) => ({ name, awaited, call: (n) => refuses(material(n)) });

async function rejects(promise) {
  try {
    await promise;
    return false;
  } catch {
    return true;
  }
}

function throws(verify, token) {
  try {
    verify(token);
    return false;
  } catch {
    return true;
  }
}

/**
 * What is long, empty or deep where a parser might lose itself. A row for each, and a column for
 * each contender.
 */
async function hostile(names, good, measure) {
  const [header, , signature] = good.split('.');
  const deep = (bytes) => Buffer.from('{"a":'.repeat(bytes * 0.15)).toString('base64url');
  const inputs = {
    'a token of 1 MB': `${header}.${'A'.repeat(2 ** 20)}.${signature}`,
    '1 MB of A': 'A'.repeat(2 ** 20),
    '8 kB of dots': '.'.repeat(8_000),
    '8 kB of A': 'A'.repeat(8_000),
    '8 kB, the header deep JSON': `${deep(8_000)}.e30.${signature}`,
    '8 kB, the payload deep JSON': `${header}.${deep(8_000)}.${signature}`,
  };
  const rows = [];
  for (const [name, token] of Object.entries(inputs)) {
    // Always the same string: to make a new one would take longer than to refuse it.
    const measured = await measure(names, () => token, { rounds: 21 });
    rows.push({ name, ...Object.fromEntries(measured.map((row) => [row.name, row['µs p10 / median']])) });
  }
  return { id: 'reject hostile', title: 'Refuse what is long, empty or deep: µs, p10 / median', columns: names, rows };
}

function withoutItsSignature(token) {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

/**
 * As another fleet would have signed it: its own kid in the header, and right under its own secret.
 */
function reSigned(token, secret) {
  const { claims } = createTokenKey('unknown-kid', createMac(Buffer.from(secret))).headers;
  const signed = `${claims}.${token.split('.')[1]}`;
  return `${signed}.${createMac(Buffer.from(secret))(signed)}`;
}
