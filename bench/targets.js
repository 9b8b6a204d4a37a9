/**
 * What is claimed, as ratios with the least or most that they may be: `npm run bench -- --check`
 * fails where one is missed.
 */

/**
 * Verify and sign once, in a loop. Node 20 needs longer than later versions to find out that a
 * string is no private key.
 */
const verify = (row) => ({ table: 'codec verify 149', row, column: 'ratio' });
const sign = (row) => ({ table: 'codec sign 149', row, column: 'ratio' });
const hit = (row) => ({ table: 'repeat 149 B', row, column: 'ratio' });
const heap = (row) => ({ table: 'codec heap', row, column: 'verify, ratio' });
const original = (row, column) => ({ table: 'redis verify', row, column });

const http = (framework, kind, row) => ({ table: `http ${framework} ${kind}`, row, column: 'ratio' });

/** The embedded store against a fresh copy of what is in Redis. */
const embedded = (table) => ({ table: `embedded ${table}`, row: 'the embedded store', column: 'ratio' });
const started = (row) => ({ table: 'embedded start', row, column: 'ratio' });

const FLOOR = 'the floor, awaited and strict';
const REWT_2 = 'GET, jsonwebtoken 8, string (rewt 2.0)';
const STRICT = 'rewt, maxStaleness: 0';

