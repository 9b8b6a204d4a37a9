/** Where a fault takes place: servers and members that end with it, whatever becomes of it. */
import type { RewtOptions } from '../../src/options.js';
import { type RedisServer, startRedis } from '../support/servers.js';
import { type Fleet, startFleet } from './fleet.js';
import { judge, type Verdict } from './judge.js';
import type { Place } from './members.js';

export interface Fault {
  /** For `--only`. */
  readonly name: string;
  /** What is done, as the table puts it. */
  readonly title: string;
  /**
   * Whether operations may fail meanwhile: the store is away for longer than `maxStaleness`, or a
   * revocation cannot be written.
   */
  readonly mayFail: boolean;
  /** Whether a rotation has to fall into it. */
  readonly rotates?: true;
  /** For members that are to have other times than the suite's. */
  readonly options?: RewtOptions;
  play(stage: Stage): Promise<void>;
}

export interface Stage {
  server(args?: readonly string[]): Promise<RedisServer>;
  /** Ends `ending` with the fault. */
  keep<T extends { stop(): Promise<void> }>(ending: T): T;
  /** Members at these places, in touch with the store; `options` go round. */
  fleet(places: readonly Place[], ...options: readonly RewtOptions[]): Promise<Fleet>;
}

/**
 * Seconds. Copies run out while one watches, though not while a client is still finding its way
 * back from an outage of some seconds; and a token outlives them, so that it can show a copy that
 * does not run out.
 */
export const shortTimes: RewtOptions = { ttl: 30, tokenLifetime: 20, maxStaleness: 15, clockTolerance: 0.5 };

export interface Row extends Verdict {
  readonly fault: Fault;
}

export async function play(fault: Fault, times: RewtOptions = fault.options ?? shortTimes): Promise<Row> {
  const endings: { stop(): Promise<void> }[] = [];
  let fleet: Fleet | undefined;
  const stage: Stage = {
    server: async (args) => stage.keep(await startRedis(args)),
    keep(ending) {
      endings.push(ending);
      return ending;
    },
    async fleet(places, ...options) {
      const given = options.length === 0 ? [times] : options.map((option) => ({ ...times, ...option }));
      fleet = await startFleet(places, given);
      return fleet;
    },
  };
  try {
    await fault.play(stage);
    if (fleet === undefined) throw new Error(`${fault.name} has no members`);
    return { fault, ...judge(await fleet.stop()) };
  } finally {
    await fleet?.kill();
    await Promise.all(endings.map((ending) => ending.stop()));
  }
}

/** What must not be, in words; empty where all promises were kept. */
export function brokenPromises(row: Row): string[] {
  const { fault, operations, refusedWithoutRevocation, acceptedAfterBound, unavailable, wrong } = row;
  const claims: [broken: boolean, what: string][] = [
    [operations === 0, 'nothing happened'],
    [refusedWithoutRevocation > 0, `${refusedWithoutRevocation} refused without a revocation`],
    [acceptedAfterBound > 0, `${acceptedAfterBound} accepted after the bound`],
    [Object.keys(wrong).length > 0, `errors that are no outage: ${Object.keys(wrong)}`],
    [!fault.mayFail && Object.keys(unavailable).length > 0, `operations failed: ${Object.keys(unavailable)}`],
    [row.unproven > 0, `${row.unproven} revocations prove nothing`],
    [fault.rotates === true && row.rotations === 0, 'no rotation fell into it'],
  ];
  return claims.filter(([broken]) => broken).map(([, what]) => what);
}
