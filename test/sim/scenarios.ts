/** The scenarios: who takes part, and how often what happens to them. */

import type { Scenario } from './scenario.js';
import { someTimes, timesOf, type World } from './world.js';

/** Every so many `ttl`s. */
const turns = (count: number) => (world: World) => count * world.times.ttlMs;
/** Of a hundred seeds. */
const SEALED_SHARE = 4;
const DAY_MS = 86_400_000;
const quick = { clockToleranceMs: 1_000, storeTimeoutMs: 500 };
const LOSSES = {
  requestLost: 0.02,
  replyLost: 0.04,
  late: 0.02,
  twice: 0.05,
  half: 0.01,
  pushLost: 0.2,
  pushTwice: 0.1,
};

const operators: NonNullable<Scenario['troubles']> = {
  DEL: turns(3),
  SET: turns(3),
  'SET short': turns(8),
  'EXPIRE sooner': turns(1),
  'EXPIRE later': turns(2),
  PERSIST: turns(2),
};

const plain: readonly Scenario[] = [
  { name: 'calm day', troubles: { rotate: turns(1), 'rotate together': turns(2), join: turns(2), leave: turns(2) } },
  {
    name: 'a year',
    troubles: {
      leave: () => 30 * DAY_MS,
      join: () => 30 * DAY_MS,
      crash: () => 20 * DAY_MS,
      revoke: () => 90 * DAY_MS,
    },
    members: [2, 4],
    turns: 365,
    everyMs: () => DAY_MS / 4,
    rushes: false,
    times: () =>
      timesOf({
        ttlMs: DAY_MS,
        tokenLifetimeMs: 300_000,
        maxStalenessMs: 60_000,
        clockToleranceMs: 5_000,
        storeTimeoutMs: 1_000,
      }),
    share: 4,
  },
  {
    name: 'outages',
    troubles: {
      'server silent': turns(0.7),
      'server refuses': turns(0.7),
      'link down': turns(0.5),
      'slow network': turns(1),
      rotate: turns(1),
    },
  },
  {
    name: 'gateways',
    gateways: 0.5,
    members: [3, 5],
    troubles: { 'link down': turns(4), leave: turns(12), join: turns(12), revoke: turns(12) },
    turns: 40,
    rushes: false,
    times: () =>
      timesOf({
        ttlMs: 8_000,
        tokenLifetimeMs: 3_000,
        maxStalenessMs: 2_000,
        clockToleranceMs: 500,
        storeTimeoutMs: 500,
      }),
  },
  {
    // No operators: a brake that only a reader has seen is the other members' to judge, and the
    // judge of the simulation counts it as seen by this one.
    name: 'readers',
    readers: 0.6,
    members: [3, 6],
    troubles: {
      rotate: turns(1),
      revoke: turns(1),
      'link down': turns(0.7),
      'server silent': turns(1),
      'writes refused': turns(2),
      leave: turns(2),
      join: turns(1),
    },
  },
  {
    name: 'long outages',
    troubles: { 'long outage': turns(0.8), 'writes refused': turns(1.5), crash: turns(2), revoke: turns(4) },
  },
  {
    name: 'pushes',
    push: 1,
    everyMs: () => 600,
    weather: () => ({ pushLost: 0.3, pushTwice: 0.3, pushMs: [0.2, 400] }),
    troubles: {
      'push lost': turns(0.3),
      'push storm': turns(0.5),
      rotate: turns(1),
      revoke: turns(1),
      rush: turns(0.5),
      DEL: turns(3),
    },
  },
  {
    name: 'revocations',
    weather: (random) => (random.chance(0.5) ? LOSSES : {}),
    troubles: {
      revoke: turns(1),
      'revoke together': turns(1),
      DEL: turns(2),
      'server silent': turns(2),
      'link down': turns(1),
      'writes refused': turns(2),
      rotate: turns(1),
      crash: turns(2),
    },
  },
  {
    name: 'failovers, last writes',
    troubles: {
      'failover, last writes': turns(0.3),
      'failover, one write': turns(1.5),
      rotate: turns(1),
      stop: turns(1),
    },
  },
  {
    name: 'failovers, revocations',
    troubles: {
      'failover, far back': turns(1),
      'failover, last writes': turns(0.5),
      revoke: turns(0.7),
      DEL: turns(3),
      'link down': turns(1),
      crash: turns(3),
    },
  },
  {
    name: 'two masters in turn',
    troubles: {
      'failover, far back': turns(0.7),
      'failover, other master': turns(0.5),
      revoke: turns(0.5),
      DEL: turns(2),
      SET: turns(4),
      'writes refused': turns(3),
      crash: turns(3),
    },
  },
  {
    name: 'partitions',
    troubles: {
      partition: turns(0.4),
      revoke: turns(0.7),
      rotate: turns(0.7),
      DEL: turns(3),
      'failover, last writes': turns(3),
      crash: turns(2),
    },
  },
  { name: 'operators', troubles: operators },
  {
    name: 'EXPIRE storms',
    troubles: {
      'EXPIRE storm': turns(0.4),
      'link down': turns(0.7),
      'slow network': turns(2),
      rotate: turns(1),
      crash: turns(3),
    },
  },
  { name: 'idle operators', troubles: operators, everyMs: (world) => world.times.ttlMs / 3, rushes: false, turns: 15 },
  {
    name: 'operators and failovers',
    troubles: {
      ...operators,
      'failover, last writes': turns(0.5),
      'failover, one write': turns(1),
      'failover, far back': turns(3),
      rotate: turns(2),
    },
  },
  {
    name: 'evictions',
    troubles: {
      FLUSHALL: turns(3),
      'evict K': turns(3),
      'evict R': turns(1),
      crash: turns(2),
      'writes refused': turns(3),
    },
  },
  {
    name: 'clocks',
    troubles: {
      'wall clock off': turns(0.3),
      'wall clock wrong': turns(1.5),
      'store clock shifts': turns(0.3),
      'server silent': turns(2),
      suspend: turns(2),
      rotate: turns(2),
    },
  },
  {
    name: 'clocks, strict',
    times: (random) => ({ ...someTimes(random), maxStalenessMs: 0, softAgeMs: 0 }),
    weather: (random) => ({ latencyMs: [0.2, random.pick([2, 20, 60])] }),
    troubles: {
      'wall clock off': turns(0.05),
      'wall clock wrong': turns(0.3),
      'store clock shifts': turns(0.5),
      'slow network': turns(1),
      rush: turns(0.1),
      suspend: turns(1),
      rotate: turns(1),
      revoke: turns(3),
    },
  },
  {
    name: 'clock jumps',
    troubles: { 'store clock jumps': turns(1), 'store clock shifts': turns(1), revoke: turns(3), rotate: turns(2) },
  },
  {
    name: 'pauses and crashes',
    troubles: {
      stop: turns(0.3),
      suspend: turns(0.5),
      crash: turns(0.7),
      join: turns(1),
      leave: turns(2),
      revoke: turns(2),
      rotate: turns(1),
    },
  },
  {
    name: 'bad network',
    weather: (random) => ({ ...LOSSES, latencyMs: [0.2, random.pick([2, 30, 80])] }),
    troubles: {
      rotate: turns(1),
      'rotate by force': turns(3),
      revoke: turns(3),
      'slow network': turns(1),
      rush: turns(1),
    },
  },
  {
    name: 'mixed options',
    mixed: true,
    members: [3, 6],
    troubles: {
      rotate: turns(1),
      crash: turns(1),
      join: turns(1),
      'server silent': turns(1),
      'link down': turns(1),
      revoke: turns(4),
    },
  },
  {
    name: 'other times',
    members: [3, 5],
    everyMs: () => 500,
    troubles: {
      'other times': turns(1),
      'shorter times unseen': turns(0.6),
      rotate: turns(2),
      'link down': turns(1),
      revoke: turns(6),
    },
    times: () => timesOf({ ...quick, ttlMs: 20_000, tokenLifetimeMs: 2_000, maxStalenessMs: 1_000 }),
    first: () => timesOf({ ...quick, ttlMs: 20_000, tokenLifetimeMs: 10_000, maxStalenessMs: 10_000 }),
  },
  {
    name: 'overlapping calls',
    share: 25,
    push: 1,
    troubles: { 'overlapping calls': turns(0.15), 'slow network': turns(2), revoke: turns(3) },
  },
  {
    name: 'old rewt beside it',
    old: 2,
    troubles: {
      rotate: turns(1),
      'server silent': turns(3),
      crash: turns(3),
      revoke: turns(4),
      DEL: turns(4),
      'EXPIRE sooner': turns(4),
    },
  },
  {
    name: 'everything at once',
    mixed: true,
    old: 1,
    weather: (random) => (random.chance(0.7) ? LOSSES : {}),
  },
];