export const targets = [
  // The yardstick is the floor: how much slower others are also depends on the processor's hashing.
  { claim: 'verify, of the floor', is: verify(FLOOR), inverse: true, most: (node) => (node < 22 ? 1.25 : 1.4) },
  // Later versions write JSON so fast that what is checked before shows.
  { claim: 'sign, of the floor', is: sign(FLOOR), inverse: true, most: (node) => (node < 22 ? 0.9 : 1.7) },
  { claim: 'verify against jsonwebtoken, KeyObject', is: verify('jsonwebtoken, KeyObject'), least: 2.2 },
  {
    claim: 'verify against jsonwebtoken, string',
    is: verify('jsonwebtoken, string'),
    least: (node) => (node < 22 ? 80 : 9),
  },
  { claim: 'verify against fast-jwt', is: verify('fast-jwt'), least: 1.6 },
  {
    claim: 'verify against jsonwebtoken 8 (rewt 2.0)',
    is: verify('jsonwebtoken 8, string and callback (rewt 2.0)'),
    least: 2.2,
  },
  { claim: 'verify against jose', is: verify('jose'), least: 5 },
  { claim: 'verify against jose, 64 in flight', is: verify('jose, 64 in flight'), least: 3.5 },
  { claim: 'sign against jsonwebtoken, KeyObject', is: sign('jsonwebtoken, KeyObject'), least: 1.9 },
  { claim: 'sign against fast-jwt', is: sign('fast-jwt'), least: (node) => (node < 22 ? 2 : 1.6) },
  {
    claim: 'sign against jsonwebtoken 8 (rewt 2.0)',
    is: sign('jsonwebtoken 8, string and callback (rewt 2.0)'),
    least: 2.5,
  },
  { claim: 'verify against verifySync', is: verify('rewt, verifySync'), inverse: true, most: 1.15 },
  { claim: 'a remembered token against a new one', is: hit('rewt, tokenCache: 0'), least: 6 },
  { claim: "a remembered token against fast-jwt's cache", is: hit('fast-jwt, cache'), least: 3 },
  { claim: 'a remembered token against jsonwebtoken, KeyObject', is: hit('jsonwebtoken, KeyObject'), least: 14 },
  { claim: 'a remembered token through rewt/express', is: hit('rewt/express'), most: 2.1 },
  {
    claim: 'a remembered token with a list, against a flat one of the size',
    is: { table: 'repeat 1,000 B with a list', row: 'rewt', column: 'µs p10 / median' },
    over: { table: 'repeat 1,000 B', row: 'rewt', column: 'µs p10 / median' },
    most: 1.5,
  },
  {
    claim: 'tokens that never come again, tokenCache on against off',
    is: { table: 'repeat never', row: 'rewt', column: 'ratio' },
    most: 1.25,
  },
  {
    claim: 'refuse a bad signature against jsonwebtoken',
    is: { table: 'reject signature', row: 'jsonwebtoken, KeyObject', column: 'ratio' },
    least: 12,
  },
  {
    claim: 'refuse an unknown key against jsonwebtoken',
    is: { table: 'reject kid', row: 'jsonwebtoken, KeyObject', column: 'ratio' },
    least: 80,
  },
  { claim: 'a route behind express-jwt, tokens again', is: http('Express', 'again', 'express-jwt'), least: 1 },
  { claim: 'a route behind express-jwt, tokens never again', is: http('Express', 'never', 'express-jwt'), least: 1 },
  { claim: 'a route behind @fastify/jwt, tokens again', is: http('Fastify', 'again', '@fastify/jwt, cache'), least: 1 },
  { claim: 'a route behind @fastify/jwt, tokens never again', is: http('Fastify', 'never', '@fastify/jwt'), least: 1 },
  { claim: 'heap for a verify against jsonwebtoken', is: heap('jsonwebtoken, KeyObject'), least: 2.4 },
  { claim: 'heap for a verify against fast-jwt', is: heap('fast-jwt'), least: 1.6 },
  { claim: 'end to end against rewt 2.0, one by one', is: original(REWT_2, 'latency ratio'), least: 20 },
  { claim: 'end to end against rewt 2.0, 100 at once', is: original(REWT_2, 'ratio, 100 at once'), least: 5 },
  {
    claim: 'end to end against cacheSecret: true, 100 at once',
    is: original('no GET, jsonwebtoken 8, string (cacheSecret: true)', 'ratio, 100 at once'),
    least: 2.3,
  },
  {
    claim: 'maxStaleness: 0 against rewt 2.0, 100 at once',
    is: original(REWT_2, 'ratio, 100 at once'),
    over: original(STRICT, 'ratio, 100 at once'),
    least: 2.5,
  },
  {
    claim: 'latency of maxStaleness: 0 against rewt 2.0',
    is: original(STRICT, 'latency ratio'),
    over: original(REWT_2, 'latency ratio'),
    most: 1.1,
  },
  {
    claim: 'load the package against jsonwebtoken',
    is: { table: 'start', row: 'import jsonwebtoken', column: 'ratio' },
    least: 3,
  },
  {
    claim: 'require the package against jsonwebtoken',
    is: { table: 'start', row: 'require jsonwebtoken', column: 'ratio' },
    least: 3,
  },
  {
    claim: 'a bundle of isRewtError, kB',
    is: { table: 'start parts', row: 'a bundle of isRewtError', column: 'kB' },
    most: 4,
  },
  { claim: 'the embedded store, a remembered token in a loop', is: embedded('loop'), most: 3 },
  { claim: 'the embedded store, a remembered token a turn', is: embedded('turn'), most: 6 },
  { claim: 'the embedded store, a token that never comes again', is: embedded('never'), most: 1.8 },
  {
    claim: 'rewt sign against node -e 0',
    is: started('rewt sign'),
    most: (node) => (node < 22 ? 2.2 : Number.POSITIVE_INFINITY),
  },
  {
    claim: 'rewt sign against a program that requires rewt',
    is: started('rewt sign'),
    over: started('a program that requires rewt'),
    most: (node) => (node < 22 ? Number.POSITIVE_INFINITY : 1.6),
  },
  { claim: 'installed, kB', is: { table: 'start weight', row: 'rewt', column: 'on disk, kB' }, most: 600 },
  { claim: 'dependencies', is: { table: 'start weight', row: 'rewt', column: 'dependencies' }, most: 0 },
];

/**
 * A line for each target whose table was measured: what it is, what it has to be, and whether it
 * is.
 */
export function checked(tables, node) {
  return targets.flatMap(({ claim, is, over, inverse = false, least, most }) => {
    if (!tables.some(({ id }) => id === is.table)) return [];
    const value = (measured(tables, is) / (over ? measured(tables, over) : 1)) ** (inverse ? -1 : 1);
    const bound = least ?? most;
    const limit = typeof bound === 'function' ? bound(node) : bound;
    return [
      {
        claim,
        value,
        limit,
        is: least === undefined ? 'most' : 'least',
        met: least === undefined ? value <= limit : value >= limit,
      },
    ];
  });
}

function measured(tables, { table, row, column }) {
  const cell = tables.find(({ id }) => id === table).rows.find(({ name }) => name === row)[column];
  return cell.median ?? cell.p10 ?? cell;
}
