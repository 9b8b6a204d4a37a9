/** `npm run fuzz`: its options are in test/fuzz/main.ts. */

import { runCompiled } from './compiled.js';

runCompiled('fuzz');
