/**
 * `rewt doctor` on real servers with bad settings: it finds them, changes nothing, and shows
 * nothing.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { Rewt } from '../../../src/index.js';
import { redisNames } from '../../../src/stores/redis/names.js';
import { aclRules } from '../../../src/stores/redis/rights.js';
import { unshared } from '../../processes/namespaces.js';
import { createCopy, isRoot, STRANGER } from '../../processes/users.js';
import { startProxy } from '../../support/proxy.js';
import { onDisk, type RedisServer, startRedis } from '../../support/servers.js';
import { rewt } from '../command.js';
import { freshState, main, rewtProcess } from '../process.js';

const secret = 'x3Vq0yQyZ9mJ1c7bKQw2nT5dLr8aHfUe4sGpYzWiXoA';
const uuid = '0b6c1f5e-8a0d-4c1e-9d0a-5a3c2b1d0e9f';

async function examine(url: string, ...more: string[]) {
  const { code, stdout, stderr } = await rewt(['doctor', '--url', url, '--json', ...more]);
  expect(stdout + stderr).not.toMatch(/hunter2|x3Vq0yQ|0b6c1f5e|\n {4}at /);
  const { findings, ...counts } = JSON.parse(stdout) as { findings: Finding[]; problems: number; warnings: number };
  return { code, ...counts, findings, of: (check: string) => findings.filter((one) => one.check === check) };
}

describe('on Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(onDisk);
  });
  afterAll(() => server?.stop());
  beforeEach(() => server.cli('FLUSHALL'));

  /** The rights that docs/clients.md gives to a member. */
  const documented = ['-@all', ...aclRules('member', redisNames('rewt')).flat()];
  async function urlOf(...rights: string[]): Promise<string> {
    await server.cli('ACL', 'SETUSER', 'ann', 'reset', 'on', '>hunter2', 'resetchannels', ...rights);
    return server.url.replace('//', '//ann:hunter2@');
  }

  it('with the documented rights, persistence and a keyring nothing is wrong', async () => {
    const url = await urlOf(...documented);
    const member = new Rewt({ redisConn: url, memberName: 'orders-1' });
    await member.ready();
    await member.close();
    const { code, problems, warnings, findings } = await examine(url, '--strict');
    expect({ code, problems, warnings }).toEqual({ code: 0, problems: 0, warnings: 0 });
    expect(findings.filter(({ level }) => level !== 'ok').map(({ check }) => check)).toEqual(['replicas']);
  });

  it('it begins no keyring, and changes nothing of one that is there', async () => {
    const changes = async () => /rdb_changes_since_last_save:(\d+)/.exec(await server.cli('INFO', 'persistence'))?.[1];
    const before = await changes();
    expect((await examine(server.url)).of('keyring')).toMatchObject([{ level: 'note' }]);
    expect(await server.cli('KEYS', '*')).toBe('');
    expect(await changes()).toBe(before);

    await server.cli('SET', 'rewt:rewt-secret', secret);
    await server.cli('SET', '{rewt:rewt-secret}:ring', 'junk');
    const between = await changes();
    const { code, of } = await examine(server.url);
    expect(code).toBe(1);
    expect(of('keyring')).toMatchObject([{ level: 'problem', remedy: expect.stringContaining('rewt revoke') }]);
    expect(of('ttl')).toMatchObject([{ level: 'warning' }]);
    const after = await changes();
    expect(after).toBe(between);
    expect(await server.cli('GET', 'rewt:rewt-secret')).toBe(secret);
  });

  it('a UUID without a TTL is an original rewt at work', async () => {
    await server.cli('SET', 'rewt:rewt-secret', uuid);
    const { code, of } = await examine(server.url);
    expect(code).toBe(0);
    expect(of('secret')).toMatchObject([{ level: 'note' }]);
    expect(of('ttl')).toMatchObject([{ level: 'warning' }]);
    expect(of('kid-less tokens')).toMatchObject([{ level: 'warning' }]);
    expect((await examine(server.url, '--strict')).code).toBe(1);
  });

  it('a user without the right to write, or to subscribe, is found out', async () => {
    const url = await urlOf(...documented, '-set', '-subscribe');
    const { code, of } = await examine(url);
    expect(code).toBe(1);
    expect(of('writes')).toMatchObject([{ level: 'problem' }]);
    expect(of('push')).toMatchObject([{ level: 'warning' }]);
    expect(of('rights')).toMatchObject([
      { level: 'problem', found: expect.stringContaining('+set:') },
      { level: 'note', found: expect.stringContaining('+subscribe') },
    ]);
  });

  it('a user who is told nothing is a list of notes, and what cannot be read is a problem', async () => {
    const { code, of } = await examine(await urlOf('-@all', '+ping', '~*'));
    expect(code).toBe(1);
    for (const check of ['version', 'eviction', 'persistence', 'replicas', 'clock']) {
      expect(of(check)).toMatchObject([{ level: 'note', found: expect.stringContaining('unknown') }]);
    }
    expect(of('keyring')).toMatchObject([{ level: 'problem' }]);
  });

  it('a wrong password is a problem that is not repeated', async () => {
    const { code, findings } = await examine((await urlOf(...documented)).replace('hunter2', 'hunter22'));
    expect({ code, findings }).toMatchObject({ code: 1, findings: [{ check: 'reachable', level: 'problem' }] });
  });

  it('on a terminal or not, each finding is a line with its remedy below', async () => {
    const { code, stdout, stderr } = await rewtProcess(['doctor', '--url', server.url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^redis 127.*, database 0, namespace "rewt"\nok {7}reachable {4}it answers\n/);
    expect(stdout).toMatch(/\nnote {5}rights .*may do more than rewt needs.*\n +-> a separate user/);
    expect(stdout).toMatch(/\n\nNothing is wrong\.\n$/);
    expect(stderr).toBe('');
  });
});

