/** `npm run sim`: its options are in test/sim/main.ts. */

import { runCompiled } from './compiled.js';

runCompiled('sim');
