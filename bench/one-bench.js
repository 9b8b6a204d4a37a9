/**
 * One bench in a separate process: what another has taught the compiler about the same libraries
 * would show in its figures.
 */

import { answer, ordered } from './child.js';
import { seededRandom } from './random.js';

answer({
  async run() {
    const { name, seed, base } = ordered();
    const { run } = await import(`./${name}.js`);
    return (await run({ seed, base, random: seededRandom(seed) })) ?? [];
  },
});
