/**
 * What every Redis port promises (src/stores/redis/clients/port.ts), as one suite that is run
 * through each client.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as passMs } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRedisPort } from '../../src/stores/redis/clients/detect.js';
import type { Connection, RedisPort } from '../../src/stores/redis/clients/port.js';
import { asStoreError } from '../../src/stores/redis/errors.js';
import type { ConnectedClient } from '../support/redis-clients.js';
import type { RedisServer } from '../support/servers.js';

/** One user's client, and the servers behind it. */
export interface PortFixture extends ConnectedClient {
  /** The server that holds a key. */
  ownerOf(key: string): Promise<RedisServer>;
  /** Brings a key to another server, where that is possible. */
  move?(key: string): Promise<void>;
}

/** What some clients can do and others, by their nature, cannot; what is not there has no tests. */
export interface PortTraits {
  /** What the client puts before keys. */
  readonly keyPrefix?: string;
  /** False: the port says why there can be no connection beside it. */
  readonly connects?: boolean;
  /** The keys are spread over several servers, and can move: the fixture has `move`. */
  readonly spread?: boolean;
  /** Its client is an event emitter: one can see who listens. */
  readonly emits?: boolean;
}

/**
 * Registers the suite. `make` is called once per test; tests use separate keys, so it may share
 * servers. FLUSHALL is among the commands.
 */
