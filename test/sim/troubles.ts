/**
 * Everything that may befall a fleet and its store, by name. Each happens once per call; a scenario
 * says how often.
 */

import { createRecord } from '../../src/stores/record.js';
import type { Member } from './member.js';
import type { World } from './world.js';

export const troubles = {
  rotate: (world: World) => one(world).rotate(false),
  'rotate by force': (world: World) => one(world).rotate(true),
  'rotate together': (world: World) => {
    for (const member of world.members) member.rotate(false);
  },
  revoke: (world: World) => one(world).revoke(),
  /**
   * `rewt set`. No `ttl` is too short for a copy of this fleet, but an `overlap` may be for members
   * without a name.
   */
  'other times': (world: World) => {
    const { random } = world;
    setTimes(world, one(world), random.pick([1, 1, 1.5, 2]), random.pick([1, 1, 2, 4]));
  },
  /**
   * The same, and next signs and retires soon after; all of it unseen by a member that is cut off
   * until it signs with next by itself.
   */
  'shorter times unseen': (world: World) => {
    const { random, agenda, server, members } = world;
    const [unaware, ...others] = members;
    if (unaware === undefined || others.length === 0) return;
    const member = random.pick(others);
    const { times, link } = unaware;
    const leadMs = member.times.softAgeMs + member.times.clockToleranceMs;
    const leftMs = (server.read().key?.expiresAtMs ?? 0) - server.nowMs();
    const waitMs = leftMs - leadMs - random.between(100, 2_000);
    if (waitMs < 0 || link.state !== 'up') return;
    agenda.after(waitMs, () => {
      cut(world, unaware, random.between(0.5, 1) * times.maxStalenessMs);
      setTimes(world, member, 1, 1);
    });
    agenda.after(waitMs + member.times.maxStalenessMs + random.between(100, 600), () => member.rotate(false));
  },
  'revoke together': (world: World) => {
    for (const member of world.members.slice(0, 3)) member.revoke();
    world.rush();
  },

  DEL: (world: World) => operate(world, 'DEL', ({ ring }) => createRecord(null, ring)),
  SET: (world: World) =>
    put(world, world.random.chance(0.5) ? null : world.random.between(2_000, 2 * world.times.ttlMs)),
  'SET short': (world: World) => put(world, null, 'too short to sign'),
  'EXPIRE sooner': (world: World) => expire(world, world.random.between(0.02, 0.6) * world.times.ttlMs),
  'EXPIRE later': (world: World) => expire(world, world.random.between(1, 3) * world.times.ttlMs),
  /** One after the other, within seconds. */
  'EXPIRE storm': (world: World) => {
    const { random, agenda, times } = world;
    const lastMs = random.pick([200, 3_000, 10_000]);
    for (let count = 0; count < 12; count += 1) {
      agenda.after(random.between(0, lastMs), () =>
        expire(world, random.pick([random.between(0.02, 0.5), random.between(0.3, 3)]) * times.ttlMs),
      );
    }
  },
  PERSIST: (world: World) =>
    operate(world, 'PERSIST', ({ key, ring }) => key && createRecord({ ...key, expiresAtMs: null }, ring)),

  FLUSHALL: (world: World) => operate(world, 'FLUSHALL', () => createRecord(null, null)),
  'evict K': (world: World) => operate(world, 'evict K', ({ ring }) => createRecord(null, ring)),
  'evict R': (world: World) => operate(world, 'evict R', ({ key }) => createRecord(key, null)),

  /**
   * Loses what was written in the last moments: at most one rotation where that is what there was.
   */
  'failover, last writes': (world: World) => {
    const sinceMs = world.agenda.nowMs - world.random.between(10, 3_000);
    const count = world.server.writesSince(sinceMs);
    if (count > 0) world.server.loseWrites(count);
  },
  'failover, one write': (world: World) => {
    if (world.server.pastLength() > 1) world.server.loseWrites(1);
  },
  'failover, far back': (world: World) => world.server.loseWrites(Math.ceil(world.random.between(0.5, 6))),

  /** To the master that was left last, and all that was written there alone. */
  'failover, other master': (world: World) => world.server.otherMaster(),

  /**
   * One member is left with the old master, which notices that it has no replica. An operator may
   * have pulled the brake there.
   */
  partition: (world: World) => {
    const { random, agenda, server, ledger, times, judge } = world;
    const { link, name } = one(world);
    if (link.state !== 'up') return;
    const { record } = server;
    const isBraked = random.chance(0.2);
    const old = isBraked ? createRecord(null, record.ring) : record;
    if (isBraked) ledger.meddledAside(record, old, 'DEL');
    link.part(old);
    const ms = random.between(0.2, 3) * times.maxStalenessMs + times.storeTimeoutMs;
    judge.trace?.(
      `${name} is left with the old master for ${ms.toFixed(0)} ms${isBraked ? ', after a DEL there' : ''}`,
    );
    agenda.after(ms, () => link.heal());
  },

  'server silent': (world: World) =>
    outage(world, 'silent', world.random.between(0.1, 0.9) * world.times.maxStalenessMs),
  'server refuses': (world: World) =>
    outage(world, 'refusing', world.random.between(0.1, 0.9) * world.times.maxStalenessMs),
  'long outage': (world: World) =>
    outage(
      world,
      world.random.pick(['silent', 'refusing']),
      world.random.between(1, 3) * world.times.maxStalenessMs + 500,
    ),
  'writes refused': (world: World) => {
    const { server, agenda, random, times } = world;
    server.writes = random.pick(['ERR_REWT_STORE_READ_ONLY', 'ERR_REWT_STORE_FULL']);
    world.troubled(server);
    agenda.after(random.between(0.05, 0.8) * times.ttlMs, () => {
      server.writes = 'taken';
      world.troubled(server);
    });
  },
  'link down': (world: World) => {
    const { random, times } = world;
    const member = one(world);
    const state = random.pick(['silent', 'refusing'] as const);
    const longestMs = Math.max(times.maxStalenessMs, member.times.maxStalenessMs);
    cut(world, member, random.between(0.1, 2) * longestMs, state);
  },
  'slow network': (world: World) => {
    const { random, agenda, times } = world;
    const { link } = one(world);
    const { weather } = link;
    link.weather = { ...weather, latencyMs: [1, times.storeTimeoutMs * random.between(0.1, 0.8)] };
    world.troubled(link);
    agenda.after(random.between(500, 8_000), () => {
      link.weather = weather;
      world.troubled(link);
    });
  },

  /**
   * Refreshes and commands are under way at once on a slow line, which is cut before they have all
   * come back.
   */
  'overlapping calls': (world: World) => {
    const { random, agenda, weather } = world;
    const member = one(world);
    const { link, times } = member;
    if (link.weather !== weather || link.state !== 'up') return;
    const { storeTimeoutMs: timeoutMs, maxStalenessMs } = times;
    link.weather = { ...weather, latencyMs: [1, 0.45 * timeoutMs] };
    world.troubled(link);
    for (let count = 0; count < 3; count += 1) {
      agenda.after(random.between(0, timeoutMs), () => link.whisper());
      agenda.after(random.between(0, timeoutMs), () => member.rotate(random.chance(0.7)));
      agenda.after(random.between(0, timeoutMs), () => one(world).rotate(true));
    }
    if (random.chance(0.3)) agenda.after(random.between(0, timeoutMs), () => one(world).revoke());
    agenda.after(random.between(0.2, 1.5) * timeoutMs, () => {
      link.weather = weather;
      cut(world, member, random.between(0.8, 1.3) * maxStalenessMs);
    });
  },

  'push lost': (world: World) => one(world).link.loseEar(world.random.chance(0.6)),
  'push storm': (world: World) => {
    const { link } = one(world);
    for (let count = 0; count < 20; count += 1) world.agenda.after(world.random.between(0, 500), () => link.whisper());
  },

  stop: (world: World) => pause(world, 'stopped'),
  suspend: (world: World) => pause(world, 'suspended'),
  crash: (world: World) => {
    const member = one(world);
    member.crash();
    world.dismiss(member);
    world.judge.trace?.(`${member.name} crashes`);
    world.join();
  },
  leave: (world: World) => {
    if (world.members.length < 2) return;
    const member = one(world);
    world.dismiss(member);
    void member.leave();
  },
  join: (world: World) => {
    if (world.members.length < 7) world.join();
  },
  rush: (world: World) => world.rush(),

  'wall clock off': (world: World) => {
    const { random, times } = world;
    const member = one(world);
    member.machine.setWall(random.pick([-1, 1]) * random.between(0, 4 * times.clockToleranceMs));
    world.judge.trace?.(`${member.name} wall clock ${member.machine.wallSkewMs.toFixed(0)}`);
  },
  'wall clock wrong': (world: World) => {
    const member = one(world);
    member.machine.setWall(world.random.pick([-1, 1]) * world.random.between(0, 3_600_000));
    world.judge.trace?.(`${member.name} wall clock ${member.machine.wallSkewMs.toFixed(0)}`);
  },
  'store clock shifts': (world: World) => {
    const { random, server, ledger } = world;
    // Ever within the tolerance of where it was.
    server.jump(random.between(-0.49, 0.49) * ledger.clock.leastToleranceMs - server.skewMs);
  },
  'store clock jumps': (world: World) =>
    world.server.jump(world.random.pick([-1, 1]) * world.random.between(0, world.times.ttlMs)),
} satisfies Record<string, (world: World) => void>;

