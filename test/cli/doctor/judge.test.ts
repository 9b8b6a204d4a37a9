/**
 * What the doctor concludes from what it found, as tables: each fact alone, on a server with which
 * nothing is wrong.
 */

import { describe, expect, it } from 'vitest';
import { judgeRedis } from '../../../src/cli/commands/doctor.js';
import { countOf, formatFindings, summaryOf } from '../../../src/cli/doctor/finding.js';
import type { FolderFacts } from '../../../src/cli/doctor/folder-facts.js';
import { judgeFolder } from '../../../src/cli/doctor/judge-folder.js';
import { type KeyringFacts, keyringFactsOf } from '../../../src/cli/doctor/keyring-facts.js';
import { addressFactsOf, type RedisFacts, type Rights } from '../../../src/cli/doctor/redis-facts.js';
import { shapeOf } from '../../../src/cli/doctor/secret-shape.js';
import { type ServerFacts, serverFactsOf } from '../../../src/cli/doctor/server-facts.js';
import { linkOf } from '../../../src/cli/input/link.js';
import type { Screen } from '../../../src/cli/output/screen.js';
import type { KeyringStatus } from '../../../src/status.js';
import { costOf, type Use } from '../../../src/stores/redis/rights.js';

const nowMs = Date.UTC(2026, 10, 26, 12);
const status: KeyringStatus = {
  lineage: 'lineage',
  epoch: 0,
  revocation: null,
  sealed: null,
  changes: [],
  generation: 3,
  ttl: 86_400,
  overlap: 365,
  signing: 'kid',
  current: { kid: 'kid', expiresAt: new Date(nowMs + 3_600_000), verifiesUntil: new Date(nowMs + 3_965_000) },
  next: { kid: 'next-kid', since: new Date(nowMs - 3_600_000) },
  retired: [],
};
const keyring: KeyringFacts = {
  key: { hasTtl: true, marks: false, shape: 'good' },
  ring: 'readable',
  sealed: { keyId: 'seal-key-id', opens: true },
  keyIds: ['seal-key-id'],
  plan: null,
  withoutKid: null,
  status,
  nowMs,
};
const server: ServerFacts = {
  version: { name: 'Redis', number: '7.2.4', mode: 'standalone' },
  memory: { policy: 'noeviction', maxBytes: 1_000, usedBytes: 100 },
  persistence: { aof: true, snapshots: true, failing: false },
  replication: { role: 'master', replicas: 2, goodReplicas: 1 },
};
const rights: Rights = { role: 'member', wanted: null, user: 'ann', lacks: [], beyond: [], pushes: true, excess: [] };
const well: RedisFacts = {
  namespace: 'rewt',
  keyPrefix: '',
  address: { loopback: false, tls: true, password: true, user: null },
  unreachable: null,
  roundTripMs: 1.2,
  skew: { ms: 3, uncertainMs: 2 },
  server,
  rights,
  writes: null,
  push: { state: 'on', reason: null },
  keyring,
  announcements: { nowMs, count: 0, kept: [] },
};

/** All but what is well. */
const troubles = (facts: Partial<RedisFacts>) =>
  judgeRedis({ ...well, ...facts })
    .filter(({ level }) => level !== 'ok')
    .map(({ check, level }) => `${check}: ${level}`);
const onServer = (over: Partial<ServerFacts>) => troubles({ server: { ...server, ...over } });
const onKeyring = (over: Partial<KeyringFacts>) => troubles({ keyring: { ...keyring, ...over } });

it('a server with which nothing is wrong has nothing but ok', () => {
  expect(troubles({})).toEqual([]);
  expect(summaryOf(judgeRedis(well))).toBe('Nothing is wrong.');
});

