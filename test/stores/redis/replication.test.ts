/**
 * What `INFO replication` says of a server: whether it is the master, and whether it may have been
 * replaced.
 */

import { expect, it } from 'vitest';
import { mayBeDeposed, parseReplication } from '../../../src/stores/redis/replication.js';

const info = (...lines: string[]): string => ['# Replication', ...lines, ''].join('\r\n');
const alone = info('role:master', 'connected_slaves:0', 'master_failover_state:no-failover');

it.each<[string, string, ReturnType<typeof parseReplication>]>([
  ['a master without replicas', alone, { role: 'master', replicas: 0, goodReplicas: null }],
  [
    'a master that needs replicas and has them',
    info('role:master', 'connected_slaves:2', 'min_slaves_good_slaves:1', 'slave0:ip=::1,port=1,lag=0'),
    { role: 'master', replicas: 2, goodReplicas: 1 },
  ],
  [
    'a master that has taken over from another',
    info('role:master', 'connected_slaves:0', `master_replid2:${'0'.repeat(39)}a`),
    { role: 'master', replicas: 0, goodReplicas: null, hasTakenOver: true },
  ],
  [
    'a master that never followed another',
    info('role:master', 'connected_slaves:0', `master_replid2:${'0'.repeat(40)}`),
    { role: 'master', replicas: 0, goodReplicas: null },
  ],
  [
    'a replica',
    info('role:slave', 'master_host:h', 'connected_slaves:0'),
    { role: 'replica', replicas: 0, goodReplicas: null },
  ],
  [
    'the whole of INFO',
    `# Server\r\nredis_version:7.0.15\r\n\r\n${alone}`,
    { role: 'master', replicas: 0, goodReplicas: null },
  ],
])('INFO replication of %s is read', (_, text, expected) => {
  expect(parseReplication(text)).toEqual(expected);
});

it('what is no answer to INFO replication says nothing of the role', () => {
  expect(parseReplication(new Error('NOPERM'))).toBeNull();
  expect(parseReplication(null)).toBeNull();
  expect(parseReplication('# Server\r\nredis_version:7.0.15\r\n')).toBeNull();
});

it('only a master that needs replicas and has none in step may have been replaced', () => {
  expect(mayBeDeposed({ role: 'master', replicas: 1, goodReplicas: 0 })).toBe(true);
  expect(mayBeDeposed({ role: 'master', replicas: 1, goodReplicas: 1 })).toBe(false);
  expect(mayBeDeposed({ role: 'master', replicas: 0, goodReplicas: null })).toBe(false);
  expect(mayBeDeposed({ role: 'replica', replicas: 0, goodReplicas: null })).toBe(false);
});
