/**
 * The doctor's findings about a Redis server: latency, version, memory, persistence and possible
 * losses. Pure.
 */

import { DEFAULT_CLOCK_TOLERANCE_SECONDS, inMs, MAX_SOFT_AGE_MS } from '../../keyring/policy.js';
import { mayBeDeposed } from '../../stores/redis/replication.js';
import { isReading } from '../../stores/redis/rights.js';
import { foreignName, spanOf } from '../output/format.js';
import { type Finding, finding } from './finding.js';
import type { RedisFacts } from './redis-facts.js';
import type { ServerFacts } from './server-facts.js';

const MIN_MAJOR = 6;
/** The part of maxmemory above which there may soon be no room for a rotation. */
const NEARLY_FULL = 0.9;

export function judgeServer(facts: RedisFacts): readonly Finding[] {
  const { server, skew, writes, push, rights } = facts;
  return [
    judgeRoundTrip(facts.roundTripMs),
    judgeVersion(server.version),
    // The limits of a user that only reads show nothing about the server.
    ...(isReading(rights.role)
      ? [finding('writes', 'note', `not tried: this user is a ${rights.role}`)]
      : [judgeWrites(writes), judgePush(push)]),
    ...judgeMemory(server.memory),
    ...judgePersistence(server.persistence),
    ...judgeReplication(server.replication),
    judgeClock(skew),
  ];
}

function judgeRoundTrip(ms: number): Finding {
  const found = `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms there and back (the median of some)`;
  if (ms < 50) return finding('round trip', 'ok', found);
  const remedy = 'put the members nearer to it; storeTimeout has to allow for several of these';
  return finding('round trip', ms < 250 ? 'note' : 'warning', found, remedy);
}

function judgeVersion(version: ServerFacts['version']): Finding {
  if (version === null) return unknown('version');
  const { name, number, mode } = version;
  const found = foreignName(`${name} ${number}${mode === 'standalone' ? '' : `, ${mode}`}`);
  if (name === 'Valkey' || Number.parseInt(number, 10) >= MIN_MAJOR) return finding('version', 'ok', found);
  return finding('version', 'problem', `${found} has no client tracking and no ACL`, 'Redis 6.0 or later, or Valkey');
}

function judgeWrites(failed: RedisFacts['writes']): Finding {
  if (failed === null) return finding('writes', 'ok', 'it would take one');
  return finding(
    'writes',
    'problem',
    `it takes none: ${failed.message}`,
    'until then nothing rotates, and no revocation is written',
  );
}

function judgePush({ state, reason }: RedisFacts['push']): Finding {
  if (state === 'on') return finding('push', 'ok', 'changes arrive at once');
  return finding(
    'push',
    'warning',
    `off: ${reason ?? 'it could not be tried'}`,
    `rewt works without: a change is then noticed within ${spanOf(MAX_SOFT_AGE_MS)}. It needs CLIENT ` +
      'TRACKING and SUBSCRIBE on a connection straight to the server (no proxy)',
  );
}

function judgeMemory(memory: ServerFacts['memory']): readonly Finding[] {
  if (memory === null) return [unknown('eviction')];
  const { maxBytes, usedBytes } = memory;
  const policy = foreignName(memory.policy);
  const remedy = 'CONFIG SET maxmemory-policy noeviction, or a separate Redis for rewt';
  const full =
    maxBytes > 0 && usedBytes > maxBytes * NEARLY_FULL
      ? [
          finding(
            'memory',
            'warning',
            `${Math.round((100 * usedBytes) / maxBytes)} % of maxmemory is used: a full Redis takes no ` +
              'rotation and no revocation',
            'more maxmemory, or fewer other keys',
          ),
        ]
      : [];
  if (policy === 'noeviction') return [finding('eviction', 'ok', 'noeviction'), ...full];
  const worst = policy.startsWith('volatile') ? ", and rewt's keys go first, since they have a TTL" : '';
  if (maxBytes === 0) {
    const found = `maxmemory-policy is ${policy}: nothing is evicted as long as there is no maxmemory`;
    return [finding('eviction', 'note', found, remedy)];
  }
  const found = `maxmemory-policy is ${policy}: an evicted secret is a revocation${worst}`;
  return [finding('eviction', 'problem', found, remedy), ...full];
}

