/** What happens to a keyring while one watches, as objects for programs and as lines for people. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChannelMessages } from '../../observe/channels.js';
import { spanOf } from '../words.js';

/** `event` is a channel's name without 'rewt:', or 'began', 'push' or 'members'. */
export interface WatchEvent {
  readonly time: Date;
  readonly event: string;
  readonly words: string;
  /** What the channel said, without what all events of one watch share. */
  readonly details: object;
}

const inWords: { readonly [Name in keyof ChannelMessages]?: (message: ChannelMessages[Name]) => string } = {
  rotated: ({ kid, previousKid, own }) =>
    `${kid} signs now, in place of ${previousKid}${own ? ' (this command wrote it)' : ''}`,
  revoked: ({ kid, epoch, own }) =>
    `every token of before is refused; ${kid} signs now, epoch ${epoch}${own ? ' (this command wrote it)' : ''}`,
  degraded: ({ code }) => `the store cannot be used (${code}); copies go on until they are too old`,
  recovered: ({ outageMs }) => `the store can be used again, after ${spanOf(outageMs)}`,
  warning: ({ message }) => message,
};

/** Calls `tell` with each, of this namespace alone, until the function that it gives is called. */
export function listenForEvents(namespace: string, tell: (event: WatchEvent) => void): () => void {
  const listeners = Object.entries(inWords).map(([event, words]) => {
    const listen = (message: unknown): void => {
      const { namespace: whose, ...details } = message as { namespace: string };
      // The names fit, as both come from the same entry.
      if (whose === namespace) tell({ time: new Date(), event, words: words(message as never), details });
    };
    subscribe(`rewt:${event}`, listen);
    return () => unsubscribe(`rewt:${event}`, listen);
  });
  return () => {
    for (const end of listeners) end();
  };
}
