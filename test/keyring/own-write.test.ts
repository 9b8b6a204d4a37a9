/** What is told of a change that this member wrote, and of one by another member that came between. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { memoryStore, Rewt, type Store } from '../../src/index.js';
import type { WantedState } from '../../src/stores/store.js';

/** Answers swaps only when it is let to, as a folder does while the disk is asked to keep them. */
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

/** Holds answers back from `hold()` until `come()`; then all come at once, in the order in which they were given. */
function answersTogether() {
  const memory = memoryStore();
  let isHolding = false;
  const held: (() => void)[] = [];
  const inOrder = <T>(answer: T): Promise<T> =>
    isHolding ? new Promise((resolve) => held.push(() => resolve(answer))) : Promise.resolve(answer);
  const store: Store = {
    ...memory,
    local: false,
    read: (...by) => memory.read(...by).then(inOrder),
    swap: (...by) => memory.swap(...by).then(inOrder),
  };
  return {
    store,
    held,
    hold() {
      isHolding = true;
    },
    come() {
      isHolding = false;
      for (const answer of held) answer();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('its write is its own if a read that shows it is answered in the same turn, after the swap', async () => {
  const { store, held, hold, come } = answersTogether();
  const { swap } = store;
  const rewt = new Rewt({
    store: {
      ...store,
      swap: (...by) => {
        if (rewt.status().keyring !== null) hold();
        return swap(...by);
      },
    },
  });
  await rewt.ready();
  const messages = await heard('rewt:rotated', async () => {
    const rotating = rewt.rotate({ force: true });
    await turn();
    const reading = rewt.refresh();
    await turn();
    expect(held.length).toBe(2);
    come();
    await Promise.all([rotating, reading]);
  });
  expect(messages).toMatchObject([{ own: true }]);
  await rewt.close();
});

test("a revocation that the answer to its rotation shows is another member's", async () => {
  const memory = memoryStore();
  const other = new Rewt({ store: memory });
  await other.ready();
  const rewt = new Rewt({
    store: {
      ...memory,
      local: false,
      // As of a folder, in which another process writes while the disk is asked to keep this.
      async swap(namespace, ...by) {
        const { swapped } = await memory.swap(namespace, ...by);
        await other.revoke();
        return { swapped, snapshot: await memory.read(namespace, { timeoutMs: 1 }) };
      },
    },
  });
  await rewt.ready();
  const messages = await heard('rewt:revoked', () => rewt.rotate({ force: true }));
  expect(messages).toMatchObject([
    { cause: 'revocation', own: true },
    { cause: 'read', own: false },
  ]);
  await Promise.all([rewt.close(), other.close()]);
});

/** Puts a secret into K that ends so soon that whoever adopts it rotates at once. */
async function setShort(store: Store, endsAt?: number): Promise<void> {
  const { ring, version } = await store.read('rewt', { timeoutMs: 1 });
  const { current, ...rest } = JSON.parse(ring ?? '');
  const text = JSON.stringify({
    ...rest,
    op: 'another',
    current: { ...current, expiresAt: endsAt ?? current.expiresAt },
  });
  const wanted: WantedState = {
    key: { value: 'x'.repeat(32), expiresAtMs: Date.now() + 2_000 },
    ring: { text, expiresAtMs: Date.now() + 1e8 },
  };
  await store.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
}

test.each([
  ['rewt:revoked', 'a brake', undefined, [{ own: true, cause: 'brake' }]],
  ['rewt:rotated', 'a foreign rotation', 1, [{ own: true }, { own: true }]],
] as const)(
  '%s names %s and the rotation that follows at once as its own',
  async (channel, _what, endsAt, expected) => {
    const store: Store = { ...memoryStore(), local: false };
    const rewt = new Rewt({ store });
    await rewt.ready();
    await setShort(store, endsAt);
    expect(await heard(channel, () => rewt.refresh())).toMatchObject(expected);
    await rewt.close();
  },
);

test("a revocation is another member's, though this one needed a longer ttl of its ring at once", async () => {
  const memory = memoryStore();
  const other = new Rewt({ store: memory });
  await other.ready();
  let theirs: (() => Promise<unknown>) | null = null;
  const rewt = new Rewt({
    ttl: 259_200,
    store: {
      ...memory,
      local: false,
      async swap(...by) {
        await theirs?.();
        theirs = null;
        return memory.swap(...by);
      },
    },
  });
  await rewt.ready();
  const { version, ring } = await memory.read('rewt', { timeoutMs: 1 });
  const braked = JSON.stringify({ ...JSON.parse(ring ?? ''), op: 'another' });
  const wanted = { key: { value: '', expiresAtMs: 0 }, ring: { text: braked, expiresAtMs: Date.now() + 1e8 } };
  await memory.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
  const messages = await heard('rewt:revoked', async () => {
    theirs = () => other.revoke();
    await rewt.sign({});
  });
  expect(messages).toMatchObject([{ own: true }, { own: false, cause: 'read' }]);
  await Promise.all([rewt.close(), other.close()]);
});
