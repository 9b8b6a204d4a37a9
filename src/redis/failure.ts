/** What went wrong, in rewt's own words: a client's text may show keys, arguments or credentials, so none of it is passed on. Pure. */

import { isRewtError, StoreError, type StoreFailureCause } from '../errors.js';
import { type Failure, failures, lost, tls } from './failure-table.js';

/** Where a client connects to, as far as it shows that. */
export interface Address {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Whether the same call may succeed within moments, so that trying again before the deadline makes sense. */
export function isPassing(error: unknown): boolean {
  return !isRewtError(error) && failureOf(error)?.passing === true;
}

/** Whether the server or the client refuses, which only another password, right or certificate can change. */
export function isRefusal(error: unknown): boolean {
  const failure = failureOf(error);
  return failure !== undefined && (failure.code === 'ERR_REWT_STORE_DENIED' || tls.includes(failure));
}

/**
 * The typed error for whatever Redis or a client gave; rewt's own errors stay what they are. Never says
 * anything of the original's text.
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
      `Redis${inWords(cause)} cannot be used, for a reason that rewt does not know: the error code of the Redis client is ${cause.code}.`,
      cause,
    );
  }
  const [, what = ''] = failure.sign.exec(textOf(root)) ?? [];
  const message = failure.message
    .replace('{at}', inWords(cause))
    .replaceAll('{what}', what)
    .replace('{keys}', () => keys ?? '~<the names of its keys>');
  return new StoreError(failure.code, message, cause);
}

/** The reason why a client of rewt's own could not connect. Clients tell of a loss, or that they are closed, if the server ended the connection. */
export function whileConnecting(error: Error): Error {
  const failure = failureOf(error);
  if (failure !== lost && failure?.code !== 'ERR_REWT_STORE_CLOSED') return error;
  return Object.assign(new Error('closed while connecting'), { code: field(error, 'code') });
}

function failureOf(error: unknown): Failure | undefined {
  const text = textOf(rootOf(error));
  return failures.find(({ sign }) => sign.test(text));
}

/** A cluster client of ioredis wraps the error of the node that it tried last. */
function rootOf(error: unknown): unknown {
  return field(error, 'lastNodeError') ?? error;
}

/** The codes of an error, and on the next line its message in lower case. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = field(error, 'code');
  // The rest of it are names: of a host, of a socket, in a certificate. OpenSSL gives its reasons as words.
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || (field(error, 'syscall') !== undefined && code !== 'EPROTO'))
    return `${code}`;
  // What was sent may stand in it: scripts, keys.
  const message = error.message.replace(/with args beginning with:.*/s, '');
  // At the start, behind what wraps it (Redis 6 does so with errors of scripts), or behind the name of a system call.
  const words = message.matchAll(/(?:^|: )-?(?:(?:connect|read|write|getaddrinfo) )?([A-Z][A-Z0-9_]+)(?=\s|$)/g);
  const codes = [error.name, code, ...Array.from(words, ([, word]) => word)];
  return `${codes.join(' ')}\n${message.toLowerCase()}`;
}

/** What is safe to show of an error: names that systems and servers give, and where it happened. */
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

/** A system's code, the first word of Redis' answer, or the class of the client's error. */
function codeIn(error: unknown, code: unknown): string {
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) && code !== 'ERR') return code;
  if (!(error instanceof Error)) return 'UNKNOWN';
  const [, word] = /^-?([A-Z]{3,20})(?= |$)/.exec(error.message) ?? [];
  if (word !== undefined) return word;
  return /^[A-Z][A-Za-z]{1,63}$/.test(error.name) && error.name !== 'Error' ? error.name : 'UNKNOWN';
}

/** Clients give the command with its arguments, or its name alone. */
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
