/**
 * The meaning of an error on a command line: an exit code, and a message that names flags and the
 * place.
 */

import { tokenErrors } from '../../error-table.js';
import { isRewtError, type RewtErrorCode, type StoreError, type TokenError } from '../../errors.js';
import { printable } from '../../validation/printable.js';
import { type Place, placeInWords } from '../input/address.js';
import { PASSWORD_VARIABLE, SEAL_KEY_VARIABLE } from '../input/link.js';
import { foreignName } from './format.js';

/** An error of the command itself, beside those of the library. Exit code 1. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    readonly code:
      | 'ERR_REWT_NO_KEYRING'
      | 'ERR_REWT_OLD_MEMBERS'
      | 'ERR_REWT_CONTENDED'
      | 'ERR_REWT_RESEAL_REFUSED'
      | 'ERR_REWT_ROTATION_REFUSED'
      | 'ERR_REWT_TIMES_REFUSED',
    message: string,
  ) {
    super(message);
  }
}

/** Creates the error for a keyring under another key prefix than the given one. */
export function misnamed(namespace: string, given: string, prefix: string): RefusedError {
  const [whole, name] = [namespace, (given + namespace).slice(prefix.length)].map((text) => foreignName(text));
  return new RefusedError(
    'ERR_REWT_NO_KEYRING',
    `'${whole}' is the keyring '${name}' under the key prefix '${foreignName(prefix)}': name both, ` +
      'by --namespace and --key-prefix',
  );
}

/** The error of a store, with its place. */
export class FailedStore extends Error {
  override readonly name = 'FailedStore';

  constructor(
    readonly place: Place,
    readonly error: StoreError,
  ) {
    super(error.message);
  }
}

export interface Failure {
  /** 1 rejected, 2 usage, 3 store unavailable; 70 for a fault of rewt itself, as in sysexits. */
  readonly exitCode: 1 | 2 | 3 | 70;
  readonly code: string;
  readonly message: string;
  /** The remedy for a rejected token, from the table of errors. */
  readonly remedy?: string;
  /** The flag that was wrong. */
  readonly option?: string;
  readonly claim?: string;
  readonly expiredAt?: Date;
  /** The time when the token becomes valid. */
  readonly date?: Date;
}

/**
 * The flag (or variable) for an option of the library or of a Redis client. Flags of the command
 * itself have no row: an error names them without the dashes.
 */
const flags: Readonly<Record<string, string>> = {
  redisConn: '--url',
  createCluster: '--cluster',
  database: '--url',
  servername: '--url',
  name: '--sentinel',
  username: '--user',
  password: PASSWORD_VARIABLE,
  ca: '--ca',
  cert: '--cert',
  key: '--key',
  redisNamespace: '--namespace',
  keyPrefix: '--key-prefix',
  ttl: '--ttl',
  tokenLifetime: '--expires-in',
  expiresIn: '--expires-in',
  notBefore: '--not-before',
  maxAge: '--max-age',
  maxStaleness: '--max-staleness',
  audience: '--audience',
  issuer: '--issuer',
  subject: '--subject',
  jwtid: '--jwtid',
  replicas: '--replicas',
  timeout: '--timeout',
  reason: '--reason',
  replace: '--replace',
  sealKey: `${SEAL_KEY_VARIABLE} or --seal-key-file`,
  to: '--to',
  [SEAL_KEY_VARIABLE]: SEAL_KEY_VARIABLE,
};

/** Replaces options in backticks by their flags, and a method by its verb. */
function withFlags(words: string): string {
  return words
    .replace(/`(\w+)`/g, (quoted, option: string) => flags[option] ?? quoted)
    .replace(/revoke\(\{ replace: "(\w+)" \}\)/g, 'rewt revoke --replace $1');
}

/** The remedies at the command, if they differ from those in a program. */
const messages: { readonly [Code in RewtErrorCode]?: string } = {
  ERR_REWT_STORE_WRONG_TYPE:
    'Redis holds something that is not a string under a name of this namespace. Look with TYPE; rewt ' +
    'revoke --replace unreadable, with the same --url and --namespace, replaces it and refuses every ' +
    'token',
  ERR_REWT_RING_NEWER:
    'the keyring was written by a newer rewt. Update rewt here; rewt revoke --replace newer, with ' +
    'the same --url and --namespace, would replace it and refuse every token',
  ERR_REWT_RING_UNREADABLE:
    'what is there is no keyring of rewt: it is damaged, or another program uses its key. Find out ' +
    'who wrote it; rewt revoke --replace unreadable, with the same --url and --namespace, replaces ' +
    'it and refuses every token',
};

/** Returns the message of a store's failure, for a user of the command. */
export function storeInWords({ code, message }: Pick<StoreError, 'code' | 'message'>): string {
  // What the library reports of a sealed keyring names keys, and more than one cause.
  const own = /\bsealed\b/.test(message) ? undefined : messages[code];
  return own ?? withFlags(message).replace('this member', 'this command');
}

export function failureOf(error: unknown): Failure {
  if (error instanceof RefusedError) return { exitCode: 1, code: error.code, message: error.message };
  if (error instanceof FailedStore) return failedStore(error);
  if (!isRewtError(error)) {
    const name = error instanceof Error ? error.constructor.name : typeof error;
    return { exitCode: 70, code: 'ERR_REWT_UNEXPECTED', message: `a fault of rewt's own (${name}): please report it` };
  }
  const { code, status } = error;
  if (status === 503) return { exitCode: 3, code, message: storeInWords(error as StoreError) };
  if (status === 401) return refusedToken(error as TokenError);
  const option = 'option' in error ? error.option : undefined;
  const exitCode = code === 'ERR_REWT_ROTATION_REFUSED' ? 1 : 2;
  if (option === undefined) return { exitCode, code, message: error.message };
  const flag = flags[option];
  if (flag === undefined) return { exitCode, code, message: error.message, option: option.replace(/^(?!-)/, '--') };
  return { exitCode, code, message: flagged(error.message, option, flag), option: flag };
}

/** Replaces the option's name at the start of a library error by the flag. */
function flagged(message: string, option: string, flag: string): string {
  if (message.startsWith(flag)) return message;
  return message.startsWith(option) ? flag + message.slice(option.length) : `${flag}: ${message}`;
}

function failedStore({ place, error }: FailedStore): Failure {
  const { code } = error;
  const { store, server } = place;
  const where = store === 'redis' ? printable(server) : placeInWords(place);
  // Most Redis errors name the node themselves, which in a cluster may be another one.
  const start = error.cause?.host === undefined ? `${where}: ` : '';
  return { exitCode: 3, code, message: start + storeInWords(error) };
}

function refusedToken({ code, message, claim, expiredAt, date }: TokenError): Failure {
  return {
    exitCode: 1,
    code,
    message,
    remedy: withFlags(tokenErrors[code].remedy),
    ...(claim === undefined ? {} : { claim }),
    ...(expiredAt === undefined ? {} : { expiredAt }),
    ...(date === undefined ? {} : { date }),
  };
}
