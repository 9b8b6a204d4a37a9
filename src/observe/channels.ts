/** The diagnostics channels that tell what the keyring does: names and payloads, for whoever subscribes. */

import { type Channel, channel } from 'node:diagnostics_channel';
import type { RewtErrorCode } from '../errors.js';

interface OfNamespace {
  readonly namespace: string;
}

/** `rewt:rotated`: another secret signs now; tokens in flight go on verifying. */
export interface RotatedMessage extends OfNamespace {
  readonly kid: string;
  readonly previousKid: string;
  /** Whether this member wrote it; false: it was read. */
  readonly own: boolean;
}

/** `rewt:revoked`: every secret that this member held before is refused from now on. */
export interface RevokedMessage extends OfNamespace {
  readonly kid: string;
  readonly epoch: number;
  /** The row of protocol.md's table that this member wrote, or 'read' where another member did. */
  readonly cause: string;
  readonly own: boolean;
}

/** `rewt:degraded`: the store could not be used; the copy goes on until `maxStaleness`. Once per outage. */
export interface DegradedMessage extends OfNamespace {
  readonly code: RewtErrorCode;
}

/** `rewt:recovered`: the store could be used again. */
export interface RecoveredMessage extends OfNamespace {
  readonly outageMs: number;
}

/** `rewt:warning`: something that an operator should mend. Also given to `process.emitWarning`, once for each code. */
export interface WarningMessage extends OfNamespace {
  readonly code: string;
  readonly message: string;
}

/** `rewt:operation`: a call of the public API has ended. */
export interface OperationMessage extends OfNamespace {
  readonly operation: 'sign' | 'verify' | 'rotate' | 'revoke';
  readonly outcome: 'ok' | RewtErrorCode;
  /** Whose it was that it did not go well: 401, 503 and 500. */
  readonly fault: 'token' | 'store' | 'caller' | null;
  /** With all waiting. Milliseconds. */
  readonly durationMs: number;
  /** Of a token that was verified, which secret signed it. 'unnamed': it has no kid, as the tokens of the first rewt. */
  readonly secret: 'current' | 'next' | 'retired' | 'unnamed' | null;
}

/** `rewt:refresh`: the store was asked for the keyring, and whatever had to be written was written. */
export interface RefreshMessage extends OfNamespace {
  readonly outcome: 'ok' | RewtErrorCode;
  readonly durationMs: number;
}

/** `rewt:unannounced`: a member with a `memberName` could not announce itself. Nothing else suffers by it. */
export interface UnannouncedMessage extends OfNamespace {
  readonly memberName: string;
  readonly code: RewtErrorCode;
}

export interface ChannelMessages {
  operation: OperationMessage;
  refresh: RefreshMessage;
  rotated: RotatedMessage;
  revoked: RevokedMessage;
  degraded: DegradedMessage;
  recovered: RecoveredMessage;
  warning: WarningMessage;
  unannounced: UnannouncedMessage;
}

const channels: { readonly [Name in keyof ChannelMessages]: Channel } = {
  operation: channel('rewt:operation'),
  refresh: channel('rewt:refresh'),
  rotated: channel('rewt:rotated'),
  revoked: channel('rewt:revoked'),
  degraded: channel('rewt:degraded'),
  recovered: channel('rewt:recovered'),
  warning: channel('rewt:warning'),
  unannounced: channel('rewt:unannounced'),
};

const { operation } = channels;

/** Whether anybody listens to `rewt:operation`: what only a listener needs is not even measured without one. Asked by each call, so by no name. */
export function areOperationsHeard(): boolean {
  return operation.hasSubscribers;
}

export function publish<Name extends keyof ChannelMessages>(name: Name, message: ChannelMessages[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message);
}

/** Calls `hear` with each message until what it returns is called. What it throws is nobody's: a meter that fails must not end the process. */
export function subscribe<Name extends keyof ChannelMessages>(
  name: Name,
  hear: (message: ChannelMessages[Name]) => void,
): () => void {
  const listener = (message: unknown): void => {
    try {
      hear(message as ChannelMessages[Name]);
    } catch {}
  };
  channels[name].subscribe(listener);
  return () => channels[name].unsubscribe(listener);
}
