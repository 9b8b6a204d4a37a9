/** All targets by name, in the order in which they are played. */

import type { Target } from './target.js';
import { claimsTarget } from './targets/claims.js';
import { cliTarget } from './targets/cli.js';
import { headerTarget } from './targets/header.js';
import { linearTarget } from './targets/linear.js';
import { optionsTarget } from './targets/options.js';
import { ringTarget } from './targets/ring.js';
import { tokenTarget } from './targets/token.js';

export const targets = {
  token: tokenTarget,
  header: headerTarget,
  claims: claimsTarget,
  options: optionsTarget,
  ring: ringTarget,
  cli: cliTarget,
  linear: linearTarget,
};
export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as TargetName[];

/** What a target generates goes to no other one, whatever its type. */
export const openTarget = (name: TargetName) => targets[name]() as Target<unknown>;
