/** The argument `--role`. */

import { OptionError } from '../../errors.js';
import { type Role, roles } from '../../stores/redis/rights.js';

/** Reads the name of a role; null if none is given. @throws {OptionError} for an unknown name. */
export function readRole(name: string | undefined): Role | null {
  if (name === undefined) return null;
  if (!isRole(name)) throw new OptionError(`--role: must be one of ${inOrder.join(', ')}`, { option: 'role' });
  return name;
}

const inOrder = ['member', 'verifier', 'reader', 'operator'] as const satisfies readonly Role[];

function isRole(name: string): name is Role {
  return Object.hasOwn(roles, name);
}
