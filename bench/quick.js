/**
 * `npm run bench -- --quick`: four headline ratios in under a minute, each against what it is held
 * to; with `--base <folder>` also against the build of another commit, in the same rounds.
 */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createOurs, floor } from './contenders.js';
import { interleave } from './interleave.js';
import { startRedis } from './local-redis.js';
import { audience, claimSets, freshTokens, issuer } from './samples.js';

const HEADLINES = [
  'sign / the floor',
  'first verify / the floor',
  'remembered / first verify',
  'rewt/express / remembered',
];

export async function run({ random, base }) {
  const server = await startRedis();
  const builds = [];
  try {
    builds.push(await opened('.', server.port));
    if (base) builds.push(await opened(base, server.port));
    const between = () => Promise.all(builds.map(({ fresh }) => fresh()));
    const byHand = floor(builds[0].secret, { awaited: true });
    const claims = claimSets(149);
    const tokens = await Promise.all(claims.map((set) => builds[0].first.sign(set)));
    const material = freshTokens(tokens);
    const headers = freshTokens(tokens.map((token) => `Bearer ${token}`));
    const [now] = builds;
    const groups = [
      [
        (build) => (n) => build.first.sign(claims[n % claims.length]),
        (n) => byHand.sign(claims[n % claims.length]),
        null,
      ],
      [(build) => (n) => build.first.verify(material(n)), (n) => byHand.verify(material(n)), material],
      [(build) => (n) => build.again.verify(material(n)), (n) => now.first.verify(material(n)), material],
      [(build) => (n) => build.through(headers(n)), (n) => now.again.verify(material(n)), material],
    ];
    const rows = [];
    for (const [at, [ours, reference, made]] of groups.entries()) {
      const contenders = [...builds.map((build) => ours(build)), reference];
      const measured = await interleave(
        contenders.map((call, which) => ({ name: String(which), awaited: true, call })),
        { random, between, material: made },
      );
      const to = measured.at(-1).ratio;
      rows.push({
        name: HEADLINES[at],
        'µs p10 / median': measured[0]['µs p10 / median'],
        // Theirs divided by ours is what is measured, and the other way round what is claimed.
        ratio: { median: 1 / to.median, low: 1 / to.high, high: 1 / to.low },
        ...(base && { 'base / now': measured[1].ratio }),
      });
    }
    const columns = ['ratio', 'µs p10 / median', ...(base ? ['base / now'] : [])];
    return [{ id: 'quick', title: 'Headlines, payload of 149 B', columns, rows }];
  } finally {
    await Promise.all(builds.map(({ close }) => close()));
    server.stop();
  }
}

/** The build of a checkout, as a Rewt that remembers nothing, one that does, and a middleware. */
async function opened(folder, port) {
  const dist = (path) => import(pathToFileURL(resolve(folder, 'dist/esm', path)));
  const { Rewt } = await dist('index.js');
  const { rewtAuth } = await dist('middleware/express.js');
  const first = await createOurs(port, { tokenCache: 0 }, Rewt);
  const again = await createOurs(port, {}, Rewt);
  const auth = rewtAuth(again.rewt, { audience, issuer });
  return {
    first: first.rewt,
    again: again.rewt,
    secret: first.secret,
    through: (authorization) =>
      new Promise((resolve) =>
        auth({ headers: { authorization }, rawHeaders: ['Authorization', authorization] }, {}, resolve),
      ),
    fresh: () => Promise.all([first.fresh(), again.fresh()]),
    close: () => Promise.all([first.rewt.close(), again.rewt.close()]),
  };
}
