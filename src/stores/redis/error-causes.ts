/**
 * The table from errors of servers and clients to their meaning. The first sign that matches
 * counts.
 */

import type { StoreErrorCode } from '../../errors.js';
import { commandRules, commandsInWords, PUSH_CHANNEL } from './rights.js';

const howToGrant = 'with ACL SETUSER. rewt doctor names each right that this user lacks.';
const notRun = 'Redis does not let this user run {what}, which rewt needs: grant';
/**
 * Lists every command, because a reader lacks them all, and would otherwise be denied one after the
 * other.
 */
const lacksWriting = `${notRun} ${commandRules('read', 'write')} ${howToGrant}`;

/** Joins the alternatives of a sign. */
const oneOf = (...signs: readonly string[]): RegExp => new RegExp(signs.join('|'));

export interface Failure {
  /**
   * Matched against the error's codes, in upper case, and its message, in lower case. A sign has
   * several words, so that no name of a host, user or key matches.
   */
  readonly sign: RegExp;
  readonly code: StoreErrorCode;
  /**
   * `{at}` becomes " at host:port" if known, `{what}` what the sign captured. In backticks: an
   * option of the client, for which the command has a flag.
   */
  readonly message: string;
  /** True if the same call may succeed within moments. */
  readonly passing?: true;
}

export const lost: Failure = {
  sign: oneOf(
    'ECONNRESET|EPIPE|UNCERTAIN_STATE|CONNECTION_BROKEN|NR_FATAL',
    'connection lost|closed unexpectedly|disconnects client|client is offline',
    'enableofflinequeue options|max retries per request',
  ),
  code: 'ERR_REWT_STORE_DOWN',
  message: 'The connection to Redis{at} was lost.',
  passing: true,
};

const answers: readonly Failure[] = [
  {
    sign: /\bWRONGTYPE\b/,
    code: 'ERR_REWT_STORE_WRONG_TYPE',
    message:
      'Redis holds something that is not a string under the names of this namespace ' +
      '(<namespace>:rewt-secret, or its :ring): look with TYPE, then DEL it, replace it with ' +
      'revoke({ replace: "unreadable" }), or use another redisNamespace.',
  },
  {
    sign: /\bNOAUTH\b/,
    code: 'ERR_REWT_STORE_DENIED',
    message: 'Redis{at} wants a password, and the Redis client gave none: set `password`.',
  },
  {
    sign: /without any password configured/,
    code: 'ERR_REWT_STORE_DENIED',
    message: 'The Redis client gives a password, and Redis{at} has none: leave out `password`.',
  },
  {
    sign: /\bDENIED\b|protected mode/,
    code: 'ERR_REWT_STORE_DENIED',
    message:
      'Redis{at} is in protected mode and takes only connections from the same machine: give its ' +
      'default user a password.',
  },
  {
    sign: /\bWRONGPASS\b|invalid password|invalid username-password/,
    code: 'ERR_REWT_STORE_DENIED',
    message: 'Redis{at} refused the user name or password: correct `username` or `password`.',
  },
  {
    sign: /unknown command\W+sentinel\b/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} is no sentinel: give the address of one, or connect to this server without sentinels.',
  },
  {
    sign: /unknown command|unknown redis command/,
    code: 'ERR_REWT_STORE_DENIED',
    message:
      'Redis{at} does not know a command that rewt needs: it may be a sentinel, or the command may be ' +
      'renamed, disabled (rename-command) or filtered by a proxy. Connect through sentinels, or allow it.',
  },
  {
    sign: /cluster support disabled/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} is no cluster: connect to it as to a single server.',
  },
  {
    sign: /no permissions to run the '(set)' command/,
    code: 'ERR_REWT_STORE_DENIED',
    message:
      `${lacksWriting} If it is not to write, and other members work, this member knows of a ` +
      'revocation that Redis has lost: run rewt revoke.',
  },
  {
    sign: /no permissions to run the '(eval|pexpireat)' command/,
    code: 'ERR_REWT_STORE_DENIED',
    message: lacksWriting,
  },
  {
    sign: /no permissions to run the '([a-z|]{2,32})' command/,
    code: 'ERR_REWT_STORE_DENIED',
    message: `${notRun} +{what} ${howToGrant}`,
  },
  {
    sign: /permissions to access (?:a|one of the) key|can't access at least one of the keys/,
    code: 'ERR_REWT_STORE_DENIED',
    message:
      `Redis does not let this user use a key of this namespace: grant {keys} ${howToGrant} ` +
      'If the names of its keys begin with a key prefix, give that: `keyPrefix`.',
  },
  {
    sign: /permissions to access (?:a|one of the) channel/,
    code: 'ERR_REWT_STORE_DENIED',
    message: `Redis does not let this user subscribe to what rewt needs: grant &${PUSH_CHANNEL} ${howToGrant}`,
  },
  {
    sign: /\bNOPERM\b|user executing the script can't|acl failure in script/,
    code: 'ERR_REWT_STORE_DENIED',
    message:
      `Redis does not let this user do what rewt needs, ${commandsInWords('read', 'write')} on the ` +
      `keys of this namespace: grant what is missing ${howToGrant}`,
  },
  {
    sign: /\bREADONLY\b/,
    code: 'ERR_REWT_STORE_READ_ONLY',
    message: 'This Redis is a replica, which may not know of a revocation: connect to the master.',
    // A client in a failover may soon reach the new master.
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
    message:
      'Redis is at its maxmemory and takes no writes: give it more memory, or remove other data. ' +
      'Without room, "Redis is full" in docs/operations.md has the brake.',
  },
  {
    sign: /\bCLUSTERDOWN\b/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'The Redis Cluster is not whole (CLUSTERDOWN): a slot has no master that answers. See CLUSTER ' +
      'INFO and CLUSTER NODES, and bring that master or a replica of it back.',
    passing: true,
  },
  {
    sign: /\b(LOADING|MASTERDOWN|TRYAGAIN|BUSY)\b|cluster redirections|no valid master node/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis is not ready to answer (it is loading, failing over, moving slots, or busy with a script).',
    passing: true,
  },
  {
    sign: /\bMOVED\b|\bASK\b/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'This Redis is one node of a cluster, and not the one that holds the namespace: hand rewt a ' +
      'cluster client (`createCluster`).',
    passing: true,
  },
  {
    sign: /db index|select is not allowed/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} has no database of the number that the Redis client is given: correct `database`.',
  },
  {
    sign: /subscriber mode|allowed in this context/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The Redis client that rewt was handed is subscribed, and can send no commands: hand rewt another one.',
  },
  {
    sign: /max number of clients/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} takes no more connections (maxclients): close some, or raise the limit.',
    passing: true,
  },
];

