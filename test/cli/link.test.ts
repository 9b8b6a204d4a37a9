/**
 * The ways to Redis that a command line describes: as a table, and each for real with the client
 * that is installed. A process of each kind shows that it ends; the rest runs in this process.
 */

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LinkArguments, linkOf } from '../../src/cli/input/link.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import { startProxy } from '../support/proxy.js';
import { type SentinelSetup, startSentinel } from '../support/sentinel.js';
import { freePort, type RedisServer, serverGroup, startRedis, until } from '../support/servers.js';
import { type Certificates, makeCertificates } from '../support/tls.js';
import { rewt } from './command.js';
import { dist, rewtProcess } from './process.js';
import { startServing } from './serving.js';

const privateKey = join(mkdtempSync(join(tmpdir(), 'rewt-key-')), 'a.key');
writeFileSync(privateKey, '-----BEGIN PRIVATE KEY-----\n');
afterAll(() => rmSync(dirname(privateKey), { recursive: true }));

const one = { host: 'a', port: 6_379 };
it.each([
  ['redis://a', {}, { kind: 'server', isPlain: true, hosts: [one], database: 0, tls: null, username: null }],
  [
    'rediss://ann:p%40ss@a:1/2',
    {},
    { tls: {}, username: 'ann', password: 'p@ss', hosts: [{ host: 'a', port: 1 }], database: 2 },
  ],
  ['redis://:only@[::1]:7/', {}, { username: null, password: 'only', hosts: [{ host: '::1', port: 7 }] }],
  ['redis://a', { user: 'bob' }, { username: 'bob', isPlain: false }],
  ['redis://a,b:7', { cluster: true }, { kind: 'cluster', hosts: [one, { host: 'b', port: 7 }] }],
  ['redis+cluster://a', {}, { kind: 'cluster', isPlain: false }],
  ['redis://a', { sentinel: 'main' }, { kind: 'sentinel', master: 'main', hosts: [{ host: 'a', port: 26_379 }] }],
  ['rediss+sentinel://a:1,b:2/main/3', {}, { kind: 'sentinel', master: 'main', database: 3, tls: {} }],
] as const)('%s with the flags %j names the server that it should', (url, flags, expected) => {
  expect(linkOf(url, flags, {})).toMatchObject(expected);
});

it.each([
  // A flag, then the URL, then the variable.
  ['redis://a', {}, { REWT_USER: 'eve', REWT_PASSWORD: 'var' }, { username: 'eve', password: 'var', isPlain: false }],
  ['redis://ann:url@a', {}, { REWT_USER: 'eve', REWT_PASSWORD: 'var' }, { username: 'ann', password: 'url' }],
  ['redis://ann@a', {}, { REWT_PASSWORD: 'var' }, { username: 'ann', password: 'var', isPlain: false }],
  ['redis://:url@a', { user: 'bob' }, { REWT_PASSWORD: 'var' }, { username: 'bob', password: 'url' }],
  ['redis://ann:url@a', { user: 'bob' }, { REWT_PASSWORD: 'var' }, { username: 'bob', password: 'var' }],
  ['redis://ann:url@a', { user: 'bob' }, {}, { username: 'bob', password: null }],
  ['redis://ann:url@a', {}, { REWT_PASSWORD: 'var' }, { password: 'url', isPlain: true }],
  ['redis://a', {}, { REWT_CA: '/no/such', REWT_USER: '', REWT_PASSWORD: '' }, { tls: null, isPlain: true }],
] as const)('%s with %j and the variables %j', (url, flags, env, expected) => {
  expect(linkOf(url, flags, env)).toMatchObject(expected);
});

it('a file that a variable names is refused by the name of the variable', () => {
  expect(() => linkOf('rediss://a', {}, { REWT_CA: '/no/such' })).toThrow(/^REWT_CA: /);
  expect(() => linkOf('rediss://a', {}, { REWT_KEY: privateKey })).toThrow(/^REWT_KEY: /);
});

