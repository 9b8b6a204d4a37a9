/**
 * Every error that rewt makes: its class names whose fault it was, its code what was wrong.
 *
 * No message, field or cause here may carry a token, a secret, a payload or a credential: errors
 * end up in logs.
 */

import type { callerErrors, storeErrors, tokenErrors } from './error-table.js';

const brand: unique symbol = Symbol.for('rewt.error') as never;

/**
 * What a token was refused for. Before its signature is known to be good, only the first four are
 * possible.
 */
export type TokenErrorCode = keyof typeof tokenErrors;

/** Why the store could not be used. */
export type StoreErrorCode = keyof typeof storeErrors;

/** What the caller did wrong. */
export type CallerErrorCode = keyof typeof callerErrors;

/** The codes of all errors (docs/errors.md). */
export type RewtErrorCode = TokenErrorCode | StoreErrorCode | CallerErrorCode;

/**
 * The common ancestor. If two versions of rewt are in one process, each has its own: use
 * `isRewtError()`.
 *
 * @example
 * ```ts
 * import { RewtError } from 'rewt';
 *
 * const log = (error: RewtError) => console.error(error.status, error.code, error.message);
 * ```
 */
export abstract class RewtError extends Error {
  /** The stable code, such as `ERR_REWT_EXPIRED`. */
  abstract readonly code: RewtErrorCode;
  /**
   * The HTTP status that this error means to a client: 401, 503, or 500 for a mistake of the
   * calling program.
   */
  abstract readonly status: 401 | 500 | 503;
  declare readonly [brand]: true;

  static {
    // On the prototype, so that it is not printed.
    Object.defineProperty(RewtError.prototype, brand, { value: true });
  }
}

/**
 * What a schema has against a payload. Its texts are the schema's own: they may contain claims of
 * the token, so think before you log or send them.
 */
export interface SchemaIssue {
  /** The text of the schema. */
  readonly message: string;
  /** The names and indices that lead to it, from the payload on. */
  readonly path: readonly PropertyKey[];
}

/** The pure core's refusal of a token; `TokenError` is made from it at the edge. */
export interface TokenRefusal {
  readonly code: TokenErrorCode;
  readonly message: string;
  /** The claim that was wrong, if it was one. */
  readonly claim?: string;
  /** When the token expired (`exp`), for `ERR_REWT_EXPIRED`. Milliseconds since the epoch. */
  readonly expiredAtMs?: number;
  /**
   * When the token becomes valid (`nbf`), for `ERR_REWT_NOT_ACTIVE`. Milliseconds since the epoch.
   */
  readonly activeAtMs?: number;
  /** For `ERR_REWT_SCHEMA`. */
  readonly issues?: readonly SchemaIssue[];
  /** Set if a newer copy of the keyring could have the key of the token. */
  readonly mayLackKey?: true;
}

/**
 * The token is at fault (HTTP 401). `name` is what jsonwebtoken would have called it.
 *
 * @example
 * ```ts
 * import { TokenError } from 'rewt';
 *
 * const claims = await rewt.verify(token).catch((error) => {
 *   if (error instanceof TokenError && error.code === 'ERR_REWT_EXPIRED') return null;
 *   throw error;
 * });
 * ```
 */
export class TokenError extends RewtError {
  /** The reason for the refusal. */
  readonly code: TokenErrorCode;
  /** The HTTP status for the client. */
  readonly status = 401;
  /** The claim that was wrong, if it was one. */
  declare readonly claim?: string;
  /** As in jsonwebtoken's TokenExpiredError. */
  declare readonly expiredAt?: Date;
  /** As in jsonwebtoken's NotBeforeError. */
  declare readonly date?: Date;
  /**
   * What the schema has against the payload, for `ERR_REWT_SCHEMA`. Not enumerable: no logger,
   * `inspect` or JSON shows it unless you do.
   */
  declare readonly issues?: readonly SchemaIssue[];