function one(world: World): Member {
  return world.random.pick(world.members);
}

type Contents = World['server']['record'];

function operate(world: World, name: string, change: (record: Contents) => Contents | null): void {
  const { server } = world;
  const nowMs = server.nowMs();
  const { key, ring } = server.record;
  const isLive = (entry: { expiresAtMs: number | null } | null) =>
    entry !== null && nowMs < (entry.expiresAtMs ?? Number.POSITIVE_INFINITY);
  // What has ended is not there to be changed.
  const present = createRecord(isLive(key) ? key : null, isLive(ring) ? ring : null);
  const changed = change(present);
  if (changed === null || changed.digest === present.digest) return;
  world.troubled(server);
  server.write(changed, { fault: name });
}

function put(world: World, ttlMs: number | null, value?: string): void {
  world.handmade += 1;
  const { server, handmade } = world;
  const secret = value ?? `an operator's secret, number ${handmade} `.padEnd(40, '.');
  const expiresAtMs = ttlMs === null ? null : Math.floor(server.nowMs() + ttlMs);
  operate(world, 'SET', ({ ring }) => createRecord({ value: secret, expiresAtMs }, ring));
}

function expire(world: World, ttlMs: number): void {
  operate(
    world,
    'EXPIRE',
    ({ key, ring }) => key && createRecord({ ...key, expiresAtMs: Math.floor(world.server.nowMs() + ttlMs) }, ring),
  );
}

