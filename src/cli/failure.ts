/** What an error means to whoever called the command: an exit code, and words that name its flags. */

import { isRewtError, TokenError } from '../errors.js';
import { RefusedError } from './command.js';

export interface Failure {
  /** 1 refused, 2 usage, 3 store unavailable; 70 for a fault of rewt's own, as in sysexits. */
  readonly exitCode: 1 | 2 | 3 | 70;
  readonly code: string;
  readonly message: string;
  readonly claim?: string;
  readonly expiredAt?: Date;
  /** When the token becomes valid. */
  readonly date?: Date;
}

/** What the library says to programs, as it is said to people. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/\brotate\(\{ force: true \}\)/g, 'rewt rotate --force'],
  [/\brevoke\(\)/g, 'rewt revoke'],
  [/give every member a larger tokenLifetime/, 'set its life with --expires-in'],
  [/\btokenLifetime allows\b/, 'the keyring is asked for'],
  [/\btokenLifetime\b/g, '--expires-in'],
  [/the folder given to lmdbStore/g, 'the folder of the embedded store'],
  [/\bredisConn\b/g, '--url'],
  [/\bredisNamespace\b/g, '--namespace'],
  [/\bexpiresIn\b/g, '--expires-in'],
  [/\bnotBefore\b/g, '--not-before'],
  [/\bmaxAge\b/g, '--max-age'],
  [/^(ttl|audience|issuer|subject|jwtid)\b/, '--$1'],
  [/\b(raise|fit) ttl\b/g, '$1 --ttl'],
  [
    /: npm install redis \(or ioredis\)\.$/,
    ': npm install redis (or ioredis; beside a global rewt: npm install --global redis).',
  ],
  [
    /: npm install lmdb$/,
    ': npm install lmdb (beside a global rewt: npm install --global lmdb), or use Redis: --url redis://...',
  ],
];

export function failureOf(error: unknown): Failure {
  if (error instanceof RefusedError) return { exitCode: 1, code: error.code, message: error.message };
  if (!isRewtError(error)) {
    const name = error instanceof Error ? error.constructor.name : typeof error;
    return { exitCode: 70, code: 'ERR_REWT_UNEXPECTED', message: `a fault of rewt's own (${name}): please report it` };
  }
  const { code } = error;
  const message = phrases.reduce((words, [said, meant]) => words.replace(said, meant), error.message);
  if (!(error instanceof TokenError)) return { exitCode: exitCodeOf(error.status, code), code, message };
  return {
    exitCode: 1,
    code,
    message,
    ...(error.claim === undefined ? {} : { claim: error.claim }),
    ...(error.expiredAt === undefined ? {} : { expiredAt: error.expiredAt }),
    ...(error.date === undefined ? {} : { date: error.date }),
  };
}

function exitCodeOf(status: 401 | 500 | 503, code: string): 1 | 2 | 3 {
  if (status === 503) return 3;
  return status === 401 || code === 'ERR_REWT_ROTATION_REFUSED' ? 1 : 2;
}
