import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../src/errors.js';
import { asStoreError, isPassing } from '../../src/redis/failure.js';

const script = (text: string): string => `ERR Error running script (call to f_0): @user_script:4: ${text}`;

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
    ['Command timed out', 'TIMEOUT'],
    ['something never seen', 'DOWN'],
  ])('%s is ERR_REWT_STORE_%s', (text, code) => {
    expect(asStoreError(new Error(text)).code).toBe(`ERR_REWT_STORE_${code}`);
  });

  it('passes nothing of its text on, and is no cause', () => {
    const error = asStoreError(new Error('WRONGPASS for redis://bob:canary@host'));
    expect(error.message).not.toMatch(/canary|bob|host/);
    expect(error.cause).toBeUndefined();
    expect(inspect(error, { showHidden: true })).not.toMatch(/canary|bob/);
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
