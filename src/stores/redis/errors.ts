/**
 * The errors of Redis and its clients in rewt's own sentences. A client's message may contain keys,
 * arguments or credentials, so no part of it is passed on. Pure.
 */

import { isRewtError, StoreError, type StoreFailureCause } from '../../errors.js';
import { printable } from '../../validation/printable.js';
import { type Failure, failures, lost, tls } from './error-causes.js';

/** The address of a client, as far as the client shows it. */
export interface Address {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * Checks if the same call may succeed within moments, so that a retry before the deadline makes
 * sense.
 */
export function isPassing(error: unknown): boolean {
  return !isRewtError(error) && failureOf(error)?.passing === true;
}

/**
 * Checks if the server or the client denied the call, which only another password, right or
 * certificate can change.
 */
export function isRefusal(error: unknown): boolean {
  const failure = failureOf(error);
  return failure !== undefined && (failure.code === 'ERR_REWT_STORE_DENIED' || tls.includes(failure));
}

/**
 * Returns the typed error for any error of Redis or a client; returns rewt's own errors unchanged.
 * Never includes the original message.
 *
 * @param keys rules of ACL SETUSER for the keys that were used
 */
export function asStoreError(error: unknown, address: Address | null = null, keys: string | null = null): StoreError {
  if (error instanceof StoreError) return error;
  const root = rootOf(error);
  const cause = causeOf(root, address);
  const failure = failureOf(root);
  if (failure === undefined) {
    return new StoreError(
      'ERR_REWT_STORE_DOWN',
      `Redis${inWords(cause)} cannot be used, for a reason that rewt does not know: the error code of ` +
        `the Redis client is ${cause.code}.`,
      cause,
    );
  }
  const [, what = ''] = failure.sign.exec(textOf(root)) ?? [];
  const message = failure.message
    .replace('{at}', inWords(cause))
    .replaceAll('{what}', what)
    .replace('{keys}', () => keys ?? '~<the names of its keys>');
  // The names of keys are foreign, and messages go to logs.
  return new StoreError(failure.code, printable(message), cause);
}

/**
 * Returns the reason why a client of rewt could not connect. If the server ended the connection,
 * clients report a loss, or that they are closed.
 */
export function whileConnecting(error: Error): Error {
  const failure = failureOf(error);
  if (failure !== lost && failure?.code !== 'ERR_REWT_STORE_CLOSED') return error;
  return Object.assign(new Error('closed while connecting'), { code: field(error, 'code') });
}

function failureOf(error: unknown): Failure | undefined {
  const text = textOf(rootOf(error));
  return failures.find(({ sign }) => sign.test(text));
}

/** Unwraps an error: a cluster client of ioredis wraps that of the node it tried last. */
function rootOf(error: unknown): unknown {
  return field(error, 'lastNodeError') ?? error;
}

/** Returns the codes of an error, and on the next line its message in lower case. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = field(error, 'code');
  // The rest of such a message is a name: of a host, of a socket, in a certificate. For EPROTO,
  // OpenSSL gives its reason as text.
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || (field(error, 'syscall') !== undefined && code !== 'EPROTO'))
    return `${code}`;
  // The message may contain what was sent: scripts, keys.
  const message = error.message.replace(/with args beginning with:.*/s, '');
  // A code stands at the start, after a wrapper (Redis 6 wraps errors of scripts), or after the
  // name of a system call.
  const words = message.matchAll(/(?:^|: )-?(?:(?:connect|read|write|getaddrinfo) )?([A-Z][A-Z0-9_]+)(?=\s|$)/g);
  const codes = [error.name, code, ...Array.from(words, ([, word]) => word)];
  return `${codes.join(' ')}\n${message.toLowerCase()}`;
}

/**
 * Returns what is safe to show of an error: the names given by systems and servers, and the
 * address.
 */
function causeOf(error: unknown, address: Address | null): StoreFailureCause {
  // Several addresses of one name were tried; the first stands for all.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  const from = (name: string): unknown => field(error, name) ?? field(first, name);
  const host = hostIn(from('hostname')) ?? hostIn(from('address')) ?? hostIn(address?.host) ?? hostIn(from('host'));
  const port = portIn(from('port')) ?? portIn(address?.port);
  const syscall = wordIn(from('syscall'));
  const command = commandIn(from('command'));
  return Object.freeze({
    code: codeIn(error, from('code')),
    ...(syscall === undefined ? {} : { syscall }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(command === undefined ? {} : { command }),
  });
}

/** Returns the system's code, Redis' error code, or the class of the client's error. */
function codeIn(error: unknown, code: unknown): string {
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) && code !== 'ERR') return code;
  if (!(error instanceof Error)) return 'UNKNOWN';
  const [, word] = /^-?([A-Z]{3,20})(?= |$)/.exec(error.message) ?? [];
  if (word !== undefined) return word;
  return /^[A-Z][A-Za-z]{1,63}$/.test(error.name) && error.name !== 'Error' ? error.name : 'UNKNOWN';
}

/** Returns the command's name. Clients give it with or without the arguments. */
function commandIn(command: unknown): string | undefined {
  return wordIn(typeof command === 'string' ? command : field(command, 'name'))?.toUpperCase();
}

function wordIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z]{1,32}$/.test(value) ? value : undefined;
}

function hostIn(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:%-]{1,255}$/.test(value) ? value : undefined;
}

function portIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function inWords({ host, port }: StoreFailureCause): string {
  if (host === undefined) return '';
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? ` at ${name}` : ` at ${name}:${port}`;
}
