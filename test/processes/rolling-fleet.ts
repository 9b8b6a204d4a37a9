/**
 * A fleet of member processes that is deployed anew, some processes at a time, while each of them
 * signs and verifies what all others sign.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { RewtOptions } from '../../src/options.js';
import { type MemberProcess, startMember } from './members.js';

/** Seconds. Rotations come by their schedule too. */
const times = { ttl: 8, tokenLifetime: 10, maxStaleness: 0.5, clockTolerance: 0.2, storeTimeout: 10 };
/** From one exchange of a member to its next. */
const PAUSE_MS = 100;
/** How many earlier tokens a member verifies again, with each exchange. */
const AGAIN = 3;

/** When every member has `next`, even one that cannot reach the store. */
export const afterStalenessMs = times.maxStaleness * 1_000 + 100;

export interface RollingFleet {
  readonly namespace: string;
  /** Replaces every process by one with these options; `half` runs when some are of either kind. */
  deploy(options: RewtOptions, half?: () => Promise<unknown>): Promise<void>;
  /** One member of those that were deployed last, or first. */
  rotate(which: 'newest' | 'oldest'): Promise<void>;
  /** What failed, with what was deployed at the time; and how much was done. */
  result(): { readonly failed: readonly string[]; readonly signed: number; readonly verified: number };
  close(): Promise<void>;
}

interface Running {
  readonly process: MemberProcess;
  /** Ends the load, and resolves when the last exchange is over. */
  end(): Promise<void>;
}

export function rollingFleet(port: number, count: number, atOnce: number): RollingFleet {
  const namespace = randomUUID();
  const running: Running[] = [];
  const failed: string[] = [];
  /** All tokens, in order; those that have ended are not shown any more. */
  const tokens: { readonly token: string; readonly endMs: number }[] = [];
  let deploys = 0;
  let verified = 0;

  async function start(index: number, options: RewtOptions): Promise<Running> {
    const name = `orders-${index}`;
    const label = `deploy ${deploys}, ${name}`;
    const fail = (error: unknown) => void failed.push(`${label}: ${error}`);
    const process = startMember({ redis: port, client: index % 4 === 0 ? 'redis' : 'ioredis' });
    let isEnding = false;
    // As a deployment waits for a readiness probe before it stops another process.
    await process.ask('join', { namespace, options: { ...times, ...options, memberName: name } }).catch(fail);
    const load = (async () => {
      let seen = 0;
      while (!isEnding) {
        const alive = tokens.filter(({ endMs }) => endMs > Date.now() + 500);
        const fresh = tokens.slice(seen).filter((token) => alive.includes(token));
        seen = tokens.length;
        const again = alive.filter((_, at) => at % Math.ceil(alive.length / AGAIN) === 0);
        const given = [...new Set([...fresh, ...again])].map(({ token }) => token);
        const { token, failed: codes } = await process.ask('exchange', { tokens: given });
        verified += given.length;
        failed.push(...codes.map((code) => `${label}: ${code}`));
        if (token !== null) tokens.push({ token, endMs: endOf(token) });
        await setTimeout(PAUSE_MS);
      }
    })();
    const settled = load.catch(fail);
    return {
      process,
      async end() {
        isEnding = true;
        await settled;
        await process.ask('leave', undefined);
        await process.kill();
      },
    };
  }

  return {
    namespace,
    async deploy(options, half) {
      deploys += 1;
      for (let from = 0; from < count; from += atOnce) {
        const length = Math.min(atOnce, count - from);
        const started = await Promise.all(Array.from({ length }, (_, at) => start(from + at, options)));
        const ending = running.splice(0, running.length === count ? length : 0);
        running.push(...started);
        await Promise.all(ending.map((member) => member.end()));
        if (from + atOnce >= count / 2 && from < count / 2) await half?.();
      }
    },
    async rotate(which) {
      const member = running.at(which === 'newest' ? -1 : 0);
      await member?.process.ask('rotate', undefined);
    },
    result: () => ({ failed, signed: tokens.length, verified }),
    async close() {
      await Promise.all(running.splice(0).map((member) => member.end()));
    },
  };
}

function endOf(token: string): number {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp * 1_000;
}
