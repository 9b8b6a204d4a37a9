/** The LMDB store keeps the contract of every store; and what is its own: other processes, crashes, and bad folders. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { open } from 'lmdb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OptionError, StoreError } from '../../src/errors.js';
import { lmdbStore } from '../../src/stores/lmdb.js';
import { asStoreError } from '../../src/stores/lmdb-errors.js';
import type { Snapshot, Store } from '../../src/stores/store.js';
import { storeConformance } from '../conformance/store.js';
import { compileStores } from './compiled.js';

const createFolder = (): string => mkdtempSync(join(tmpdir(), 'rewt-lmdb-'));
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** What is stored for a namespace, past rewt; `text` answers with what to store instead. */
async function rewrite(path: string, namespace: string, text: (before: string | undefined) => string): Promise<void> {
  const db = open<string, Uint8Array>({ path, noSubdir: false, encoding: 'string', keyEncoding: 'binary' });
  const key = Buffer.from(`${namespace}:rewt-secret`);
  await db.transaction(() => db.putSync(key, text(db.get(key))));
  await db.close();
}

storeConformance('the lmdb store', async () => {
  let nowMs = 1_700_000_000_000;
  const path = createFolder();
  const stores: Store[] = [];
  const create = (): Store => {
    const store = lmdbStore({ path, now: () => nowMs });
    stores.push(store);
    return store;
  };
  const setKey = (namespace: string, key: unknown): Promise<void> =>
    rewrite(path, namespace, (before) => JSON.stringify({ ...JSON.parse(before ?? '{"ring":null}'), key }));
  return {
    store: create(),
    async dispose() {
      await Promise.all(stores.map((store) => store.close()));
      remove(path);
    },
    advanceMs: (ms) => {
      nowMs += ms;
    },
    second: async () => create(),
    operatorSet: (namespace, value, ttlMs) =>
      setKey(namespace, { value, expiresAtMs: ttlMs === null ? null : nowMs + ttlMs }),
    operatorDelete: (namespace) => setKey(namespace, null),
  };
});

