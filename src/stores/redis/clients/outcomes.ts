/** The outcomes of commands: one for each, whatever a client throws, rejects with or returns. */

import type { Command, Outcomes, Reply } from './port.js';

/** Passes one command to a client. */
export type Send = (command: Command) => unknown;

/** Passes all commands to the client before it awaits the first reply. */
export function sendAll(send: Send, commands: readonly Command[]): Promise<Outcomes> {
  return Promise.all(commands.map((command) => settle(() => send(command))));
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the client failed');
}

/** Returns the outcome of `act`; never rejects. */
export async function settle(act: () => unknown): Promise<Reply | Error> {
  try {
    return asReply(await act());
  } catch (error) {
    return asError(error);
  }
}

/**
 * Converts a reply to the common form of all clients and protocols. With RESP3, some return pairs
 * as an object or a Map, not as a list. Any client may return Buffers in place of strings.
 * @throws the error of one command of a transaction.
 */
function asReply(value: unknown): Reply {
  if (value === null || value === undefined) return null;
  if (value instanceof Error) throw value;
  if (Array.isArray(value)) return value.map(asReply);
  if (value instanceof Map) return [...value].flat().map(asReply);
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return Object.entries(value).flat().map(asReply);
  return String(value);
}