it('a Redis that evicts, keeps nothing, and is full says so', async () => {
  const server = await startRedis(['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru']);
  try {
    const { code, of } = await examine(server.url);
    expect(code).toBe(1);
    expect(of('eviction')).toMatchObject([{ level: 'problem' }]);
    expect(of('persistence')).toMatchObject([{ level: 'warning' }]);
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    const full = await examine(server.url);
    expect(full.of('writes')).toMatchObject([{ level: 'problem', found: expect.stringContaining('maxmemory') }]);
    expect(full.of('memory')).toMatchObject([{ level: 'warning' }]);
  } finally {
    await server.stop();
  }
});

it('a replica is refused as what it is', async () => {
  const server = await startRedis();
  try {
    await server.cli('REPLICAOF', '127.0.0.1', '1');
    const { code, of } = await examine(server.url);
    expect(code).toBe(1);
    expect(of('role')).toMatchObject([{ level: 'problem' }]);
    expect(of('writes')).toMatchObject([{ level: 'problem' }]);
  } finally {
    await server.stop();
  }
});

it('a network that swallows everything is a problem within some seconds', async () => {
  const server = await startRedis();
  const proxy = await startProxy(server.port);
  try {
    await proxy.blackHole();
    const beganMs = performance.now();
    const { code, findings } = await examine(`redis://127.0.0.1:${proxy.port}`);
    expect({ code, findings }).toMatchObject({ code: 1, findings: [{ check: 'reachable' }] });
    // Which server, and what to do.
    expect(findings[0]?.found).toMatch(new RegExp(`127\\.0\\.0\\.1:${proxy.port}.*TLS`));
    expect(performance.now() - beganMs).toBeLessThan(15_000);
  } finally {
    await proxy.stop();
    await server.stop();
  }
});

it('a server that answers PING and nothing else is a problem within some seconds', async () => {
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const [, name = ''] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        if (/^ping$/i.test(name)) socket.write('+PONG\r\n');
        else if (/^(client|hello|select|auth)$/i.test(name)) socket.write('+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const beganMs = performance.now();
    const { port } = silent.address() as AddressInfo;
    const { code, findings } = await examine(`redis://127.0.0.1:${port}`);
    expect({ code, findings }).toMatchObject({ code: 1, findings: [{ check: 'reachable', level: 'problem' }] });
    expect(findings[0]?.found).toContain(`127.0.0.1:${port}`);
    expect(performance.now() - beganMs).toBeLessThan(15_000);
  } finally {
    silent.close();
  }
});

describe('on the embedded store', () => {
  let state: ReturnType<typeof freshState>;
  beforeEach(() => {
    state = freshState();
  });
  afterEach(() => state.remove());

  it('it makes no folder, and says when others may read one', async () => {
    const none = await rewt(['doctor'], { env: state.env });
    expect(none).toMatchObject({ code: 0, stdout: expect.stringContaining('no store in it yet') });
    await rewt(['sign', '{}'], { env: state.env });
    expect(await rewt(['doctor'], { env: state.env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\nNothing is wrong\.\n$/),
    });
    chmodSync(state.folder, 0o755);
    const open = await rewt(['doctor'], { env: state.env });
    expect(open.code).toBe(1);
    expect(open.stdout).toContain('problem  permissions');
    expect(open.stdout).toContain('mode 0755');
  });

  it.runIf(isRoot)('of another user it says whose it is, although it cannot look inside', async () => {
    await rewt(['sign', '{}'], { env: state.env });
    chmodSync(state.env.XDG_STATE_HOME, 0o755);
    const copy = createCopy();
    try {
      const { command, user } = copy.for(STRANGER);
      const { code, stdout } = await rewtProcess(['doctor', '--json'], { env: state.env, file: command, user });
      expect({ code, findings: JSON.parse(stdout).findings }).toMatchObject({
        code: 1,
        findings: [
          { check: 'owner', level: 'problem' },
          { check: 'keyring', level: 'problem' },
        ],
      });
    } finally {
      copy.remove();
    }
  });

  it.runIf(process.platform === 'linux')('on a disk that is read-only it reports that no member can write', () => {
    const mount = state.env.XDG_STATE_HOME;
    const steps = ['mount -t tmpfs none "$0"', '"$@" sign {} >/dev/null', 'mount -o remount,ro "$0"', '"$@" doctor'];
    const [file = '', ...words] = unshared('-m');
    const script = [...words, 'sh', '-c', steps.join(' && '), mount, process.execPath, main];
    const { status, stdout } = spawnSync(file, script, {
      env: { ...process.env, ...state.env, REWT_URL: '' },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: expect.stringMatching(/^problem {2}file system.*read-only/m),
    });
  });
});
