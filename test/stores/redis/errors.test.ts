import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../src/errors.js';
import { failures } from '../../../src/stores/redis/error-causes.js';
import { asStoreError, isPassing } from '../../../src/stores/redis/errors.js';

const script = (text: string): string => `ERR Error running script (call to f_0): @user_script:4: ${text}`;

/**
 * Every word of the table in which it might stand, as names of hosts, users and keys would have it.
 */
const words = failures.flatMap(({ sign }) => sign.source.replace(/\\[bWw]\+?\*?/g, ' ').match(/\w{3,}/g) ?? []);
const names = [...new Set(words)].flatMap((word) => [word, word.toLowerCase(), word.toUpperCase()]);

describe('a name that has a word of the table in it', () => {
  it.each<[string, (name: string) => Error & { code?: string }, RegExp]>([
    [
      'of a host without address',
      (name) => coded('ENOTFOUND', `getaddrinfo ENOTFOUND ${name}-redis.internal`),
      /cannot be resolved/,
    ],
    ['of a host, alone', (name) => coded('ENOTFOUND', `getaddrinfo ENOTFOUND ${name}`), /cannot be resolved/],
    ['of a host, without a code', (name) => new Error(`getaddrinfo EAI_AGAIN ${name}.internal`), /cannot be resolved/],
    [
      'of a socket',
      (name) => coded('ECONNREFUSED', `connect ECONNREFUSED /run/${name}/redis.sock`),
      /refused the conn/,
    ],
    [
      'in a certificate',
      (name) =>
        coded(
          'ERR_TLS_CERT_ALTNAME_INVALID',
          `Hostname/IP does not match certificate's altnames: Host: ${name}. is not in the cert's ` +
            `altnames: DNS:${name}`,
        ),
      /another host/,
    ],
    [
      'as the common name of a certificate',
      (name) =>
        coded(
          'ERR_TLS_CERT_ALTNAME_INVALID',
          `Hostname/IP does not match certificate's altnames: Host: redis. is not cert's CN: ${name}`,
        ),
      /another host/,
    ],
    [
      'in the path of a socket',
      (name) =>
        Object.assign(coded('ENOENT', `connect ENOENT /run/redis: ${name} /redis.sock`), { syscall: 'connect' }),
      /no Unix socket/,
    ],
    [
      'of a user',
      (name) => new Error(`ERR ACL failure in script: User ${name} has no permissions to do this`),
      /does not let this user do/,
    ],
    [
      'of a key, or in a script',
      (name) =>
        new Error(`ERR unknown command 'EVAL', with args beginning with: 'return ${name} x: ${name} ' '${name}'`),
      /does not know a command/,
    ],
    ['of anything, in an error that is not known', (name) => new Error(`cannot use ${name}`), /does not know/],
  ])('does not change what an error means: %s', (_, errorFor, words) => {
    const others = names.filter((name) => !words.test(asStoreError(errorFor(name)).message));
    expect(others).toEqual([]);
  });
});

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