/** By a member's own needs, and so that no copy in the fleet misses a turn. */
function setTimes({ members }: World, member: Member, longer: number, larger: number): void {
  const { ttlMs, tokenLifetimeMs, maxStalenessMs, clockToleranceMs } = member.times;
  const leastMs = Math.max(ttlMs, ...members.map(({ times }) => 2 * times.maxStalenessMs));
  member.set(longer * leastMs, larger * (tokenLifetimeMs + maxStalenessMs + clockToleranceMs));
}

function cut(world: World, { link }: Member, ms: number, state: 'silent' | 'refusing' = 'silent'): void {
  link.state = state;
  world.troubled(link);
  world.agenda.after(ms, () => {
    link.mend();
    world.troubled(link);
  });
}

function outage(world: World, state: 'silent' | 'refusing', ms: number): void {
  const { server, agenda } = world;
  if (server.state !== 'up') return;
  server.state = state;
  world.troubled(server);
  world.judge.trace?.(`the server is ${state} for ${ms.toFixed(0)} ms`);
  agenda.after(ms, () => {
    server.state = 'up';
    world.troubled(server);
    world.judge.trace?.('the server is back');
  });
}

function pause(world: World, how: 'stopped' | 'suspended'): void {
  const { random, agenda, times } = world;
  const { machine, name } = one(world);
  const ms = random.chance(0.5)
    ? random.between(50, 2 * times.storeTimeoutMs)
    : random.between(0.1, 2) * times.maxStalenessMs;
  machine.pause(how);
  world.judge.trace?.(`${name} is ${how} for ${ms.toFixed(0)} ms`);
  agenda.after(ms, () => machine.resume());
}
