/** What went wrong, in rewt's own words: a client's text may show keys, arguments or addresses, so none of it is passed on. Pure. */

import { isRewtError, StoreError, type StoreErrorCode } from '../errors.js';
import { commandsInWords } from './rights.js';

interface Failure {
  readonly sign: RegExp;
  readonly code: StoreErrorCode;
  readonly message: string;
  /** Whether the same call may succeed within moments. */
  readonly passing?: true;
}

/** The first sign that is found anywhere in the error's text counts: Redis 6 wraps the errors of scripts. */
const failures: readonly Failure[] = [
  {
    sign: /\bWRONGTYPE\b/,
    code: 'ERR_REWT_STORE_WRONG_TYPE',
    message:
      'Redis holds something that is not a string under the names of this namespace (<namespace>:rewt-secret, or its :ring): look with TYPE, then DEL it, replace it with revoke({ replace: "unreadable" }), or use another redisNamespace.',
  },
  {
    sign: /\bNOAUTH\b|\bWRONGPASS\b|invalid password|invalid username-password|without any password configured/,
    code: 'ERR_REWT_STORE_DENIED',
    message: 'Redis refused the user name or password: correct them where the Redis client is made.',
  },
  {
    sign: /\bNOPERM\b|user executing the script can't|ACL failure in script|unknown command|called unknown redis command/i,
    code: 'ERR_REWT_STORE_DENIED',
    message: `Redis does not let this user do what rewt needs: ${commandsInWords('read', 'write')} on the keys of this namespace. Run rewt doctor with its URL, which names the missing right, and grant it with ACL SETUSER.`,
  },
  {
    sign: /\bREADONLY\b/,
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: 'This Redis is a replica, which may not know of a revocation: connect to the master.',
    // A client that fails over may be on its way to the new one.
    passing: true,
  },
  {
    sign: /\bNOREPLICAS\b/,
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: 'Redis takes no writes because too few replicas follow it (min-replicas-to-write): bring them back.',
  },
  {
    sign: /\bMISCONF\b/,
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: 'Redis takes no writes because it cannot save to disk: look into its log, and make room on its disk.',
  },
  {
    sign: /\bOOM\b/,
    code: 'ERR_REWT_STORE_FULL',
    message: 'Redis is at its maxmemory and takes no writes: give it more memory, or let it evict other keys.',
  },
  {
    sign: /\b(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b|redirections|no valid master node/i,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis is not ready to answer (it is loading, failing over, moving slots, or busy with a script).',
    passing: true,
  },
  {
    sign: /\bMOVED\b|\bASK\b/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'This Redis is one node of a cluster, and not the one that holds the namespace: hand rewt a cluster client (createCluster of redis, new Cluster of ioredis).',
    passing: true,
  },
  {
    sign: /not open yet|not connected yet/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The Redis client that rewt was handed has not been connected yet: await its connect() first.',
    passing: true,
  },
  {
    sign: /client is closed|connection is closed|connection is already closed|NR_CLOSED/i,
    code: 'ERR_REWT_STORE_CLOSED',
    message: 'The Redis client that rewt was handed has been closed: close rewt first, or hand it an open client.',
  },
  {
    sign: /ECONNRESET|EPIPE|UNCERTAIN_STATE|connection lost|closed unexpectedly|disconnects client|client is offline|enableOfflineQueue/i,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The connection to Redis was lost.',
    passing: true,
  },
  {
    sign: /time ?out|timed out|ETIMEDOUT/i,
    code: 'ERR_REWT_STORE_TIMEOUT',
    message: 'Redis did not answer in time.',
    // Some clients give up sooner than rewt does.
    passing: true,
  },
];

const unreachable: Omit<Failure, 'sign'> = {
  code: 'ERR_REWT_STORE_DOWN',
  message: 'Redis cannot be reached: see whether it runs, and whether the Redis client is given the right address.',
};

/** Whether the same call may succeed within moments, so that trying again before the deadline makes sense. */
export function isPassing(error: unknown): boolean {
  return !isRewtError(error) && failureOf(error).passing === true;
}

/** The typed error for whatever Redis or a client gave; rewt's own errors stay what they are. Never says anything of the original's text. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = failureOf(error);
  return new StoreError(code, message);
}

function failureOf(error: unknown): Omit<Failure, 'sign'> {
  const text = textOf(error);
  return failures.find(({ sign }) => sign.test(text)) ?? unreachable;
}

/** Name, code and message: some clients put the reason into one, some into another. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error ? String(error.code) : '';
  return `${error.name} ${code} ${error.message}`;
}
