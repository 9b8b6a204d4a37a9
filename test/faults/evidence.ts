/**
 * What the members of the fault suite saw and did, and what was done to them: all that the
 * judge gets. Times are milliseconds of one clock.
 */

export interface Operation {
  readonly member: number;
  readonly kind: 'sign' | 'verify';
  /** The token's id, also where it could not be signed. */
  readonly token: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Null: it succeeded. */
  readonly code: string | null;
}

export interface Token {
  readonly id: string;
  readonly kid: string;
  /** Its `exp`. */
  readonly endsMs: number;
}

/** All keyrings from one revocation to the next, named by lineage and epoch. */
export interface Generation {
  readonly name: string;
  readonly firstSeenMs: number;
  readonly kids: ReadonlySet<string>;
}

/**
 * Why secrets go: a `revoke()` that returned, and the generation it led to; one that failed, and
 * may have happened; or a store that lost what it held.
 */
export type Cause =
  | { readonly kind: 'revoked'; readonly beganMs: number; readonly returnedMs: number; readonly generation: string }
  | { readonly kind: 'attempted' | 'lost'; readonly beganMs: number };

export type Revocation = Extract<Cause, { kind: 'revoked' }>;

export interface Evidence {
  readonly members: number;
  readonly maxStalenessMs: number;
  readonly operations: readonly Operation[];
  readonly tokens: ReadonlyMap<string, Token>;
  /** In the order in which they were first seen. */
  readonly generations: readonly Generation[];
  readonly causes: readonly Cause[];
}