it('every finding that is worse than a note has a remedy, or says it itself', () => {
  const worst = judgeRedis({
    ...well,
    address: { loopback: false, tls: false, password: false, user: null },
    roundTripMs: 900,
    skew: { ms: -9_000, uncertainMs: 2 },
    server: {
      version: { name: 'Redis', number: '5.0.14', mode: 'cluster' },
      memory: { policy: 'volatile-lru', maxBytes: 1_000, usedBytes: 990 },
      persistence: { aof: false, snapshots: false, failing: true },
      replication: { role: 'replica', replicas: 0, goodReplicas: null },
    },
    writes: { code: 'ERR_REWT_STORE_FULL', message: 'Redis is full.' },
    push: { state: 'off', reason: 'It may not.' },
    keyring: { ...keyring, plan: 'brake', key: { hasTtl: false, marks: false, shape: 'unusable' } },
  });
  for (const { level, remedy } of worst.filter(({ level }) => level === 'warning' || level === 'problem')) {
    expect({ level, remedy }).toEqual({ level, remedy: expect.stringMatching(/.{10}/) });
  }
  expect(summaryOf(worst)).toBe(`${countOf(worst, 'problem')} problems, ${countOf(worst, 'warning')} warnings.`);
});

describe('the server', () => {
  it.each([
    ['cannot be reached', { unreachable: { code: 'X', message: 'Away.' } }, ['reachable: problem']],
    ['is far', { roundTripMs: 60 }, ['round trip: note']],
    ['is very far', { roundTripMs: 251 }, ['round trip: warning']],
    ['has a clock 0.9 s ahead', { skew: { ms: 900, uncertainMs: 1 } }, []],
    ['has a clock 3 s behind', { skew: { ms: -3_000, uncertainMs: 5 } }, ['clock: warning']],
    ['has a clock an hour ahead', { skew: { ms: 3_600_000, uncertainMs: 5 } }, ['clock: problem']],
    ['is too far for its clock to be known', { skew: { ms: 3_000, uncertainMs: 2_500 } }, []],
    ['tells no time', { skew: null }, ['clock: note']],
    ['pushes nothing', { push: { state: 'off', reason: 'It may not.' } }, ['push: warning']],
    ['takes no writes', { writes: { code: 'X', message: 'Full.' } }, ['writes: problem']],
  ] as const)('%s', (_, facts, found) => {
    expect(troubles(facts as Partial<RedisFacts>)).toEqual(found);
  });

  it.each([
    ['is old', { version: { name: 'Redis', number: '5.0.14', mode: 'standalone' } }, ['version: problem']],
    ['is a cluster', { version: { name: 'Redis', number: '6.0.16', mode: 'cluster' } }, []],
    ['is Valkey', { version: { name: 'Valkey', number: '8.0.1', mode: 'standalone' } }, []],
    ['evicts', { memory: { policy: 'allkeys-lru', maxBytes: 1, usedBytes: 0 } }, ['eviction: problem']],
    ['evicts what has a TTL', { memory: { policy: 'volatile-ttl', maxBytes: 1, usedBytes: 0 } }, ['eviction: problem']],
    ['would evict', { memory: { policy: 'allkeys-lru', maxBytes: 0, usedBytes: 9 } }, ['eviction: note']],
    ['is nearly full', { memory: { policy: 'noeviction', maxBytes: 100, usedBytes: 91 } }, ['memory: warning']],
    ['keeps snapshots', { persistence: { aof: false, snapshots: true, failing: false } }, ['persistence: note']],
    ['may keep some', { persistence: { aof: false, snapshots: null, failing: false } }, ['persistence: note']],
    ['keeps nothing', { persistence: { aof: false, snapshots: false, failing: false } }, ['persistence: warning']],
    ['cannot write', { persistence: { aof: true, snapshots: true, failing: true } }, ['persistence: problem']],
    ['is a replica', { replication: { role: 'replica', replicas: 0, goodReplicas: null } }, ['role: problem']],
    ['is alone', { replication: { role: 'master', replicas: 0, goodReplicas: null } }, ['replicas: note']],
    [
      'is alone after a failover',
      { replication: { role: 'master', replicas: 0, goodReplicas: null, hasTakenOver: true } },
      ['replicas: warning'],
    ],
    ['may lose writes', { replication: { role: 'master', replicas: 1, goodReplicas: null } }, ['replicas: note']],
    ['may be deposed', { replication: { role: 'master', replicas: 1, goodReplicas: 0 } }, ['replicas: problem']],
    ['is cut off from all', { replication: { role: 'master', replicas: 0, goodReplicas: 0 } }, ['replicas: problem']],
  ] as const)('%s', (_, over, found) => {
    expect(onServer(over as Partial<ServerFacts>)).toEqual(found);
  });

  it('that tells nothing is a list of notes', () => {
    expect(troubles({ server: serverFactsOf(new Error('NOPERM'), new Error('NOPERM')) })).toEqual([
      'version: note',
      'eviction: note',
      'persistence: note',
      'replicas: note',
    ]);
  });

  it('is read from INFO', () => {
    const info = [
      '# Server',
      'redis_version:7.2.4',
      'valkey_version:8.0.1',
      'redis_mode:cluster',
      'maxmemory:1000',
      'used_memory:10',
      'maxmemory_policy:volatile-lru',
      'aof_enabled:0',
      'rdb_last_bgsave_status:err',
      'role:master',
      'connected_slaves:2',
      'min_slaves_good_slaves:1',
    ].join('\r\n');
    expect(serverFactsOf(info, ['save', '3600 1'])).toEqual({
      version: { name: 'Valkey', number: '8.0.1', mode: 'cluster' },
      memory: { policy: 'volatile-lru', maxBytes: 1_000, usedBytes: 10 },
      persistence: { aof: false, snapshots: true, failing: true },
      replication: { role: 'master', replicas: 2, goodReplicas: 1 },
    });
    expect(serverFactsOf(info, ['save', '']).persistence?.snapshots).toBe(false);
    expect(serverFactsOf('', []).version).toBeNull();
  });
});

