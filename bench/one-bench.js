/** One bench in a process of its own: what another has taught the compiler about the same libraries would show in its figures. */

import { answer, ordered } from './child.js';
import { seededRandom } from './random.js';

answer({
  async run() {
    const { name, seed } = ordered();
    const { run } = await import(`./${name}.js`);
    return (await run({ seed, random: seededRandom(seed) })) ?? [];
  },
});
