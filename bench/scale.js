/**
 * How costs grow: with the retired secrets of a keyring, with the namespaces in a process, and with
 * the tokens that are remembered. A fleet's growth is in fleet.js.
 */

import { startChild } from './child.js';
import { createOurs } from './contenders.js';
import { interleave } from './interleave.js';
import { startRedis } from './local-redis.js';
import { claimSets, freshTokens } from './samples.js';

/** The last is the most that rotate() makes: a ring has room for 32, and keeps two of them free. */
const RETIRED = [1, 8, 30];

export async function run({ seed, random }) {
  const server = await startRedis();
  try {
    return [await secrets(server.port, random), ...(await apart(server.port, seed))];
  } finally {
    server.stop();
  }
}

/** Each number of retired secrets against the first. */
async function secrets(port, random) {
  const keyrings = [];
  for (const retired of RETIRED) keyrings.push(await keyringWith(retired, port));
  const between = () => Promise.all(keyrings.map(({ fresh }) => fresh()));
  const claims = claimSets(149);
  const measured = async (call, material) =>
    interleave(
      keyrings.map((keyring) => ({ name: keyring.name, awaited: true, call: call(keyring) })),
      { random, between, material },
    );
  try {
    const newest = freshTokens(claims.map((set) => keyrings[0].rewt.signSync(set)));
    const columns = {
      sign: await measured(
        ({ rewt }) =>
          (n) =>
            rewt.sign(claims[n % claims.length]),
      ),
      verify: await measured(({ rewt, token }) => {
        const material = freshTokens([token]);
        return (n) => rewt.verify(material(n));
      }, newest),
      'verify, oldest secret': await measured(({ rewt, oldest }) => {
        const material = freshTokens([oldest]);
        return (n) => rewt.verify(material(n));
      }, newest),
    };
    const rows = keyrings.map(({ name }, at) => ({
      name,
      ...Object.fromEntries(
        Object.entries(columns).flatMap(([verb, found]) => [
          [`${verb}, µs`, found[at]['µs p10 / median']],
          [`${verb}, ratio`, found[at].ratio],
        ]),
      ),
    }));
    const names = Object.keys(columns).flatMap((verb) => [`${verb}, ratio`, `${verb}, µs`]);
    return { id: 'scale secrets', title: 'A keyring with more retired secrets (tokenCache: 0)', columns: names, rows };
  } finally {
    await Promise.all(keyrings.map(({ rewt }) => rewt.close()));
  }
}

async function keyringWith(retired, port) {
  const { rewt, fresh } = await createOurs(port, { tokenCache: 0, redisNamespace: `scale-${retired}` });
  const [claims] = claimSets(149);
  const oldest = await rewt.sign(claims);
  for (let n = 0; n < retired; n += 1) await rewt.rotate({ force: true });
  return { name: `${retired} retired`, rewt, fresh, oldest, token: await rewt.sign(claims) };
}

/** A separate process, with nothing else on its heap. */
async function apart(port, seed) {
  const child = startChild('scale-child.js', { port, seed }, ['--expose-gc']);
  try {
    return [await child.ask('namespaces'), await child.ask('remembered'), await child.ask('pushed')];
  } finally {
    child.end();
  }
}
