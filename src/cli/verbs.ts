/**
 * The verbs that a start of `rewt sign` or `rewt verify` does without: they and what they need are
 * loaded when one is called.
 */

export { demo } from './commands/demo.js';
export { doctor } from './commands/doctor.js';
export { explain } from './commands/explain.js';
export { list } from './commands/list.js';
export { move } from './commands/move.js';
export { revoke } from './commands/revoke.js';
export { rotate } from './commands/rotate.js';
export { serve } from './commands/serve.js';
export { set } from './commands/set.js';
export { status } from './commands/status.js';