describe('the way there', () => {
  it.each([
    ['rediss://u:p@redis.example:6380', []],
    ['redis://u:p@redis.example', ['tls: warning']],
    ['redis://redis.example', ['tls: warning', 'password: problem']],
    ['redis://localhost', ['password: note']],
    ['redis://u:p@127.0.0.1:7000', []],
    ['redis://:p@[::1]', []],
  ])('over %s is judged by its encryption and its password', (url, found) => {
    expect(troubles({ address: addressFactsOf(linkOf(url, {}, {})) })).toEqual(found);
  });

  const lack = (use: Use, right: string) => ({ right, use, cost: costOf(use, {}) });
  it.each([
    ['lacks nothing, and may no more', [], [], []],
    ['lacks nothing, and what else it may is not known', [], null, []],
    ['lacks nothing, and may far more', [], ['FLUSHALL'], ['rights: note']],
    ['may not write', [lack('write', '+set'), lack('write', '+pexpireat')], [], ['rights: problem']],
    ['may not read the role', [lack('role', '+info')], [], ['rights: warning']],
    [
      'lacks what is for comfort',
      [lack('push', '+subscribe'), lack('fleet', '+zcount')],
      [],
      ['rights: note', 'rights: note'],
    ],
  ])('a user who %s', (_, lacks, excess, expected) => {
    expect(troubles({ rights: { ...rights, lacks, excess } })).toEqual(expected);
  });

  it('rights that cost the same are one finding, which names each of them', () => {
    const lacks = [lack('write', '+set'), lack('push', '+subscribe'), lack('write', '+pexpireat')];
    const found = judgeRedis({ ...well, rights: { ...rights, lacks, excess: null } }).filter(
      ({ check }) => check === 'rights',
    );
    expect(found.map(({ found }) => found)).toEqual([
      `this user lacks +set, +pexpireat: ${costOf('write', {})}`,
      `this user lacks +subscribe: ${costOf('push', {})}`,
    ]);
  });
});