/** Those in which old rewt is no more than a part have none: a sealed ring is no place for it. */
const sealed = plain
  .filter(({ name }) => name !== 'old rewt beside it')
  .map((scenario) => {
    const { old: _, ...own } = scenario;
    return { ...own, name: `${own.name}, sealed`, sealed: true, share: own.name === 'a year' ? 0.5 : SEALED_SHARE };
  });

/** Those that are about the seal key. */
const sealing: readonly Scenario[] = [
  {
    name: 'sealed',
    sealed: 'under two keys',
    members: [3, 5],
    turns: 4,
    share: 10,
    troubles: {
      crash: turns(0.4),
      join: turns(1),
      leave: turns(1),
      rotate: turns(1),
      revoke: turns(3),
      'failover, last writes': turns(0.7),
      'link down': turns(2),
    },
    reseals: turns(0.5),
  },
  {
    name: 'hostile writer',
    sealed: true,
    turns: 5,
    share: 10,
    hostile: (world) => world.random.pick([0.04, 0.1, 0.3]) * world.times.ttlMs,
    migrates: 0.4,
    troubles: {
      crash: turns(1),
      join: turns(1),
      rotate: turns(0.5),
      revoke: turns(1.5),
      'link down': turns(1.5),
      'writes refused': turns(3),
    },
  },
];

export const scenarios: readonly Scenario[] = [...plain, ...sealed, ...sealing];
