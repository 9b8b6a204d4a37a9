/**
 * What is published of a change that this member wrote, and of one by another member that came
 * between.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';
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
    memory,
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

const turn = () => new Promise((resolve) => setImmediate(resolve));

it.each([
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

it.each([
  [
    'rewt:revoked',
    'rotated',
    (rewt: Rewt) => rewt.revoke(),
    (other: Rewt) => other.rotate({ force: true }),
    { own: true, cause: 'revocation' },
  ],
  [
    'rewt:rotated',
    'asked for a longer ttl',
    (rewt: Rewt) => rewt.rotate({ force: true }),
    (other: Rewt) => other.sign({}),
    { own: true },
  ],
] as const)(
  '%s names it as its own though another one has %s since, and is read before the answer comes',
  async (channel, _what, write, writeSince, expected) => {
    const { store, memory, hold } = slowToAnswer();
    const rewt = new Rewt({ store });
    const other = new Rewt({ store: memory, ttl: 259_200 });
    await rewt.ready();
    const messages = await heard(channel, async () => {
      const answer = hold();
      const writing = write(rewt);
      await turn();
      await writeSince(other);
      await rewt.refresh();
      answer();
      await writing;
    });
    expect(messages).toMatchObject([expected]);
    await Promise.all([rewt.close(), other.close()]);
  },
);

/**
 * Holds answers back from `hold()` until `come()`; then all come at once, in the order in which
 * they were given.
 */
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

it('its write is its own if a read that shows it is answered in the same turn, after the swap', async () => {
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

it("a revocation that the answer to its rotation shows is another member's", async () => {
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

/** Puts a secret into K that ends so soon that a member that adopts it rotates at once. */
async function setShort(store: Store, endsAt?: number, lifeMs = 2_000): Promise<void> {
  const { ring, version } = await store.read('rewt', { timeoutMs: 1 });
  const { current, ...rest } = JSON.parse(ring ?? '');
  const text = JSON.stringify({
    ...rest,
    op: 'another',
    current: { ...current, expiresAt: endsAt ?? current.expiresAt },
  });
  const wanted: WantedState = {
    key: { value: 'x'.repeat(32), expiresAtMs: Date.now() + lifeMs },
    ring: { text, expiresAtMs: Date.now() + 1e8 },
  };
  await store.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
}

it.each([
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

it.each([
  ['a rotation', undefined],
  ['a foreign rotation', 1],
])(
  "%s is another member's though this one tried the same, and is read before its swap arrives",
  async (_what, endsAt) => {
    const memory = memoryStore();
    const other = new Rewt({ store: memory });
    let arrive = () => {};
    let way = Promise.resolve();
    const rewt = new Rewt({
      store: {
        ...memory,
        local: false,
        swap: (...by) => way.then(() => memory.swap(...by)),
      },
    });
    await rewt.ready();
    if (endsAt !== undefined) await setShort(memory, endsAt, 1e8);
    way = new Promise((resolve) => {
      arrive = resolve;
    });
    const messages = await heard('rewt:rotated', async () => {
      const writing = endsAt === undefined ? rewt.rotate({ force: true }) : rewt.rotate().catch(() => {});
      await turn();
      await (endsAt === undefined ? other.rotate({ force: true }) : other.ready());
      await rewt.refresh();
      arrive();
      await writing;
    });
    expect(messages).toMatchObject([{ own: false }]);
    await Promise.all([rewt.close(), other.close()]);
  },
);

it('a brake is its own, though another member made the rotation that follows at once', async () => {
  const memory = memoryStore();
  const other = new Rewt({ store: memory });
  let swaps = 0;
  const rewt = new Rewt({
    store: {
      ...memory,
      local: false,
      async swap(...by) {
        swaps += 1;
        if (swaps === 3) await other.refresh();
        return memory.swap(...by);
      },
    },
  });
  await rewt.ready();
  await setShort(memory);
  expect(await heard('rewt:revoked', () => rewt.refresh())).toMatchObject([{ own: true, cause: 'brake' }]);
  expect(rewt.status().keyring).toMatchObject({ epoch: 1, generation: 3 });
  await Promise.all([rewt.close(), other.close()]);
});

it("a rotation is another member's, though this one followed an EXPIRE of its ring at once", async () => {
  const memory = memoryStore();
  const other = new Rewt({ store: memory });
  let swap: Store['swap'] = memory.swap;
  const rewt = new Rewt({ store: { ...memory, local: false, swap: (...by) => swap(...by) } });
  await rewt.ready();
  // What it read to revoke is not used until it is read again.
  swap = async () => {
    throw new Error('down');
  };
  await rewt.revoke().catch(() => {});
  swap = memory.swap;
  await other.rotate({ force: true });
  const { version, key, ring } = await memory.read('rewt', { timeoutMs: 1 });
  const wanted = {
    key: { value: key?.value ?? '', expiresAtMs: Date.now() + 1e7 },
    ring: { text: JSON.stringify({ ...JSON.parse(ring ?? ''), op: 'another' }), expiresAtMs: Date.now() + 1e8 },
  };
  await memory.swap('rewt', version, wanted, { timeoutMs: 1, notAfterMs: Number.POSITIVE_INFINITY });
  expect(await heard('rewt:rotated', () => rewt.refresh())).toMatchObject([{ own: false }]);
  expect(rewt.status().keyring).toMatchObject({ generation: 3 });
  await Promise.all([rewt.close(), other.close()]);
});

it("a revocation is another member's, though this one needed a longer ttl of its ring at once", async () => {
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
