/** The diagnostics channels of rewt: their names and their messages. */

import { type Channel, channel } from 'node:diagnostics_channel';
import type { RewtErrorCode } from '../errors.js';

interface OfNamespace {
  /** The namespace of the member that published it. */
  readonly namespace: string;
}

/** `rewt:rotated`: another secret signs now. Tokens in flight continue to verify. */
export interface RotatedMessage extends OfNamespace {
  /** The secret that signs now. */
  readonly kid: string;
  /** The secret that signed before. */
  readonly previousKid: string;
  /** True if this member wrote it, false if this member read it. */
  readonly own: boolean;
}

/** `rewt:revoked`: the member rejects every secret that it held before. */
export interface RevokedMessage extends OfNamespace {
  /** The secret that signs now. */
  readonly kid: string;
  /** Revocations so far in this lineage of the keyring. */
  readonly epoch: number;
  /**
   * The row of the table in protocol.md that this member wrote, or 'read' if another member wrote
   * it.
   */
  readonly cause: string;
  /** True if this member wrote it, false if this member read it. */
  readonly own: boolean;
}

/**
 * `rewt:degraded`: the store cannot be used; the copy serves until `maxStaleness`. Published once
 * per outage.
 */
export interface DegradedMessage extends OfNamespace {
  /** The error of the store. */
  readonly code: RewtErrorCode;
}

/** `rewt:recovered`: the store can be used again. */
export interface RecoveredMessage extends OfNamespace {
  /** How long the store could not be used. Milliseconds. */
  readonly outageMs: number;
}

/**
 * `rewt:warning`: a condition that an operator should correct. Also passed to
 * `process.emitWarning`, once for each code.
 */
export interface WarningMessage extends OfNamespace {
  /** The stable code, such as `REWT_TOO_FEW_REPLICAS`. */
  readonly code: string;
  /** The condition and its remedy, in sentences. */
  readonly message: string;
}

/** `rewt:operation`: a call of the public API has ended. */
export interface OperationMessage extends OfNamespace {
  /** The method. `verifyComplete` counts as 'verify', the synchronous forms as their promises. */
  readonly operation: 'sign' | 'verify' | 'rotate' | 'revoke';
  /** The code of the error, or 'ok'. */
  readonly outcome: 'ok' | RewtErrorCode;
  /** Which side failed: 401 is the token, 503 the store, 500 the caller. */
  readonly fault: 'token' | 'store' | 'caller' | null;
  /** Milliseconds, with all waiting. */
  readonly durationMs: number;
  /**
   * The kind of secret that signed a verified token. 'unnamed': the token has no kid, like the
   * tokens of the first rewt.
   */
  readonly secret: 'current' | 'next' | 'retired' | 'unnamed' | null;
}

/** `rewt:refresh`: the member read the keyring, and wrote it if that was necessary. */
export interface RefreshMessage extends OfNamespace {
  /** The code of the error, or 'ok'. */
  readonly outcome: 'ok' | RewtErrorCode;
  /** Milliseconds. */
  readonly durationMs: number;
}

/**
 * `rewt:unannounced`: a member with a `memberName` could not announce itself. Nothing else is
 * affected.
 */
export interface UnannouncedMessage extends OfNamespace {
  /** The name that was to be announced. */
  readonly memberName: string;
  /** The error of the store. */
  readonly code: RewtErrorCode;
}

/** `rewt:resealed`: the member read the keyring in another form than before. */
export interface ResealedMessage extends OfNamespace {
  /** The id of the seal key that the keyring is under now; null: it is plain text. */
  readonly keyId: string | null;
  /** The id of the key before; null: it was plain text. */
  readonly previousKeyId: string | null;
}

/** The messages of the diagnostics channels, by the name after `rewt:`. */
export interface ChannelMessages {
  /** Each call of the API. */
  operation: OperationMessage;
  /** Each read of the keyring. */
  refresh: RefreshMessage;
  /** Another secret signs. */
  rotated: RotatedMessage;
  /** All earlier secrets are rejected. */
  revoked: RevokedMessage;
  /** An outage of the store begins. */
  degraded: DegradedMessage;
  /** An outage of the store ends. */
  recovered: RecoveredMessage;
  /** Another seal key, or plain text. */
  resealed: ResealedMessage;
  /** Conditions that an operator should correct. */
  warning: WarningMessage;
  /** Announcements that failed. */
  unannounced: UnannouncedMessage;
}

const channels: { readonly [Name in keyof ChannelMessages]: Channel } = {
  operation: channel('rewt:operation'),
  refresh: channel('rewt:refresh'),
  rotated: channel('rewt:rotated'),
  revoked: channel('rewt:revoked'),
  degraded: channel('rewt:degraded'),
  recovered: channel('rewt:recovered'),
  resealed: channel('rewt:resealed'),
  warning: channel('rewt:warning'),
  unannounced: channel('rewt:unannounced'),
};

/** The channel `rewt:operation`. Without a subscriber, no call of the API is measured. */
export const operationChannel: { readonly hasSubscribers: boolean } = channels.operation;

export function publish<Name extends keyof ChannelMessages>(name: Name, message: ChannelMessages[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message);
}

/**
 * Calls `onMessage` with each message. Returns a function that unsubscribes. Errors of `onMessage`
 * are dropped: a meter that fails must not end the process.
 */
export function subscribe<Name extends keyof ChannelMessages>(
  name: Name,
  onMessage: (message: ChannelMessages[Name]) => void,
): () => void {
  const listener = (message: unknown): void => {
    try {
      onMessage(message as ChannelMessages[Name]);
    } catch {}
  };
  channels[name].subscribe(listener);
  return () => channels[name].unsubscribe(listener);
}