  constructor(refusal: TokenRefusal) {
    super(refusal.message);
    this.code = refusal.code;
    this.name = tokenErrorName(refusal.code);
    if (refusal.claim !== undefined) this.claim = refusal.claim;
    if (refusal.expiredAtMs !== undefined) this.expiredAt = new Date(refusal.expiredAtMs);
    if (refusal.activeAtMs !== undefined) this.date = new Date(refusal.activeAtMs);
    if (refusal.issues !== undefined) Object.defineProperty(this, 'issues', { value: refusal.issues });
  }
}

/**
 * The names that `switch (err.name)` in programs written for jsonwebtoken expects; its maxAge is a
 * TokenExpiredError too.
 */
function tokenErrorName(code: TokenErrorCode): string {
  if (code === 'ERR_REWT_EXPIRED' || code === 'ERR_REWT_TOO_OLD') return 'TokenExpiredError';
  if (code === 'ERR_REWT_NOT_ACTIVE') return 'NotBeforeError';
  return 'JsonWebTokenError';
}

/**
 * What is safe to show of the error behind a `StoreError`: frozen, and never the client's own
 * error, which may hold keys, arguments or credentials.
 */
export interface StoreFailureCause {
  /**
   * The system's or Node's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), the first word of Redis'
   * answer (`NOAUTH`), or the class of the client's error.
   */
  readonly code: string;
  /** The system call that failed. */
  readonly syscall?: string;
  /** The host that was to be reached. */
  readonly host?: string;
  /** The port that was to be reached. */
  readonly port?: number;
  /** The name of the Redis command, in capitals. */
  readonly command?: string;
}

/**
 * The store cannot be used (HTTP 503). Nothing is known about the token: never answer with a 401.
 *
 * @example
 * ```ts
 * import { StoreError } from 'rewt';
 *
 * const claims = await rewt.verify(token).catch((error) => {
 *   if (error instanceof StoreError) console.error(error.code, error.cause);
 *   throw error;
 * });
 * ```
 */
export class StoreError extends RewtError {
  /** The reason why the store cannot be used. */
  readonly code: StoreErrorCode;
  /** The HTTP status for the client. */
  readonly status = 503;
  /** The name of the class. */
  override readonly name = 'StoreError';
  /** The safe part of the error behind this one, if there was one. */
  declare readonly cause?: StoreFailureCause;

  constructor(code: StoreErrorCode, message: string, cause?: StoreFailureCause) {
    super(message, cause && { cause });
    this.code = code;
  }
}

/**
 * The calling program is at fault (HTTP 500): an option, a payload, or a rotation that comes too
 * early.
 *
 * @example
 * ```ts
 * import { OptionError } from 'rewt';
 *
 * const change = await rewt.rotate().catch((error) => {
 *   if (error instanceof OptionError) return null; // too soon after the last one
 *   throw error;
 * });
 * ```
 */
export class OptionError extends RewtError {
  /** The kind of mistake. */
  readonly code: CallerErrorCode;
  /** The HTTP status for the client. */
  readonly status = 500;
  /** The name of the class. */
  override readonly name = 'OptionError';
  /** The option that was wrong, if it was one. */
  declare readonly option?: string;

  constructor(message: string, details: { code?: CallerErrorCode; option?: string } = {}) {
    super(message);
    this.code = details.code ?? 'ERR_REWT_OPTION';
    if (details.option !== undefined) this.option = details.option;
  }
}

/**
 * Checks if a caught value is an error of rewt, from any copy of rewt in this process.
 *
 * @example
 * ```ts
 * import { isRewtError } from 'rewt';
 *
 * const statusOf = (error: unknown) => (isRewtError(error) ? error.status : 500);
 * ```
 */
export function isRewtError(value: unknown): value is TokenError | StoreError | OptionError {
  try {
    return typeof value === 'object' && value !== null && brand in value;
  } catch {
    // A proxy may throw at `in`.
    return false;
  }
}
