/** Verifies more tokens than anybody should remember, and looks at what is left on the heap. */

import { setImmediate as turn } from 'node:timers/promises';
import { answer, ordered } from './child.js';
import { createOurs } from './contenders.js';
import { claimSets } from './samples.js';

const TOKENS = 200_000;
const AT_ONCE = 2_000;

answer({
  async flood() {
    const { rewt, fresh } = await createOurs(ordered().port);
    const rows = [];
    // Twice: to come again is what lets a token in, so that is the flood that fills what there is
    // to be filled.
    for (const times of [1, 2]) {
      await verifyAll(rewt, fresh, AT_ONCE, 1);
      const before = heapMegabytes();
      await verifyAll(rewt, fresh, TOKENS, times);
      const name = `${TOKENS.toLocaleString('en')} tokens, each ${times === 1 ? 'once' : 'twice'}`;
      rows.push({ name, 'before, MB': before, 'after, MB': heapMegabytes() });
    }
    await rewt.close();
    return rows;
  },
});

let serial = 0;

async function verifyAll(rewt, fresh, tokens, times) {
  const [claims] = claimSets(149);
  for (let done = 0; done < tokens; done += AT_ONCE) {
    await fresh();
    for (let n = 0; n < AT_ONCE; n += 1) {
      serial += 1;
      const token = await rewt.sign({ ...claims, jti: `flood-${serial}` });
      for (let time = 0; time < times; time += 1) await rewt.verify(token);
    }
    // The replies of Redis get through.
    await turn();
  }
}

function heapMegabytes() {
  globalThis.gc();
  globalThis.gc();
  return Math.round((process.memoryUsage().heapUsed / 2 ** 20) * 100) / 100;
}
