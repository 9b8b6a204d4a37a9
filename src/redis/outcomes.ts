/** What becomes of commands: one outcome for each, whatever a client throws, rejects with or answers. */

import type { Command, Outcomes, Reply } from './port.js';

/** Hands one command to a client. */
export type Send = (command: Command) => unknown;

/** All commands are handed over before the first answer is waited for. */
export function sendAll(send: Send, commands: readonly Command[]): Promise<Outcomes> {
  return Promise.all(commands.map((command) => settle(() => send(command))));
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the client failed');
}

/** What `act` comes to; never rejects. */
export async function settle(act: () => unknown): Promise<Reply | Error> {
  try {
    return asReply(await act());
  } catch (error) {
    return asError(error);
  }
}

/**
 * The same whatever the client and its protocol: with RESP3 some give Redis' pairs as an object or a Map, not as a list. Any can give Buffers in place of strings.
 * @throws the error that one command of a transaction met.
 */
function asReply(value: unknown): Reply {
  if (value === null || value === undefined) return null;
  if (value instanceof Error) throw value;
  if (Array.isArray(value)) return value.map(asReply);
  if (value instanceof Map) return [...value].flat().map(asReply);
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return Object.entries(value).flat().map(asReply);
  return String(value);
}