describe('a failure of Redis or of its client', () => {
  it.each([
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONG_TYPE'],
    [script('WRONGTYPE Operation against a key'), 'WRONG_TYPE'],
    ["NOPERM this user has no permissions to run the 'eval' command", 'DENIED'],
    [script("The user executing the script can't run this command or subcommand"), 'DENIED'],
    ["ERR ACL failure in script: User bob has no permissions to run the 'set' command", 'DENIED'],
    ['NOAUTH Authentication required.', 'DENIED'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'DENIED'],
    ["ERR unknown command 'EVAL', with args beginning with:", 'DENIED'],
    ["READONLY You can't write against a read only replica.", 'READ_ONLY'],
    ['NOREPLICAS Not enough good replicas to write.', 'READ_ONLY'],
    ['MISCONF Redis is configured to save RDB snapshots', 'READ_ONLY'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'FULL'],
    ['LOADING Redis is loading the dataset in memory', 'DOWN'],
    ['MOVED 1234 10.0.0.1:6379', 'DOWN'],
    ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'DOWN'],
    ['Too many Cluster redirections. Last error: ReplyError: NOAUTH Authentication required.', 'DENIED'],
    ['no valid master node', 'DOWN'],
    ['The client is offline', 'DOWN'],
    ['the client is not open yet', 'DOWN'],
    ['The client is closed', 'CLOSED'],
    ['Connection is closed.', 'CLOSED'],
    ['connect ECONNREFUSED 127.0.0.1:1', 'DOWN'],
    ['connect EHOSTUNREACH 10.0.0.1:6379', 'DOWN'],
    ['getaddrinfo EAI_AGAIN redis', 'DOWN'],
    ["GET can't be processed. The connection is not yet established and the offline queue is deactivated.", 'DOWN'],
    ['ERR DB index is out of range', 'DOWN'],
    ['Command timed out', 'TIMEOUT'],
    ['something never seen', 'DOWN'],
  ])('%s is ERR_REWT_STORE_%s', (text, code) => {
    expect(asStoreError(new Error(text)).code).toBe(`ERR_REWT_STORE_${code}`);
  });

  it.each([
    ["NOPERM this user has no permissions to run the 'config|get' command", 'grant \\+config\\|get with ACL SETUSER'],
    [
      "NOPERM User bob has no permissions to run the 'eval' command",
      'grant \\+eval \\+get \\+pttl \\+time \\+set .* with',
    ],
    ["NOPERM this user has no permissions to run the 'eval' command or its subcommand", 'grant \\+eval \\+get '],
    ["ERR ACL failure in script: User bob has no permissions to run the 'pttl' command", 'grant \\+pttl with'],
    ["NOPERM User bob has no permissions to run the 'Canary 1' command", 'EVAL, GET, .* on the keys'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'a key of this namespace'],
    ['NOPERM No permissions to access a key', 'a key of this namespace'],
    [
      script("The user executing the script can't access at least one of the keys mentioned"),
      'a key of this namespace',
    ],
    ['NOPERM No permissions to access a channel', 'grant &__redis__:invalidate'],
    [script("The user executing the script can't run this command or subcommand"), 'EVAL, GET, .* on the keys'],
  ])('%s names the right that is missing', (text, words) => {
    const { code, message } = asStoreError(new Error(text));
    expect(code).toBe('ERR_REWT_STORE_DENIED');
    expect(message).toMatch(new RegExp(words));
    expect(message).not.toMatch(/bob|canary|\{/i);
  });

  it.each([
    ['ERR This instance has cluster support disabled', /is no cluster/],
    ['CLUSTERDOWN Hash slot not served', /not whole/],
    ['Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down', /not whole/],
    ["ERR unknown command 'SENTINEL', with args beginning with: 'sentinels'", /is no sentinel/],
    ['ERR No such master with that name', /no master of this name/],
    ['All sentinels are unreachable. Retrying from scratch after 10ms.', /no master of this name/],
    ['All sentinels are unreachable. Last error: connect ECONNREFUSED 127.0.0.1:1', /refused the connection/],
    ['All sentinels are unreachable. Last error: NOAUTH Authentication required.', /wants a password/],
    // As ioredis says of a web server in the sentinel's place.
    ['All sentinels are unreachable. Last error: Protocol error, got "H" as reply type byte.', /does not know/],
    ['error:05800074:x509 certificate routines::key values mismatch', /belong together/],
    ['error:0480006C:PEM routines::no start line', /cannot be read/],
  ])('%s is a cause that is known', (text, words) => {
    const code = { mismatch: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'start line': 'ERR_OSSL_PEM_NO_START_LINE' };
    const [, given] = Object.entries(code).find(([part]) => text.includes(part)) ?? [];
    expect(asStoreError(Object.assign(new Error(text), { code: given })).message).toMatch(words);
  });

  it('of a node is what the error of a cluster client means', () => {
    const lastNodeError = new Error('ERR This instance has cluster support disabled');
    const all = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError });
    expect(asStoreError(all).message).toMatch(/is no cluster/);
    expect(asStoreError(Object.assign(all, { lastNodeError: new Error('timeout') })).code).toMatch(/TIMEOUT/);
  });

  it('passes nothing of its text on, and its cause is a small frozen object', () => {
    const replied = Object.assign(new Error('WRONGPASS for redis://bob:canary@host'), {
      command: { name: 'auth', args: ['bob', 'canary'] },
    });
    const error = asStoreError(replied);
    expect(error.message).not.toMatch(/canary|bob|host/);
    expect(error.cause).toEqual({ code: 'WRONGPASS', command: 'AUTH' });
    expect(Object.isFrozen(error.cause)).toBe(true);
    expect(inspect(error, { showHidden: true })).not.toMatch(/canary|bob/);
  });

  it.each([
    [
      { code: 'ECONNREFUSED', address: '::1', port: 6379 },
      { code: 'ECONNREFUSED', host: '::1', port: 6379 },
      '[::1]:6379',
    ],
    [{ code: 'ENOTFOUND', hostname: 'redis.example' }, { code: 'ENOTFOUND', host: 'redis.example' }, 'redis.example'],
    [{ code: 'redis://:canary@host', host: 'a b', port: '7', syscall: '' }, { code: 'UNKNOWN' }, 'the error code'],
    [{ name: 'MaxAttemptsError' }, { code: 'MaxAttemptsError' }, 'MaxAttemptsError'],
  ])('of the fields %o tells what is safe', (fields, cause, words) => {
    const error = asStoreError(Object.assign(new Error('canary'), fields));
    expect(error.cause).toEqual(cause);
    expect(error.message).toContain(words);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain('canary');
  });

  it('of all addresses of a name shows the first', () => {
    const refused = (address: string) => Object.assign(new Error('x'), { code: 'ECONNREFUSED', address, port: 1 });
    const both = Object.assign(new AggregateError([refused('::1'), refused('127.0.0.1')]), { code: 'ECONNREFUSED' });
    expect(asStoreError(both).cause).toEqual({ code: 'ECONNREFUSED', host: '::1', port: 1 });
  });

  it('that is not known says so, and never that Redis is away', () => {
    const { message } = asStoreError(Object.assign(new Error('?'), { code: 'EWHATEVER' }), { host: 'h', port: 1 });
    expect(message).toMatch(/at h:1 .*does not know.*EWHATEVER/);
  });

  it('of a full Redis never advises to evict', () => {
    expect(asStoreError(new Error('OOM command not allowed')).message).not.toMatch(/evict/);
  });

  it('tells what to do about one node of a cluster, and about a client that is not connected', () => {
    expect(asStoreError(new Error('MOVED 1234 10.0.0.1:6379')).message).toContain('cluster client');
    expect(asStoreError(new Error('the client is not open yet')).message).toContain('await its connect()');
  });

  it('stays what it is where it is one of rewt', () => {
    const error = new StoreError('ERR_REWT_STORE_CLOSED', 'closed');
    expect(asStoreError(error)).toBe(error);
    expect(isPassing(new StoreError('ERR_REWT_STORE_DOWN', 'LOADING'))).toBe(false);
  });

  it.each(['nothing', null, undefined, 7])('is typed for %j too', (thrown) => {
    expect(asStoreError(thrown).code).toBe('ERR_REWT_STORE_DOWN');
  });

  it.each([
    ['LOADING', true],
    ['TRYAGAIN', true],
    ['BUSY Redis is busy running a script', true],
    ['read ECONNRESET', true],
    ['CLUSTERDOWN Hash slot not served', true],
    ['Too many Cluster redirections', true],
    ['Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down', true],
    ['Too many Cluster redirections. Last error: ReplyError: MOVED 1 10.0.0.1:6379', true],
    ['no valid master node', true],
    ['The client is offline', true],
    ['the client is not open yet', true],
    ['MOVED 1 10.0.0.1:6379', true],
    ["READONLY You can't write against a read only replica.", true],
    ["Stream isn't writeable and enableOfflineQueue options is false", true],
    ['Command timed out', true],
    ['connect ECONNREFUSED', false],
    ['OOM', false],
    ['NOPERM', false],
  ])('%s is worth another try within the deadline: %s', (text, passing) => {
    expect(isPassing(new Error(text))).toBe(passing);
  });
});
