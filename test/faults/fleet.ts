/**
 * A fleet of members that send each other tokens without pause, and what an operator does to it;
 * keeps what the judge needs to know.
 */
import { setTimeout as passMs } from 'node:timers/promises';
import type { RewtOptions } from '../../src/options.js';
import { until } from '../support/servers.js';
import type { Cause, Evidence, Generation, Operation, Token } from './evidence.js';
import { type Member, type Message, type Place, startMember, type WireStatus } from './members.js';

/** Two members for each client. */
export const clients = ['redis', 'ioredis', 'redis', 'ioredis'] as const;

/** Where all members of a fleet keep their keyring, as Redis calls it: K. */
export const key = 'rewt:rewt-secret';

export interface Fleet {
  /** Lets a member rotate, however young the next secret is. */
  rotate(): Promise<void>;
  /**
   * Lets a member revoke, so many times, each time another one, and waits until every member has
   * noticed. Meanwhile no member hears from another: a token with a new secret would tell it.
   */
  revoke(times?: number): Promise<void>;
  /** Lets a member revoke, and waits for its answer alone. */
  revokeUnseen(by: number): Promise<void>;
  /** Said before the store loses what it holds: as good as a revocation. */
  loses(): void;
  /** Resolves once every member has read the store, and, where it has push, hears it again. */
  inTouch(): Promise<void>;
  /** Resolves once each member holds what `is` asks for. */
  allHold(what: string, is: (status: WireStatus) => boolean): Promise<void>;
  /** Ends the traffic, after another look at every secret that was refused; what has been seen. */
  stop(): Promise<Evidence>;
  kill(): Promise<void>;
}

/** One clock for all processes of a machine. */
const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

export async function startFleet(places: readonly Place[], options: readonly RewtOptions[]): Promise<Fleet> {
  const maxStalenessMs = Math.max(...options.map(({ maxStaleness = 60 }) => Number(maxStaleness) * 1_000));
  const operations: Operation[] = [];
  const tokens = new Map<string, Token>();
  const generations = new Map<string, Generation & { readonly kids: Set<string> }>();
  const causes: Cause[] = [];
  /** What each member holds. */
  const held: string[] = [];
  /** Tokens on their way; null: they arrive at once. */
  let heldBack: Token[] | null = null;
  let revoker = 0;

  const members = places.map((place, index) =>
    startMember(place, options[index % options.length] ?? {}, (message) => hear(index, message)),
  );

  function hear(member: number, { token, seen, done }: Message): void {
    if (token) {
      tokens.set(token.id, { id: token.id, kid: token.kid, endsMs: token.endsMs });
      if (heldBack === null) deliver(token);
      else heldBack.push(token);
    }
    if (seen) {
      held[member] = seen.generation;
      note(seen);
    }
    for (const operation of done ?? []) operations.push({ ...operation, member });
  }

  function note({ generation: name, kids, atMs }: NonNullable<Message['seen']>): void {
    const known = generations.get(name);
    const firstSeenMs = Math.min(atMs, known?.firstSeenMs ?? atMs);
    generations.set(name, { name, firstSeenMs, kids: new Set([...(known?.kids ?? []), ...kids]) });
  }

  function deliver(token: Token): void {
    for (const member of members) member.receive(token);
  }

  const member = (index: number): Member => members[index % members.length] as Member;
  const statuses = (): Promise<WireStatus[]> => Promise.all(members.map(({ ask }) => ask('status')));

  /** Repeats what failed, as one has to. */
  async function revokeUnseen(by: number): Promise<string> {
    return until('a member revokes', async () => {
      const { startMs: beganMs, endMs: returnedMs, generation } = await member(by).ask('revoke');
      if (generation === null) causes.push({ kind: 'attempted', beganMs });
      else causes.push({ kind: 'revoked', beganMs, returnedMs, generation });
      return generation;
    });
  }

  async function noticed(generation: string): Promise<void> {
    await until('all members notice a revocation', async () => members.every((_, index) => held[index] === generation));
  }

  async function revoke(times = 1): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      // Long enough for everyone to hold tokens that can be refused.
      await passMs(200);
      revoker += 1;
      heldBack = [];
      await noticed(await revokeUnseen(revoker));
      const arriving = heldBack;
      heldBack = null;
      arriving.forEach(deliver);
    }
  }

  async function allHold(what: string, is: (status: WireStatus) => boolean): Promise<void> {
    let last: WireStatus[] = [];
    const ask = async (): Promise<boolean> => {
      last = await statuses();
      return last.every(is);
    };
    await until(what, ask).catch((error) => {
      throw new Error(`${error.message}; the last that they held: ${JSON.stringify(last)}`);
    });
  }

  async function inTouch(): Promise<void> {
    const sinceMs = nowMs();
    await allHold('all members are in touch with the store', ({ copy, ageSeconds, push }) => {
      const isRead = copy === 'usable' && ageSeconds !== null && ageSeconds * 1_000 < nowMs() - sinceMs;
      return isRead && push.state !== 'connecting';
    });
  }

  const kill = async (): Promise<void> => void (await Promise.all(members.map((each) => each.kill())));

  try {
    // All at once: one of them makes the keyring.
    await Promise.all(members.map(({ ask }) => ask('start')));
    await inTouch();
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    rotate: () => member(0).ask('rotate'),
    revoke,
    revokeUnseen: async (by) => void (await revokeUnseen(by)),
    loses: () => void causes.push({ kind: 'lost', beganMs: nowMs() }),
    inTouch,
    allHold,
    async stop() {
      await Promise.all(members.map(({ ask }) => ask('recall')));
      await Promise.all(members.map(({ ask }) => ask('stop')));
      const inOrder = [...generations.values()].sort((a, b) => a.firstSeenMs - b.firstSeenMs);
      return { members: members.length, maxStalenessMs, operations, tokens, generations: inOrder, causes };
    },
    kill,
  };
}
