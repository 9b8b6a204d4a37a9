/** A scenario: who takes part in what weather, and how often what happens to them. */

import type { Random } from './random.js';
import type { troubles } from './troubles.js';
import type { Weather } from './weather.js';
import type { World } from './world.js';
import type { Times } from './written.js';

export interface Scenario {
  readonly name: string;
  /** The mean time between two of a kind, in milliseconds. Absent: each seed has its own. */
  readonly troubles?: { readonly [Name in keyof typeof troubles]?: (world: World) => number };
  readonly members?: readonly [least: number, most: number];
  readonly old?: number;
  /** All members have one seal key; or some lack one of two, and the ring moves between them. */
  readonly sealed?: boolean | 'under two keys';
  /** The share of fleets that take plain rings: each member until it has read a sealed one. */
  readonly migrates?: number;
  /** How often an operator moves the ring to another seal key. */
  readonly reseals?: (world: World) => number;
  /** How often a program writes that has no seal key: the mean time between two of its writes. */
  readonly hostile?: (world: World) => number;
  /** Members whose options differ. */
  readonly mixed?: boolean;
  /**
   * The share of members that only verify, with a `maxStaleness` many times as long as the `ttl` of
   * the others.
   */
  readonly gateways?: number;
  /** The share of members that only read (`readOnly`), whose user may not write. */
  readonly readers?: number;
  /** The share of members that hear pushes. Default: a half. */
  readonly push?: number;
  /** How long it lasts, in `ttl`s. Default: 3. */
  readonly turns?: number;
  /** Between two tokens. Default: 1200. Milliseconds. */
  readonly everyMs?: (world: World) => number;
  /** Whether traffic gathers around the ends of secrets. Default: it does. */
  readonly rushes?: boolean;
  readonly weather?: (random: Random) => Partial<Weather>;
  readonly times?: (random: Random) => Times;
  /** What the first member goes by, if not by the same. */
  readonly first?: () => Times;
  /** Seeds of this one for a hundred of the others, unless a range is named. Default: 100. */
  readonly share?: number;
}