describe('the keyring', () => {
  it.each([
    ['is not there', { key: null, ring: 'none', plan: 'bootstrap', status: null }, ['keyring: note']],
    ['is another program’s', { ring: 'unreadable', status: null }, ['keyring: problem']],
    ['is of a newer rewt', { ring: 'newer', status: null }, ['keyring: problem']],
    ['was braked', { plan: 'brake' }, ['keyring: warning']],
    [
      'is of an original rewt',
      { ring: 'none', plan: 'adopt', status: null },
      ['keyring: note', 'kid-less tokens: warning'],
    ],
    [
      'lost its sealed ring',
      { ring: 'none', plan: 'adopt', status: null, sealed: null, key: { hasTtl: true, marks: true, shape: null } },
      ['keyring: warning'],
    ],
    ['was rotated by one', { plan: 'foreign rotation' }, ['keyring: note', 'kid-less tokens: warning']],
    ['is due', { plan: 'rotation' }, ['keyring: note']],
    ['has no TTL', { key: { hasTtl: false, shape: 'good' } }, ['ttl: warning']],
    ['has a UUID', { key: { hasTtl: true, shape: 'uuid' } }, ['secret: note']],
    ['has a word', { key: { hasTtl: true, shape: 'weak' } }, ['secret: warning']],
    ['has less', { key: { hasTtl: true, shape: 'unusable' } }, ['secret: problem']],
    [
      'verifies tokens without kid',
      { withoutKid: { current: false, untilMs: nowMs + 1 } },
      ['kid-less tokens: warning'],
    ],
  ] as const)('%s', (_, over, found) => {
    expect(onKeyring(over as Partial<KeyringFacts>)).toEqual(found);
  });

  it('that cannot be read is a problem in its own words', () => {
    const failed = { code: 'ERR_REWT_STORE_WRONG_TYPE', message: 'Not a string.' };
    expect(judgeRedis({ ...well, keyring: failed }).at(-1)).toMatchObject({
      level: 'problem',
      found: expect.stringContaining('Not a string.'),
    });
  });

  it('with a member that is behind is a warning, and without one is well', () => {
    const said = (next: string) => ({
      nowMs,
      count: 1,
      kept: [
        {
          id: 'a',
          atMs: nowMs,
          text: JSON.stringify({ name: 'a', lineage: 'lineage', epoch: 0, generation: 2, next }),
        },
      ],
    });
    expect(troubles({ announcements: said('next-kid') })).toEqual([]);
    expect(troubles({ announcements: said('older') })).toEqual(['members: warning']);
  });

  const ours = 'x3Vq0yQyZ9mJ1c7bKQw2nT5dLr8aHfUe4sGpYzWiXoA';
  const ring = (secret: string, over: object = {}) =>
    JSON.stringify({
      v: 1,
      id: 'lineage',
      epoch: 0,
      gen: 1,
      op: 'op',
      ttl: 3_600_000,
      overlap: 365_000,
      current: { secret, expiresAt: nowMs + 3_000_000 },
      next: { secret: `${ours}1`, since: nowMs },
      retired: [],
      ...over,
    });
  const uuid = '0b6c1f5e-8a0d-4c1e-9d0a-5a3c2b1d0e9f';
  const seen = (value: string | null, text: string | null, expiresAtMs: number | null = nowMs + 3_000_000) =>
    keyringFactsOf({ nowMs, key: value === null ? null : { value, expiresAtMs }, ring: text });

  it.each([
    ['nothing', seen(null, null), { key: null, ring: 'none', plan: 'bootstrap' }],
    ['a steady one', seen(ours, ring(ours)), { plan: null, withoutKid: null, key: { hasTtl: true, shape: 'good' } }],
    ['one without TTL', seen(ours, ring(ours), null), { plan: 'reschedule', key: { hasTtl: false, shape: 'good' } }],
    ['an original one', seen(uuid, null), { plan: 'adopt', key: { hasTtl: true, shape: 'uuid' } }],
    [
      'an adopted one',
      seen(uuid, ring(uuid)),
      { plan: null, withoutKid: { current: true, untilMs: nowMs + 3_365_000 } },
    ],
    [
      'one with a retired UUID',
      seen(ours, ring(ours, { retired: [{ secret: uuid, until: nowMs + 5 }] })),
      { withoutKid: { current: false, untilMs: nowMs + 5 } },
    ],
    ['a pulled one', seen(null, ring(ours)), { plan: 'brake', key: null }],
    ['a replaced one', seen(`${ours}2`, ring(ours)), { plan: 'brake' }],
    ['junk', seen(ours, 'junk'), { ring: 'unreadable', plan: null, status: null }],
    ['a newer one', seen(ours, '{"v":2}'), { ring: 'newer', plan: null }],
  ])('facts of %s have what the judgement needs, and no secret', (_, facts, expected) => {
    expect(facts).toMatchObject(expected);
    // Facts are what could be printed.
    expect(JSON.stringify(facts)).not.toMatch(/x3Vq0yQ|0b6c1f5e/);
  });

  it.each([
    [ours, 'good'],
    [uuid, 'uuid'],
    ['a'.repeat(40), 'weak'],
    ['0123456789abcdef0123456789abcdef', 'weak'],
    ['ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210', 'weak'],
    ['k3Jx9Qz_k3Jx9Qz_k3Jx9Qz_k3Jx9Qz_', 'weak'],
    ['correct horse battery staple correct', 'words'],
    ['CorrectHorseBatteryStapleForProduction2026!', 'words'],
    [`${ours}\n`, 'edges'],
    [`"${ours}"`, 'edges'],
    [`\ufeff${ours}`, 'edges'],
    ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'good'],
    ['short', 'unusable'],
    [null, 'unusable'],
  ])('a secret like %j is %s', (secret, shape) => {
    expect(shapeOf(secret)).toBe(shape);
  });
});

