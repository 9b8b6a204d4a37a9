/** What is played over a simulated folder. */

/** A member's own loop of read and swap, or a read. */
export type Work = 'change' | 'read';

export interface Scenario {
  readonly processes: readonly (readonly Work[])[];
  /** Changes that were made before. Without any there is no folder yet. */
  readonly primed?: number;
  /** How often the folder may be deleted. */
  readonly deletions?: number;
  /** Nothing comes between a call on a draft and the one before it, unless that makes the draft. */
  readonly isCoarse?: boolean;
  /** No draft is ever old enough to be swept. */
  readonly keepsDrafts?: boolean;
  /** Every record from before has a second name outside of the folder. */
  readonly hasBackup?: boolean;
  /** Every new folder has the same birth. */
  readonly hasOneBirth?: boolean;
}

/** The number of a process, or that the folder is deleted. */
export type Choice = number | 'delete';

export type Outcome = 'swapped' | 'conflict' | 'unknown' | 'read' | 'failed';