function judgePersistence(persistence: ServerFacts['persistence']): readonly Finding[] {
  if (persistence === null) return [unknown('persistence')];
  const { aof, snapshots, failing } = persistence;
  if (failing) {
    const found = 'the last attempt to write to disk failed: Redis may take no writes until one succeeds';
    return [finding('persistence', 'problem', found, 'look into its log, and make room on its disk')];
  }
  if (aof) return [finding('persistence', 'ok', 'appendonly')];
  const remedy = 'CONFIG SET appendonly yes (and in redis.conf)';
  if (snapshots === null) {
    return [finding('persistence', 'note', 'no appendonly; whether there are snapshots is not shown', remedy)];
  }
  return [
    snapshots
      ? finding('persistence', 'note', 'snapshots: a restart may lose the last rotations and revocations', remedy)
      : finding('persistence', 'warning', 'none: a restart loses the keyring, which is a revocation', remedy),
  ];
}

function judgeReplication(replication: ServerFacts['replication']): readonly Finding[] {
  if (replication === null) return [unknown('replicas')];
  const { role, replicas, goodReplicas } = replication;
  if (role !== 'master') {
    return [
      finding('role', 'problem', 'a replica, which may not know of a revocation', 'give the address of the master'),
    ];
  }
  if (mayBeDeposed(replication)) {
    return [
      finding(
        'replicas',
        'problem',
        `none in step of ${replicas}, and this master takes no writes without: another may have replaced it`,
        'bring the replicas back, or connect to the new master; until then every member stops once its ' +
          'copy is maxStaleness old',
      ),
    ];
  }
  if (goodReplicas !== null) {
    return [
      finding('replicas', 'ok', `${goodReplicas} in step of ${replicas}, and a master without them refuses writes`),
    ];
  }
  if (replicas === 0) return [judgeAlone(replication.hasTakenOver === true)];
  return [
    finding(
      'replicas',
      'note',
      `${replicas}, but a master that is cut off from them goes on taking writes, which a failover then loses`,
      'CONFIG SET min-replicas-to-write 1, and min-replicas-max-lag 2: docs/operations.md has what it costs',
    ),
  ];
}

/**
 * Reports a master without replicas: a failover can lose a revocation, and the next one has no
 * second copy.
 */
function judgeAlone(hasTakenOver: boolean): Finding {
  if (!hasTakenOver) return finding('replicas', 'note', 'none: nothing takes over where this server is lost');
  return finding(
    'replicas',
    'warning',
    'none, and this server has taken over from another: a revocation right before that may be lost, ' +
      'and the next has no second copy',
    'see "changed" in rewt status; if a revocation is missing there, revoke again. Then connect a replica',
  );
}

function judgeClock(skew: RedisFacts['skew']): Finding {
  if (skew === null) return unknown('clock', 'TIME', '+time');
  const { ms, uncertainMs } = skew;
  const least = Math.max(0, Math.abs(ms) - uncertainMs);
  const way = ms > 0 ? 'behind' : 'ahead of';
  const found =
    'this machine is ' +
    `${least < 10_000 ? `${Math.round(Math.abs(ms))} ms` : `${Math.round(Math.abs(ms) / 1_000)} s`} ` +
    `${way} the server (give or take ${Math.ceil(uncertainMs)} ms)`;
  if (least < 1_000) return finding('clock', 'ok', found);
  const remedy = 'let NTP set the clocks of both: exp, nbf and iat are judged by the clock of the member';
  return finding('clock', least < inMs(DEFAULT_CLOCK_TOLERANCE_SECONDS) ? 'warning' : 'problem', found, remedy);
}

/** Reports a fact that this user, or this Redis, does not show. */
function unknown(check: string, command = 'INFO', right = '+info'): Finding {
  return finding(check, 'note', `unknown: ${command} is not answered`, `grant it: ACL SETUSER <user> ${right}`);
}