describe('a folder', () => {
  const folder: FolderFacts = {
    exists: true,
    open: [],
    shut: [],
    misplaced: [],
    owner: { name: 'ann', is: 'user' },
    foreign: [],
    mayNotLink: false,
    readOnly: false,
    network: null,
    freeBytes: 1e9,
    freeFiles: 1e6,
    keyring,
    announcements: { nowMs, count: 0, kept: [] },
  };
  it.each([
    ['is well', {}, ['permissions: ok']],
    ['is not there', { exists: false, owner: null, freeBytes: null, keyring: null }, ['folder: note']],
    ['is refused', { exists: false, keyring: { code: 'ERR_REWT_STORE_DOWN', message: 'data.mdb' } }, []],
    ['is open to others', { open: [{ what: 'a record', mode: 0o644 }] }, ['permissions: problem']],
    ['is another user’s', { owner: { name: 'bob', is: 'other' } }, ['permissions: ok', 'owner: problem']],
    ['is not root’s', { owner: { name: 'bob', is: 'other, for root' } }, ['permissions: ok', 'owner: note']],
    [
      'root may not link in',
      { owner: { name: 'bob', is: 'other, for root' }, mayNotLink: true },
      ['permissions: ok', 'owner: warning'],
    ],
    ['has a record of another user', { foreign: ['a record'] }, ['permissions: problem']],
    ['is shut', { shut: [{ what: 'the folder', mode: 0o500 }] }, ['permissions: problem']],
    ['has a link in it', { misplaced: ['its folder tmp'] }, ['permissions: problem']],
    ['is read-only', { readOnly: true }, ['permissions: ok', 'file system: problem']],
    ['is far away', { network: 'NFS' }, ['permissions: ok', 'file system: problem']],
    ['is full', { freeBytes: 10 }, ['permissions: ok', 'room: problem']],
    ['takes no more files', { freeFiles: 3 }, ['permissions: ok', 'room: problem']],
  ] as const)('that %s is judged for it', (_, over, found) => {
    const findings = judgeFolder({ ...folder, ...(over as Partial<FolderFacts>) });
    expect(findings.map(({ check, level }) => `${check}: ${level}`)).toEqual(found);
  });

  it.each([
    ['the folder', 0o755, 'they see when secrets change', 'chmod 700'],
    ["the namespace's folder", 0o770, 'a user who writes there chooses the secret', 'chmod 700, then rewt revoke'],
    ['a record', 0o640, 'a user who reads it can sign', 'chmod 600, then rewt revoke'],
    ['a record', 0o622, 'a user who writes there chooses the secret', 'chmod 600, then rewt revoke'],
  ] as const)('of which %s has another mode says what that costs', (what, mode, found, remedy) => {
    const [finding] = judgeFolder({ ...folder, open: [{ what, mode }] });
    expect(finding).toMatchObject({ found: expect.stringContaining(found), remedy });
  });
});

it.each([40, 100])('on a screen of %i columns no line is longer', (columns) => {
  const screen: Screen = { columns, rows: 24, unicode: true, paint: (_, words) => words };
  const found = judgeRedis({ ...well, server: serverFactsOf(null, null), skew: { ms: 9e9, uncertainMs: 1 } });
  for (const line of formatFindings('redis cluster '.repeat(9), found, screen).split('\n'))
    expect(line.length).toBeLessThanOrEqual(columns);
});