export function portConformance(title: string, make: () => Promise<PortFixture>, traits: PortTraits = {}): void {
  const { keyPrefix = '', connects = true, spread = false, emits = true } = traits;

  describe(title, () => {
    let fixture: PortFixture;
    let port: RedisPort;
    /** All keys of one client's tests are on one server: to ask for it takes a while. */
    const tag = `{${randomUUID()}}`;
    let key: string;
    let owner: RedisServer;
    let ending: AbortController;

    beforeEach(async () => {
      fixture = await make();
      port = readRedisPort(fixture.client);
      key = `conformance-${tag}-${randomUUID()}`;
      owner ??= await fixture.ownerOf(key);
      ending = new AbortController();
    });
    afterEach(async () => {
      ending.abort();
      await port.close();
      await fixture.close();
    });

    const connect = (): Promise<Connection> => port.connect(key, ending.signal);

    /** Who is connected to the key's server, but for who asks. */
    async function connectedIds(): Promise<string[]> {
      const list = await owner.cli('CLIENT', 'LIST', 'TYPE', 'NORMAL');
      const subscribers = await owner.cli('CLIENT', 'LIST', 'TYPE', 'PUBSUB');
      const lines = `${list}\n${subscribers}`.split('\n').filter((line) => !/cmd=client\b|^$/.test(line));
      return lines.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '').sort();
    }

    async function idOf(connection: Connection): Promise<string> {
      const [id] = await connection.send([['CLIENT', 'ID']]);
      return typeof id === 'string' ? id : expect.fail(`no id but ${id}`);
    }

    it('says what it is', () => {
      expect(port.client).toBe(fixture.client);
      expect(port.keyPrefix).toBe(keyPrefix);
      expect(port.noConnection === null).toBe(connects);
      expect(port.scope(key)).toBe(port.scope(key));
    });

    describe('send', () => {
      it('keeps the order of commands, and gives an outcome for each', async () => {
        const digits = Array.from({ length: 20 }, (_, n) => String(n % 10));
        const appends = digits.map((digit) => ['APPEND', key, digit] as const);
        const outcomes = await port.send([...appends, ['GET', key]], key);
        expect(outcomes).toEqual([...digits.map((_, n) => String(n + 1)), digits.join('')]);
      });

      it('goes to the server that holds the key, with commands that name none too', async () => {
        for (const other of [key, 'a', '{b}c', '']) {
          const { port: tcpPort } = await fixture.ownerOf(other);
          const [info, wait] = await port.send(
            [
              ['INFO', 'server'],
              ['WAIT', '0', '1'],
            ],
            other,
          );
          expect(info).toContain(`tcp_port:${tcpPort}\r\n`);
          expect(wait).toMatch(/^\d+$/);
        }
      });

      it('uses one connection for all commands of a call', async () => {
        for (let n = 0; n < 5; n += 1) {
          const id = ['CLIENT', 'ID'] as const;
          const [before, , after] = await port.send([id, ['SET', key, 'x'], id], key);
          expect(before).toMatch(/^\d+$/);
          expect(after).toBe(before);
        }
      });

      it('answers with nothing but strings, null and lists', async () => {
        const script = "return {1, 'a', false, {KEYS[1], {}}, '7', redis.status_reply('FINE'), 'żółć 🔑'}";
        const [reply, none] = await port.send(
          [
            ['EVAL', script, '1', key],
            ['GET', key],
          ],
          key,
        );
        expect(reply).toEqual(['1', 'a', null, [key, []], '7', 'FINE', 'żółć 🔑']);
        expect(none).toBeNull();
      });

      it('gives an error where one belongs, and goes on', async () => {
        const outcomes = await port.send(
          [
            ['SET', key, 'text'],
            ['LPUSH', key, 'x'],
            ['EVAL', "return redis.call('LPUSH', KEYS[1], 'x')", '1', key],
            ['GET', key],
          ],
          key,
        );
        expect(outcomes).toEqual(['OK', expect.any(Error), expect.any(Error), 'text']);
        for (const error of outcomes.slice(1, 3)) expect(String(error)).toContain('WRONGTYPE');
      });

      it('adds no prefix to names', async () => {
        await port.send(
          [
            ['SET', key, 'x'],
            ['EVAL', "return redis.call('APPEND', KEYS[1], 'y')", '1', key],
          ],
          key,
        );
        expect(await owner.cli('GET', key)).toBe('xy');
      });

      it('fails, and does not reject, once the client is closed', async () => {
        await port.send([['GET', key]], key);
        await fixture.close();
        await port.close();
        const outcomes = await port.send(
          [
            ['GET', key],
            ['GET', key],
          ],
          key,
        );
        expect(outcomes.map((outcome) => asStoreError(outcome).code)).toEqual([
          'ERR_REWT_STORE_CLOSED',
          'ERR_REWT_STORE_CLOSED',
        ]);
      });
    });

    it('leaves the client as it was', async () => {
      const emitter = fixture.client as { eventNames(): string[]; listenerCount(event: string): number };
      const listeners = () => (emits ? emitter.eventNames() : []).map((event) => [event, emitter.listenerCount(event)]);
      const other = readRedisPort(fixture.client);
      // Now it is connected, and has its own listeners, if any.
      await other.send([['GET', key]], key);
      const before = listeners();
      await port.send([['SET', key, 'x']], key);
      if (connects) await (await connect()).subscribe('channel', () => {});
      ending.abort();
      await port.close();
      await port.close();
      // It may have fewer listeners now.
      expect(before).toEqual(expect.arrayContaining(listeners()));
      expect(await other.send([['GET', key]], key)).toEqual(['x']);
      await other.close();
    });

    if (!connects) {
      it('says in a sentence why it cannot connect, and rejects', async () => {
        expect(port.noConnection).toMatch(/\w+ \w+/);
        await expect(connect()).rejects.toBeInstanceOf(Error);
      });
      return;
    }

    describe('connect', () => {
      it('opens a separate connection, which is gone when the signal says so, and not with the port', async () => {
        await port.send([['GET', key]], key);
        const before = await connectedIds();
        const connection = await connect();
        const id = await idOf(connection);
        expect(before).not.toContain(id);
        await port.close();
        const [answer, info] = await connection.send([
          ['SET', key, 'x'],
          ['INFO', 'server'],
        ]);
        expect(answer).toBe('OK');
        expect(info).toContain(`tcp_port:${owner.port}\r\n`);
        ending.abort();
        await expect.poll(connectedIds).not.toContain(id);
      });

      it('makes connections apart from one another', async () => {
        const ids = await Promise.all([connect(), connect()].map(async (opening) => idOf(await opening)));
        expect(new Set(ids).size).toBe(2);
      });

      it('opens nothing that the signal has ended before', async () => {
        await port.send([['GET', key]], key);
        const before = await connectedIds();
        ending.abort();
        await expect(connect()).rejects.toBeInstanceOf(Error);
        await expect.poll(connectedIds).toEqual(before);
      });

      it('leaves nothing open that the signal ends while it is being opened', async () => {
        await port.send([['GET', key]], key);
        const before = await connectedIds();
        for (let turns = 0; turns < 4; turns += 1) {
          const { signal, abort } = abortable();
          const opening = port.connect(key, signal).catch(() => {});
          for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
          abort();
          await opening;
        }
        await expect.poll(connectedIds).toEqual(before);
      });

      it('speaks with a connection that is subscribed', async () => {
        const connection = await connect();
        await connection.ping();
        await connection.subscribe('channel', () => {});
        await connection.ping();
      });

      it('hears what is written where it tracks, and a FLUSHALL, and goes on', async () => {
        const connection = await connect();
        const heard: unknown[] = [];
        const id = await idOf(connection);
        const prefixes = ['PREFIX', key, 'PREFIX', `ring-${key}`];
        expect(await connection.send([['CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes]])).toEqual([
          'OK',
        ]);
        await connection.subscribe('__redis__:invalidate', (message) => heard.push(message));

        const names = (): string[] => heard.flatMap((message) => (Array.isArray(message) ? message.map(String) : []));
        await owner.cli('SET', key, 'x');
        await expect.poll(names).toEqual([key]);
        await owner.cli('EVAL', "redis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1)", '2', key, `ring-${key}`);
        await expect.poll(() => names().sort()).toEqual([key, key, `ring-${key}`].sort());
        heard.length = 0;
        await owner.cli('FLUSHALL');
        // Whatever the client makes of its null.
        await expect.poll(() => heard.length).toBeGreaterThan(0);
        expect(names()).toEqual([]);
        await owner.cli('SET', key, 'x');
        await expect.poll(names).toEqual([key]);
        await connection.ping();
      });

      it('hears any message, also one that anybody could have published', async () => {
        const connection = await connect();
        const heard: unknown[] = [];
        await connection.subscribe(key, (message) => heard.push(message));
        await owner.cli('PUBLISH', key, 'text');
        await expect.poll(() => heard.map(String)).toEqual(['text']);
      });

      it('tells once that the connection was lost, and does not open it again', async () => {
        const connection = await connect();
        const id = await idOf(connection);
        let losses = 0;
        const lost = new Promise<void>((resolve) => {
          connection.onLost(() => {
            losses += 1;
            resolve();
          });
        });
        await connection.subscribe('channel', () => {});
        const others = (await connectedIds()).filter((other) => other !== id);
        expect(await owner.cli('CLIENT', 'KILL', 'ID', id)).toBe('1');
        await lost;
        await expect(connection.ping()).rejects.toBeInstanceOf(Error);
        // As long as a client takes that comes back.
        await passMs(100);
        // What a client opens again stays; what an earlier command has opened goes.
        await expect.poll(connectedIds).toEqual(others);
        expect(losses).toBe(1);
        const told: string[] = [];
        connection.onLost(() => told.push('late'));
        expect(told).toEqual(['late']);
      });

      it('gives a loss, and no closing, as the reason why commands fail', async () => {
        const connection = await connect();
        const lost = new Promise<void>((resolve) => connection.onLost(resolve));
        await owner.cli('CLIENT', 'KILL', 'ID', await idOf(connection));
        await lost;
        const [outcome] = await connection.send([['GET', key]]);
        expect(outcome).toBeInstanceOf(Error);
        expect(asStoreError(outcome).code).toBe('ERR_REWT_STORE_DOWN');
      });

      it('tells of no loss where the signal ended it', async () => {
        const connection = await connect();
        const id = await idOf(connection);
        let losses = 0;
        connection.onLost(() => {
          losses += 1;
        });
        ending.abort();
        await expect.poll(connectedIds).not.toContain(id);
        await passMs(20);
        expect(losses).toBe(0);
      });

      it('knows that the server is still the one for the key', async () => {
        const connection = await connect();
        await port.send([['GET', key]], key);
        expect(connection.isOwner()).toBe(true);
      });
    });

    if (!spread) return;

    it('follows a key that moves, and notices it', async () => {
      if (!fixture.move) throw new Error('the fixture lacks move');
      const connection = await connect();
      await port.send([['SET', key, 'x']], key);
      await fixture.move(key);
      // Some clients know at once where to send it, some need a moment.
      await expect.poll(() => port.send([['GET', key]], key)).toEqual(['x']);
      await expect.poll(() => connection.isOwner()).toBe(false);
      const [info] = await (await connect()).send([['INFO', 'server']]);
      expect(info).toContain(`tcp_port:${(await fixture.ownerOf(key)).port}\r\n`);
    });
  });
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
