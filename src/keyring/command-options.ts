/** Reads the options of `rotate()`, `revoke()` and `rewt set`. */

import { OptionError } from '../errors.js';
import { isReason } from './changes.js';
import type { Replaceable } from './contents-reader.js';

/** Reads a reason, which is kept in the ring and shown by `status()`. */
export function readReason(value: unknown, option: string): string {
  if (isReason(value)) return value;
  throw new OptionError(`${option}: must be a text of 1 to 200 characters, none of them a control character`, {
    option,
  });
}

export function readReplaceable(value: unknown, option: string): Replaceable {
  if (value === 'unreadable' || value === 'newer' || value === 'sealed') return value;
  throw new OptionError(`${option}: must be 'unreadable', 'newer' or 'sealed', as the code of the error says`, {
    option,
  });
}