it.each([
  ['redis+other://hunter2@a', {}, 'url'],
  ['redis://hunter2@a:b', {}, 'url'],
  ['redis://hunter2@a/x', {}, 'url'],
  ['redis://hunter2@a?x', {}, 'url'],
  ['redis://hunter2@a,b', { user: 'ann' }, 'url'],
  ['redis+cluster://hunter2@a/1', {}, 'url'],
  ['redis+sentinel://hunter2@a', {}, 'sentinel'],
  ['redis+cluster://hunter2@a', { sentinel: 'main' }, 'cluster'],
  ['redis://hunter2@a', { ca: '/etc/hostname' }, 'ca'],
  ['rediss://hunter2@a', { ca: '/etc/hostname' }, 'ca'],
  ['rediss://hunter2@a', { cert: '/etc/hostname' }, 'cert'],
  ['rediss://hunter2@a', { ca: privateKey }, 'ca'],
  ['redis://hun%ter2@a', {}, 'url'],
] as const)('%s with %j is refused, and not repeated', (url, flags: LinkArguments, option) => {
  expect(() => linkOf(url, flags, {})).toThrow(
    expect.objectContaining({ option, message: expect.not.stringMatching(/hun/) }),
  );
});

/** The one client that the verbs find in this process if a URL is not all that they are given. */
const installedHere = vi.hoisted(() => ({ client: '' }));
vi.mock(import('../../src/stores/redis/clients/from-url.js'), async (original) => {
  const { createRequire } = await import('node:module');
  const load = createRequire(import.meta.url);
  return {
    ...(await original()),
    loadBesideApplication: (name: string) => (name === installedHere.client ? load(name) : null),
  };
});

/**
 * Milliseconds that the verbs wait for an answer in this process. The default is longer than
 * theirs: on a busy machine, what answers would be late otherwise.
 */
const patience = await vi.hoisted(async () => new (await import('node:async_hooks')).AsyncLocalStorage<number>());
vi.mock(import('../../src/cli/time-limit.js'), async (original) => {
  const { TimeLimit, ...others } = await original();
  class Patient extends TimeLimit {
    override leftMs(usualMs = patience.getStore() ?? 20_000): number {
      return super.leftMs(usualMs);
    }
  }
  return { ...others, TimeLimit: Patient };
});

/** A copy of the command beside which one client alone is installed. */
function installedWith(client: string): { file: string; cwd: string; remove(): void } {
  const cwd = mkdtempSync(join(tmpdir(), 'rewt-with-'));
  cpSync(dist, join(cwd, 'dist'), { recursive: true });
  cpSync(join(dist, '../package.json'), join(cwd, 'package.json'));
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(join(dist, '../node_modules', client), join(cwd, 'node_modules', client));
  const remove = () => rmSync(cwd, { recursive: true, force: true });
  return { file: join(cwd, 'dist/cjs/cli/main.cjs'), cwd, remove };
}

let cluster: Cluster;
let sentinels: SentinelSetup;
let secure: RedisServer;
let tlsPort: number;
let certificates: Certificates;
let files: readonly string[];

beforeAll(async () => {
  certificates = makeCertificates();
  const { caFile, client } = certificates;
  files = ['--ca', caFile, '--cert', client.certFile, '--key', client.keyFile];
  tlsPort = await freePort();
  [cluster, sentinels, secure] = await Promise.all([
    startCluster(),
    startSentinel({ replicas: 1 }),
    startRedis(certificates.settings(tlsPort, 'certified')),
  ]);
  await secure.cli('ACL', 'SETUSER', 'ann', 'on', '>hunter2', '~*', '&*', '+@all');
});
afterAll(async () => {
  await Promise.all([cluster?.stop(), sentinels?.stop(), secure?.stop()]);
  certificates?.remove();
});

