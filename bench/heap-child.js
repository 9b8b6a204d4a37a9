/** Counts what operations allocate. */

import { createSecretKey } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { answer, ordered } from './child.js';
import { createOurs, withFastJwt, withJsonwebtoken } from './contenders.js';
import { median } from './quantiles.js';
import { claimSets, freshTokens, SAMPLES } from './samples.js';

const WARM_UP = 30_000;
const CALLS = 2_000;
const TIMES = 15;

answer({
  async measure() {
    const { rewt, secret, fresh } = await createOurs(ordered().port, { tokenCache: 0 });
    const claims = claimSets(149);
    const material = freshTokens(await Promise.all(claims.map((set) => rewt.sign(set))));
    const contenders = {
      rewt: { awaited: true, sign: (set) => rewt.sign(set), verify: (token) => rewt.verify(token) },
      'fast-jwt': withFastJwt(secret),
      'jsonwebtoken, KeyObject': withJsonwebtoken(createSecretKey(Buffer.from(secret))),
    };
    const rows = [];
    for (const [name, { awaited, sign, verify }] of Object.entries(contenders)) {
      const bytes = (call) => bytesEach(call, awaited, fresh);
      rows.push({
        name,
        sign: await bytes((n) => sign(claims[n % SAMPLES])),
        verify: await bytes((n) => verify(material(n))),
      });
    }
    await rewt.close();
    return rows;
  },
});

async function bytesEach(call, awaited, fresh) {
  const calls = async (times) => {
    if (awaited) for (let n = 0; n < times; n += 1) await call(n);
    else for (let n = 0; n < times; n += 1) call(n);
  };
  await calls(WARM_UP);
  const counts = [];
  for (let time = 0; time < TIMES; time += 1) {
    await fresh();
    globalThis.gc();
    const before = getHeapStatistics().used_heap_size;
    await calls(CALLS);
    counts.push((getHeapStatistics().used_heap_size - before) / CALLS);
  }
  return Math.round(median(counts));
}
