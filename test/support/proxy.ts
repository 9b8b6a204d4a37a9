/**
 * A network that can be broken: a loopback proxy in front of a server that passes, holds, swallows,
 * delays or refuses what goes through it.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as passMs } from 'node:timers/promises';
import { freePort } from './servers.js';

export type Direction = 'requests' | 'replies';

export interface NetworkProxy {
  readonly port: number;
  /** How many connections it has taken, and how many of them the client has not ended. */
  readonly accepted: number;
  readonly open: number;
  /**
   * How many bytes it was sent and did not pass on, or not yet: once this has grown, something is
   * in the hole.
   */
  readonly undelivered: number;
  /**
   * All is well again. What was held is delivered; a connection that lost bytes is reset, as its
   * stream would make no sense.
   */
  pass(): Promise<void>;
  /** A partition that heals: nothing arrives, and nothing is lost, before `pass()`. */
  hold(): Promise<void>;
  /**
   * Connections stay up, new ones are taken, and what is sent is never seen again: both ways, or
   * only requests, or only replies.
   */
  blackHole(...directions: readonly Direction[]): Promise<void>;
  /**
   * Connections that are up are never served again, as by a router or load balancer that forgot
   * them; new ones are.
   */
  forget(): void;
  /** Replies arrive that much later, in their order. */
  delayReplies(delayMs: number): Promise<void>;
  /** The address moves: connections end, and new ones go to another server. */
  lead(toPort: number): void;
  /** Ends every connection; new ones are refused. */
  cut(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * What becomes of bytes (and of a close): a promise delivers them once it resolves, null swallows
 * them.
 */
type Treatment = () => Promise<void> | null;
const passing: Treatment = () => Promise.resolve();
const swallowing: Treatment = () => null;

interface Pair {
  readonly sockets: readonly [near: Socket, far: Socket];
  lostBytes: boolean;
  forgotten: boolean;
}

export async function startProxy(targetPort: number): Promise<NetworkProxy> {
  const pairs = new Set<Pair>();
  let leadsTo = targetPort;
  let treatments: Record<Direction, Treatment> = { requests: passing, replies: passing };
  let release = (): void => {};
  let accepted = 0;
  let undelivered = 0;

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    accepted += 1;
    const far = connect({ port: leadsTo, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair: Pair = { sockets: [near, far], lostBytes: false, forgotten: false };
    pairs.add(pair);
    for (const socket of pair.sockets) {
      socket.once('close', () => pair.sockets.every(({ closed }) => closed) && pairs.delete(pair));
    }
    relay(pair, near, far, 'requests');
    relay(pair, far, near, 'replies');
  });

  function relay(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    let tail = Promise.resolve();
    function forward(deliver: () => void): void {
      const due = pair.forgotten ? null : treatments[direction]();
      if (due === null) pair.lostBytes = true;
      else tail = Promise.all([tail, due]).then(() => void (to.destroyed || deliver()));
    }
    from.on('data', (chunk) => {
      undelivered += chunk.length;
      forward(() => {
        undelivered -= chunk.length;
        to.write(chunk);
      });
    });
    from.on('end', () => forward(() => to.end()));
    from.on('error', () => {}); // 'close' follows
    from.on('close', () => forward(() => to.destroy()));
  }

  const port = await freePort();
  async function listen(): Promise<void> {
    if (listener.listening) return;
    const listening = once(listener, 'listening');
    listener.listen(port, '127.0.0.1');
    await listening;
  }
  const destroy = (pair: Pair): void => pair.sockets.forEach((socket) => void socket.destroy());

  async function treat(changes: Partial<Record<Direction, Treatment>>): Promise<void> {
    treatments = { requests: passing, replies: passing, ...changes };
    for (const pair of pairs) if (pair.lostBytes) destroy(pair);
    release();
    await listen();
  }

  async function cut(): Promise<void> {
    // Before the connections end: a client that comes back at once is refused.
    const closed = listener.listening ? once(listener, 'close') : null;
    listener.close();
    pairs.forEach(destroy);
    await closed;
  }

  await listen();
  return {
    port,
    get accepted() {
      return accepted;
    },
    get open() {
      return [...pairs].filter(({ sockets: [near] }) => !near.closed && !near.readableEnded).length;
    },
    get undelivered() {
      return undelivered;
    },
    pass: () => treat({}),
    async hold() {
      await treat({});
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      treatments = { requests: () => released, replies: () => released };
    },
    blackHole: (...directions) =>
      treat(Object.fromEntries((directions.length ? directions : allDirections).map((name) => [name, swallowing]))),
    forget() {
      for (const pair of pairs) pair.forgotten = true;
    },
    lead(toPort) {
      leadsTo = toPort;
      pairs.forEach(destroy);
    },
    delayReplies: (delayMs) => treat({ replies: () => passMs(delayMs, undefined, { ref: false }) }),
    cut,
    stop: cut,
  };
}

const allDirections: readonly Direction[] = ['requests', 'replies'];
