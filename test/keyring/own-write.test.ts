/** A write of this member that another read of it shows before its own answer comes, as a folder does while the disk is asked to keep it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { memoryStore, Rewt, type Store } from '../../src/index.js';

/** Answers swaps only when it is let to. */
function slowToAnswer() {
  const memory = memoryStore();
  let answering: Promise<void> = Promise.resolve();
  const store: Store = {
    ...memory,
    async swap(...by) {
      const answer = await memory.swap(...by);
      await answering;
      return answer;
    },
  };
  return {
    store,
    hold() {
      let answer = () => {};
      answering = new Promise((resolve) => {
        answer = resolve;
      });
      return answer;
    },
  };
}

async function heard<T>(channel: string, act: () => Promise<T>): Promise<unknown[]> {
  const messages: unknown[] = [];
  const listen = (message: unknown) => void messages.push(message);
  subscribe(channel, listen);
  try {
    await act();
  } finally {
    unsubscribe(channel, listen);
  }
  return messages;
}

test.each([
  ['rewt:rotated', (rewt: Rewt) => rewt.rotate({ force: true }), { own: true }],
  ['rewt:revoked', (rewt: Rewt) => rewt.revoke(), { own: true, cause: 'revocation' }],
] as const)('%s names it as its own, once', async (channel, write, expected) => {
  const { store, hold } = slowToAnswer();
  const rewt = new Rewt({ store });
  const other = new Rewt({ store });
  await rewt.sign({});
  const messages = await heard(channel, async () => {
    const answer = hold();
    const writing = write(rewt);
    // The read of this one shows the write.
    await rewt.sign({});
    await rewt.sign({});
    answer();
    await writing;
    await rewt.sign({});
  });
  expect(messages).toMatchObject([expected]);
  const byOther = await heard(channel, async () => {
    await other.sign({});
    await write(rewt);
    await other.sign({});
  });
  expect(byOther).toMatchObject([expected, { own: false }]);
  await Promise.all([rewt.close(), other.close()]);
});