describe('the lmdb store', () => {
  const limits = { timeoutMs: 5_000 };
  const child = fileURLToPath(new URL('lmdb-child.js', import.meta.url));
  let compiled: string;
  let compiledCjs: string;
  let compiledAlone: string;
  let path: string;
  let store: Store;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    compiled = compileStores({ packages: true, format: 'esm' });
    compiledCjs = compileStores({ packages: true, format: 'cjs' });
    compiledAlone = compileStores({ packages: false, format: 'esm' });
  });
  afterAll(() => [compiled, compiledCjs, compiledAlone].forEach(remove));
  beforeEach(() => {
    path = createFolder();
    store = lmdbStore({ path });
  });
  afterEach(async () => {
    for (const started of children.splice(0)) started.kill('SIGKILL');
    await store.close();
    remove(path);
  });

  const read = (): Promise<Snapshot> => store.read('rewt', limits);
  const countOf = ({ ring }: Snapshot): number => JSON.parse(ring ?? '{"count":0}').count;
  const argumentsFor = (verb: string): string[] => [child, compiled, path, verb, compiledCjs];
  const lines = (stdout: string) => stdout.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
  const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((reason: unknown) => reason);

  /** Runs a verb of lmdb-child.js to its end; it must end by itself, and well. Answers with what it said. */
  async function run(verb: string, command: string[] = [process.execPath, ...argumentsFor(verb)]) {
    const [file = '', ...rest] = command;
    return lines((await promisify(execFile)(file, rest)).stdout);
  }

  /** Starts a verb that ends only when it is killed, and waits for its first word. */
  async function start(verb: string): Promise<ChildProcess> {
    const started = spawn(process.execPath, argumentsFor(verb), { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(started);
    await once(started.stdout, 'data');
    return started;
  }

  async function kill(started: ChildProcess): Promise<void> {
    const exit = once(started, 'exit');
    started.kill('SIGKILL');
    await exit;
  }

  async function swapRing(text: string, { on = store, timeoutMs = 5_000, forMs = 5_000 } = {}) {
    const { version, nowMs } = await on.read('rewt', limits);
    const ring = { text, expiresAtMs: nowMs + 60_000 };
    return on.swap('rewt', version, { key: null, ring }, { timeoutMs, notAfterMs: nowMs + forMs });
  }

  describe('among processes', () => {
    it('loses none of the swaps of two processes', async () => {
      await Promise.all([run('incrementOften'), run('incrementOften')]);
      const seen = await read();
      expect(countOf(seen)).toBe(1_000);
      expect(seen.key?.value).toBe('secret 1000');
    });

    it('shows what another process wrote at the next read, even within one turn of the event loop', async () => {
      for (let count = 0; count < 3; count += 1) {
        expect(countOf(await read())).toBe(count);
        execFileSync(process.execPath, argumentsFor('increment'));
      }
    });

    it('serves two copies of rewt in one process, imported and required', async () => {
      await run('incrementFromTwoCopies');
      expect(countOf(await read())).toBe(101);
    });

    it('stays whole when a writer is killed, and lets the next one write at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const writer = await start('incrementForEver');
        await new Promise((resolve) => setTimeout(resolve, round * 7));
        await kill(writer);
        const seen = await read();
        expect(countOf(seen)).toBeGreaterThan(0);
        expect(seen.key?.value).toBe(`secret ${countOf(seen)}`);
        // A commit that the kill interrupted at its very end becomes visible only now, to the next writer: it may lose once.
        const first = await swapRing(JSON.stringify({ count: 0, round }));
        if (first.swapped) continue;
        expect(first.snapshot.key?.value).toBe(`secret ${countOf(first.snapshot)}`);
        expect((await swapRing(JSON.stringify({ count: 0, round }))).swapped).toBe(true);
      }
    });

    it('keeps its deadlines while another process holds the write lock, and never writes too late', async () => {
      await read();
      const holder = await start('hold');
      expect(countOf(await read())).toBe(1);
      let turns = 0;
      const turning = setInterval(() => {
        turns += 1;
      }, 5);
      const error = await caught(swapRing('too late', { timeoutMs: 200, forMs: 200 }));
      clearInterval(turning);
      expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_REWT_STORE_TIMEOUT' });
      expect(turns).toBeGreaterThan(5);
      await store.close();
      await kill(holder);

      store = lmdbStore({ path });
      const answer = await swapRing('in time');
      expect(answer.swapped).toBe(true);
      expect((await read()).ring).toBe('in time');
    });

    it('does not open while another process writes, whose write it could undo', async () => {
      const holder = await start('hold');
      const error = await caught(store.read('rewt', { timeoutMs: 200 }));
      expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_REWT_STORE_TIMEOUT' });
      await kill(holder);
      expect(countOf(await read())).toBe(1);
    });

    it('keeps a thread for the rest of the process, however many of its stores wait', async () => {
      const holder = await start('hold');
      const waiting = Array.from({ length: 8 }, () => lmdbStore({ path }));
      const reads = Promise.all(waiting.map((each) => each.read('rewt', limits)));
      // Another folder, and what else takes a thread of the pool.
      const other = lmdbStore({ path: join(path, 'other') });
      expect((await swapRing('elsewhere', { on: other })).swapped).toBe(true);
      expect((await stat(path)).isDirectory()).toBe(true);
      await kill(holder);
      expect((await reads).map(countOf)).toEqual(waiting.map(() => 1));
      await Promise.all([other, ...waiting].map((each) => each.close()));
    });

    it('waits for the write lock within its deadline', async () => {
      await read();
      const holder = await start('hold');
      const swap = swapRing('in time');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await kill(holder);
      expect((await swap).swapped).toBe(true);
    });

    it('lets the process end that never closed it', async () => {
      expect(await run('increment')).toEqual([]);
    });
  });

  describe('files', () => {
    it('touches nothing before the first call', async () => {
      const folder = join(path, 'later');
      const later = lmdbStore({ path: folder });
      expect(existsSync(folder)).toBe(false);
      await later.close();
      expect(existsSync(folder)).toBe(false);
    });

    it('are for their owner alone, whatever the umask says', async () => {
      const folder = join(path, 'a', 'keys.d');
      const umask = process.umask(0);
      try {
        const made = lmdbStore({ path: folder });
        await swapRing('ring', { on: made });
        await made.close();
      } finally {
        process.umask(umask);
      }
      const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777;
      for (const name of ['.', 'gate']) expect(modeOf(name)).toBe(0o700);
      for (const name of ['data.mdb', 'lock.mdb']) {
        expect([modeOf(name), modeOf(join('gate', name))]).toEqual([0o600, 0o600]);
      }
    });

    it('that are damaged are an error that says what to do', async () => {
      writeFileSync(join(path, 'data.mdb'), Buffer.alloc(40_000, 'not a page of LMDB'));
      const error = await caught(read());
      expect(error).toMatchObject({ code: 'ERR_REWT_STORE_DOWN', message: expect.stringContaining('damaged') });
      truncateSync(join(path, 'data.mdb'));
      expect((await swapRing('mended')).swapped).toBe(true);
    });
  });

  describe('records', () => {
    it('that no member wrote are read as a ring that cannot be parsed, and can be replaced', async () => {
      for (const text of ['{"key":', '{"key":{"value":1},"ring":null}', '[]', 'null', '']) {
        await rewrite(path, 'rewt', () => text);
        expect(await read()).toMatchObject({ key: null, ring: text });
        expect((await swapRing(`instead of ${text}`)).swapped).toBe(true);
        expect((await read()).ring).toBe(`instead of ${text}`);
      }
    });

    it('take the longest namespace that LMDB can hold, and refuse a longer one', async () => {
      const longest = 'ü'.repeat(983);
      expect((await store.read(longest, limits)).ring).toBeNull();
      const swap = { key: null, ring: { text: 'ring', expiresAtMs: Date.now() + 60_000 } };
      const { version } = await store.read(longest, limits);
      const swapLimits = { ...limits, notAfterMs: Date.now() + 5_000 };
      expect((await store.swap(longest, version, swap, swapLimits)).swapped).toBe(true);
      expect((await store.read(longest, limits)).ring).toBe('ring');
      for (const call of [store.read(`${longest}x`, limits), store.swap(`${longest}x`, version, swap, swapLimits)]) {
        const error = await caught(call);
        expect(error).toBeInstanceOf(OptionError);
        expect(error).toMatchObject({ option: 'redisNamespace', message: expect.stringContaining('1966 bytes') });
      }
    });
  });

  describe('a folder that cannot be used', () => {
    const file = (...names: string[]): string => {
      writeFileSync(join(path, 'file'), '');
      return join(path, 'file', ...names);
    };
    const blocked = (): string => {
      mkdirSync(join(path, 'lock.mdb'));
      return path;
    };
    it.for([
      ['is a file', () => file()],
      ['lies below a file', () => file('below')],
      ['holds a folder where LMDB has a file', () => blocked()],
    ] as const)('is a typed error that does not name it: it %s', async ([, folder]) => {
      const error = await caught(lmdbStore({ path: folder() }).read('rewt', limits));
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: 'ERR_REWT_STORE_READ_ONLY', message: expect.not.stringContaining(path) });
    });

    it('is a typed error where its owner is somebody else', async () => {
      if (process.getuid?.() !== 0) chmodSync(path, 0o500);
      const [error] = await run('readAsNobody');
      expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_REWT_STORE_DENIED' });
    });

    it('is used as soon as it has been mended', async () => {
      const folder = file();
      const mended = lmdbStore({ path: folder });
      await expect(mended.read('rewt', limits)).rejects.toThrow('is a file');
      remove(folder);
      expect((await mended.read('rewt', limits)).ring).toBeNull();
      await mended.close();
    });

    it('on a read-only file system is a typed error', async () => {
      for (const code of ['EROFS', 30]) {
        expect(await asStoreError(Object.assign(new Error(), { code }))).toMatchObject({
          name: 'StoreError',
          code: 'ERR_REWT_STORE_READ_ONLY',
        });
      }
    });

    it.for([
      ['at the first page', 4, { code: 'ERR_REWT_STORE_FULL' }],
      ['in the middle of a write', 64, { count: expect.any(Number) }],
      ['later', 128, { count: expect.any(Number) }],
    ] as const)('is a typed error where the disk is full %s, and can still be read', async ([, kilobytes, after]) => {
      const limited = ['-c', `ulimit -f ${kilobytes} && exec "$@"`, 'bash', process.execPath, ...argumentsFor('fill')];
      const [error, state] = await run('fill', ['bash', ...limited]);
      expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_REWT_STORE_FULL' });
      expect(error.message).not.toContain(path);
      expect(state).toEqual(after);
      expect(countOf(await read())).toBe('count' in state ? state.count : 0);
      expect((await swapRing('there is room again')).swapped).toBe(true);
    });

    it('is asked for in a sentence where none is given', () => {
      for (const wrong of [{ path: '' }, { path: 7 as unknown as string }]) {
        expect(() => lmdbStore(wrong)).toThrow(OptionError);
      }
    });
  });

  it('says what to install where the package lmdb is missing', async () => {
    const [error] = await run('read', [process.execPath, child, compiledAlone, path, 'read']);
    expect(error).toMatchObject({
      name: 'OptionError',
      option: 'store',
      message: expect.stringContaining('npm install lmdb'),
    });
  });
});
