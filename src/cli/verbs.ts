/**
 * The verbs that are loaded only when one is called, so that `rewt sign` and `rewt verify` start
 * without them.
 */

export { acl } from './commands/acl.js';
export { doctor } from './commands/doctor.js';
export { explain } from './commands/explain.js';
export { list } from './commands/list.js';
export { move } from './commands/move.js';
export { reseal } from './commands/reseal.js';
export { revoke } from './commands/revoke.js';
export { rotate } from './commands/rotate.js';
export { sealKey } from './commands/seal-key.js';
export { serve } from './commands/serve.js';
export { set } from './commands/set.js';
export { status } from './commands/status.js';