const clients: readonly Failure[] = [
  {
    sign: /not open yet|not connected yet|not yet established/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'The Redis client that rewt was handed is not connected yet: await its connect() first. If it ' +
      "cannot connect, its 'error' event has the reason.",
    passing: true,
  },
  {
    sign: /client is closed|connection is closed|connection is already closed|NR_CLOSED/,
    code: 'ERR_REWT_STORE_CLOSED',
    message:
      'The Redis client that rewt was handed is closed (by the application, or because it gave up ' +
      'connecting): close rewt first, or hand it an open client.',
  },
  {
    sign: /closed while connecting/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'Redis{at} ended the connection before it answered: see its log. It may have no room for more ' +
      'clients (maxclients), want a client certificate, or speak TLS where the client does not ' +
      '(rediss://).',
    passing: true,
  },
];

/** TLS errors, which only another certificate or setting can fix. */
export const tls: readonly Failure[] = [
  {
    sign: /ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'The certificate of Redis{at} is for another host: correct `servername`, or connect by a name that is in it.',
  },
  {
    sign: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The certificate of Redis{at} has expired, or is not valid yet: renew it, or correct the clocks.',
  },
  {
    sign: oneOf(
      'SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|INVALID_CA',
      'CERT_UNTRUSTED|CERT_REJECTED|CERT_SIGNATURE_FAILURE|CERT_REVOKED',
    ),
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'The certificate of Redis{at} is not trusted: give the Redis client the authority that signed it ' +
      '(`ca`), or set NODE_EXTRA_CA_CERTS.',
  },
  {
    sign: /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|ALERT_UNKNOWN_CA|peer did not return a certificate/,
    code: 'ERR_REWT_STORE_DOWN',
    message:
      'Redis{at} refused the TLS handshake: give the Redis client the certificate that it wants (`cert` ' +
      'and `key`), or a TLS version that it takes.',
  },
  {
    sign: /KEY_VALUES_MISMATCH/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The key of the client certificate is that of another one: give a `cert` and `key` that belong together.',
  },
  {
    sign: /\bERR_OSSL_/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'A certificate or key for TLS cannot be read: give `ca`, `cert` and `key` as PEM, without a passphrase.',
  },
  {
    sign: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|\bEPROTO\b/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} does not speak TLS on this port, and the Redis client does: use redis://, or the TLS port.',
  },
];

const network: readonly Failure[] = [
  {
    sign: /ENOTFOUND|EAI_AGAIN|EAI_FAIL|EAI_NODATA/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The host of Redis{at} cannot be resolved: correct the name, or the DNS of this machine.',
  },
  {
    sign: /ENOENT|ENOTSOCK|EACCES/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'There is no Unix socket of Redis at the path that the Redis client has, or this process may not open it.',
  },
  {
    sign: /ECONNREFUSED/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'Redis{at} refused the connection: start it there, or correct the address.',
  },
  {
    sign: /EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'There is no way through the network to Redis{at}: correct the address, or open the way to it.',
  },
  lost,
  {
    sign: /ETIMEDOUT|Timeout\w*Error|timed out|(^|connection |socket |command )timeout/m,
    code: 'ERR_REWT_STORE_TIMEOUT',
    message:
      'Redis{at} did not answer in time: check that it is up and reachable, and that it speaks TLS if ' +
      'the client does (rediss://).',
    // Some clients give up sooner than rewt does.
    passing: true,
  },
  {
    sign: /no such master with that name|sentinels are unreachable(?!.*last error)/,
    code: 'ERR_REWT_STORE_DOWN',
    message: 'The sentinel{at} knows no master of this name: correct `name`, for which SENTINEL MASTERS has them all.',
  },
];

/** Errors of the server first, because clients wrap them in other messages. */
export const failures: readonly Failure[] = [...answers, ...clients, ...tls, ...network];