describe.each(['redis', 'ioredis'])('with %s as the installed client', (client) => {
  let installed: ReturnType<typeof installedWith>;
  const program = process.argv[1] ?? '';
  beforeAll(() => {
    installed = installedWith(client);
    installedHere.client = client;
    // A URL alone is connected by the client that is beside the program.
    process.argv[1] = installed.file;
  });
  afterAll(() => {
    process.argv[1] = program;
    installed?.remove();
  });

  /** Signs, looks, rotates, and lists. */
  async function walk(place: readonly string[], env: Record<string, string>, namespace: string): Promise<void> {
    const at = [...place, '--namespace', namespace];
    const run = (...words: string[]) => rewt([...words, ...(words[0] === 'list' ? place : at)], { env });
    const signed = await rewtProcess(['sign', '{"user":"ann"}', ...at], { ...installed, env });
    const quiet = { code: 0, stderr: expect.stringMatching(/^In redis [^\n]+:\n$/) };
    expect(signed).toMatchObject(quiet);
    expect(await run('verify', signed.stdout.trim())).toMatchObject(quiet);
    const rotated = await run('rotate', '--force', '--json');
    const { before, kid } = JSON.parse(rotated.stdout);
    expect(JSON.parse((await run('status', '--json')).stdout).keyring).toMatchObject({
      signing: kid,
      retired: [{ kid: before }],
    });
    const { keyrings } = JSON.parse((await run('list', '--json')).stdout);
    expect(keyrings.map((one: { namespace: string }) => one.namespace)).toContain(namespace);
    const { findings } = JSON.parse((await run('doctor', '--json')).stdout);
    const of = (name: string) => findings.find(({ check }: { check: string }) => check === name);
    expect(of('reachable')).toMatchObject({ level: 'ok' });
    // Its servers keep nothing, which each client's answer to CONFIG GET shows.
    expect(of('persistence')).toMatchObject({ level: 'warning', found: expect.stringMatching(/^none/) });
  }

  it('it works on a cluster, and lists the keyrings of every master', async () => {
    const url = `redis://127.0.0.1:${cluster.nodes[0]?.port}`;
    await walk(['--cluster'], { REWT_URL: url }, `shop-${client}`);
    // In a slot of each master.
    for (const [index, namespace] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
      const node = cluster.nodes[index % 3];
      const env = { REWT_URL: `redis+cluster://127.0.0.1:${node?.port}` };
      await rewt(['sign', '{}', '--namespace', `${namespace}-${client}`], { env });
    }
    const listed = await rewt(['list', '--cluster', '--url', url]);
    for (const namespace of ['a', 'b', 'c', 'd', 'e', 'f'])
      expect(listed.stdout).toMatch(new RegExp(`^${namespace}-${client} `, 'm'));
    const ofOne = await rewtProcess(['list', '--url', url], installed);
    expect(ofOne).toMatchObject({ code: 3, stderr: expect.stringMatching(/one node of a cluster.*\(--cluster\)/) });
  });

  it('it works through sentinels, one of which is away', async () => {
    const away = { host: '127.0.0.1', port: await freePort() };
    const hosts = [away, ...sentinels.addresses].map(({ host, port }) => `${host}:${port}`).join(',');
    await walk([], { REWT_URL: `redis+sentinel://${hosts}/${sentinels.name}` }, `shop-${client}`);
  });

  it('it works although the first host hangs, of a cluster or of sentinels', async () => {
    const namespace = `hangs-${client}`;
    const [first, ...others] = sentinels.sentinels;
    const owner = await cluster.ownerOf(`${namespace}:rewt-secret`);
    const node = cluster.nodes.find((one) => one !== owner);
    for (const one of cluster.nodes) await one.cli('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    const listed = (hosts: readonly (RedisServer | undefined)[]) => hosts.map((one) => `127.0.0.1:${one?.port}`).join();
    // redis begins with any of the hosts of a cluster.
    const urls = [
      `redis+cluster://${listed([...Array.from({ length: 8 }, () => node), owner])}`,
      `redis+sentinel://${listed([first, ...others])}/${sentinels.name}`,
    ];
    const place = (url: string) => ['--url', url, '--namespace', namespace];
    await Promise.all(urls.map((url) => rewt(['sign', '{}', ...place(url)])));
    const hanging = [node, first].map((one) => one?.pid ?? 0);
    for (const pid of hanging) process.kill(pid, 'SIGSTOP');
    try {
      const revoke = (url: string) => ['revoke', '--yes', '--timeout', '20s', ...place(url)];
      const revoked = await Promise.all(urls.map((url) => rewtProcess(revoke(url), installed)));
      expect(revoked).toMatchObject(urls.map(() => ({ code: 0 })));
    } finally {
      for (const pid of hanging) process.kill(pid, 'SIGCONT');
    }
  });

  it('it works with a private CA, a client certificate and a user', async () => {
    const { caFile, client: own } = certificates;
    const env = { REWT_URL: `rediss://localhost:${tlsPort}`, REWT_PASSWORD: 'hunter2' };
    const variables = { REWT_CA: caFile, REWT_CERT: own.certFile, REWT_KEY: own.keyFile, REWT_USER: 'ann' };
    await walk([], { ...env, ...variables }, `shop-${client}`);
    const wrong = { env: { ...env, REWT_PASSWORD: 'no' } };
    const { code, stderr } = await rewt(['status', '--user', 'ann', ...files], wrong);
    expect(code).toBe(3);
    expect(stderr).toMatch(/localhost:\d+.*password/);
  });

  it('serve judges tokens of a cluster, in the namespace of REWT_NAMESPACE', async () => {
    const env = { REWT_URL: `redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}`, REWT_NAMESPACE: `serve-${client}` };
    const token = (await rewt(['sign', '{}'], { env })).stdout.trim();
    const serving = await startServing([], { ...installed, env });
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await fetch(`http://127.0.0.1:${serving.port}/verify`, { headers });
    expect({ status, code: (await serving.end()).code }).toEqual({ status: 204, code: 0 });
  });

  it('serve finds the master by a sentinel that was slow when it began', async () => {
    const group = serverGroup();
    const master = await group.start([]);
    // So that neither sentinel knows of the other, as if it announced an address that this host
    // cannot reach.
    await master.cli('ACL', 'SETUSER', 'default', '-publish');
    const monitor = `sentinel monitor main 127.0.0.1 ${master.port} 1`;
    const [first, second] = await Promise.all([1, 2].map(() => group.start(['--sentinel'], monitor)));
    const slow = await startProxy(second?.port ?? 0);
    await slow.delayReplies(500);
    const env = { REWT_URL: `redis+sentinel://127.0.0.1:${slow.port},127.0.0.1:${first?.port}/main` };
    const serving = await startServing(['--max-staleness', '0'], { ...installed, env });
    try {
      await slow.pass();
      await first?.kill();
      await master.cli('CLIENT', 'KILL', 'TYPE', 'normal');
      const token = (await rewt(['sign', '{}', '--url', master.url])).stdout.trim();
      const headers = { authorization: `Bearer ${token}` };
      const judge = () => fetch(`http://127.0.0.1:${serving.port}/verify`, { headers });
      await until('the token is accepted', async () => (await judge()).status === 204);
    } finally {
      await serving.end();
      await slow.stop();
      await group.stop();
    }
  });

  // These two at the same time: each waits for one that never answers.
  it.concurrent('a server of another kind than the command line says is named as that, with what to do', async () => {
    const [sentinel] = sentinels.addresses;
    const [plain, at] = [`127.0.0.1:${secure.port}`, `127.0.0.1:${sentinel?.port}`];
    const { name } = sentinels;
    const refused = new RegExp(`${name} of sentinel .*: Redis refused the user name or password: correct --user`);
    const master = await sentinels.master();
    await master.cli('ACL', 'SETUSER', 'ann', 'reset', 'on', '>hunter2', '~*', '&*', '+@all');
    const tls = `rediss://localhost:${tlsPort}`;
    const cases: readonly (readonly [words: readonly string[], RegExp])[] = [
      [[`redis+sentinel://${at}/other`], /no master of this name: correct --sentinel/],
      [[`redis+sentinel://${plain}/main`], /is no sentinel/],
      [[`redis+sentinel://ann:no@${at}/${name}`], refused],
      [[`redis+sentinel://ann:no@${at},${at}/${name}`], refused],
      [[`redis://${at}`], /it may be a sentinel/],
      [[`redis+cluster://${plain}`], /is no cluster/],
      [[tls, ...files.slice(0, -1), certificates.otherKeyFile], /--cert and --key that belong together/],
      [[tls], /not trusted: .*--ca/],
      [[`rediss+cluster://localhost:${tlsPort}`], /not trusted: .*--ca/],
      [[`rediss+cluster://localhost:${tlsPort},127.0.0.1:${tlsPort}`], /not trusted: .*--ca/],
      [[`rediss://${plain}`], /did not answer in time: .*speaks TLS/],
      [[`redis+cluster://127.0.0.1:${tlsPort}`], /speak TLS where the client does not/],
    ];
    const named = async ([[url = '', ...more], words]: (typeof cases)[number]) => {
      const { code, stderr } = await rewt(['status', '--url', url, ...more]);
      expect({ url, code, stderr }).toEqual({ url, code: 3, stderr: expect.stringMatching(words) });
    };
    // A few at a time: on a busy machine any of them could be late otherwise.
    for (let from = 0; from < cases.length; from += 4) await Promise.all(cases.slice(from, from + 4).map(named));
  });

  it.concurrent('what cannot be reached is named with host and port', async () => {
    const [one, two] = (await Promise.all([freePort(), freePort()])).map((port) => `127.0.0.1:${port}`);
    const named = async (url: string) => {
      // Tried again until the time is over.
      const { code, stderr } = await patience.run(5_000, () => rewt(['status', '--url', url]));
      expect({ url, code, stderr }).toEqual({ url, code: 3, stderr: expect.stringMatching(/refused the connection/) });
      expect([one, two].some((host) => stderr.includes(`at ${host} `))).toBe(true);
    };
    const urls = [`redis+cluster://${one}`, `redis+sentinel://${one}/main`, `redis+sentinel://${one},${two}/main`];
    await Promise.all(urls.map(named));
  });

  it('a keyring can be revoked and is listed while another master of its cluster is dead', async () => {
    const namespace = `whole-${client}`;
    const owner = await cluster.ownerOf(`${namespace}:rewt-secret`);
    // The one that a list begins with, or one that it comes to.
    const listed = await cluster.ownerOf('a');
    const dead = listed === owner ? cluster.nodes.find((node) => node !== owner) : listed;
    let lost = 'a';
    while ((await cluster.ownerOf(`${lost}:rewt-secret`)) !== dead) lost += 'a';
    const place = { env: { REWT_URL: `redis+cluster://127.0.0.1:${owner.port}` } };
    for (const node of cluster.nodes) await node.cli('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    await rewt(['sign', '{}', '--namespace', namespace], place);
    await dead?.kill();
    try {
      expect(await rewt(['revoke', '--yes', '--namespace', namespace], place)).toMatchObject({ code: 0 });
      const other = cluster.nodes.find((node) => node !== dead && node !== owner);
      const [list, asJson, typo, doctor, node] = await Promise.all([
        rewt(['list'], place),
        rewt(['list', '--json'], place),
        // In the slot of the other.
        rewt(['revoke', '--yes', '--namespace', `{${namespace}:rewt-secret}-typo`], place),
        rewt(['doctor', '--json', '--namespace', lost], place),
        rewt(['status', '--url', `${other?.url}`, '--namespace', namespace]),
      ]);
      expect(list).toMatchObject({ code: 3, stdout: expect.stringMatching(new RegExp(`^${namespace} `, 'm')) });
      const of = `127.0.0.1:${dead?.port}`;
      expect(list.stderr).toMatch(new RegExp(`at ${of} is not known\\. .*refused the connection`));
      const code = 'ERR_REWT_STORE_DOWN';
      expect(JSON.parse(asJson.stdout)).toMatchObject({
        keyrings: expect.arrayContaining([expect.objectContaining({ namespace })]),
        unknown: [{ of, code, message: expect.any(String) }],
      });
      expect(typo.stderr).toMatch(/There are: .* is not known\. /);
      // Whatever other nodes answer.
      expect(JSON.parse(doctor.stdout)).toMatchObject({
        findings: [{ check: 'reachable', found: expect.stringMatching(/refused the connection/) }],
      });
      expect(node.stderr).toMatch(/one node of a cluster.*--cluster/);
    } finally {
      await dead?.restart();
    }
  });
});
