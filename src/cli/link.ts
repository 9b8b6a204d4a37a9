/** The way to Redis that a command line describes: one server, a cluster, or the master behind sentinels, with TLS. Pure but for the files of certificates. */

import { readFileSync } from 'node:fs';
import { OptionError } from '../errors.js';

export interface LinkArguments {
  readonly cluster?: boolean | undefined;
  readonly sentinel?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly user?: string | undefined;
}

export const linkOptions = {
  cluster: { type: 'boolean' },
  sentinel: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  user: { type: 'string' },
} as const;

export interface Host {
  readonly host: string;
  readonly port: number;
}

export interface Link {
  readonly kind: 'server' | 'cluster' | 'sentinel';
  /** Whether the URL alone says it all, as the library reads it. */
  readonly isPlain: boolean;
  /** Of a sentinel: the name of the master. */
  readonly master: string | null;
  readonly hosts: readonly Host[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Null: no TLS. Certificates as PEM. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
}

const FORM =
  'Write it as redis://[[user]:password@]host[:port][/database], rediss:// (TLS), redis+cluster://host[:port],... or redis+sentinel://host[:port],.../master[/database]';

/**
 * Reads a URL of Redis and the flags beside it. The URL may hold a password, and is not repeated.
 *
 * @throws {OptionError} for a URL that is none, and for flags that do not fit it
 */
export function linkOf(url: string, flags: LinkArguments, env: NodeJS.ProcessEnv): Link {
  const [, tls, mode, login = '', hosts = '', path = ''] =
    /^redis(s?)(?:\+(cluster|sentinel))?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?$/i.exec(url) ?? [];
  if (tls === undefined) throw new OptionError(`--url is no URL of Redis. ${FORM}`, { option: 'url' });
  const kind = kindOf(mode?.toLowerCase(), flags);
  const parts = path.split('/').slice(1);
  const master = kind !== 'sentinel' ? null : (flags.sentinel ?? decoded(parts.shift() ?? ''));
  if (master === '')
    throw new OptionError('--sentinel: give the name of the master that the sentinels watch', { option: 'sentinel' });
  const [database = '', ...rest] = parts;
  if (!/^\d*$/.test(database) || rest.some((part) => part !== ''))
    throw new OptionError(`--url: a database is a number. ${FORM}`, { option: 'url' });
  if (kind === 'cluster' && Number(database) !== 0)
    throw new OptionError('--url: a cluster has the database 0 only', { option: 'url' });
  const colon = login.indexOf(':');
  const [user, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  return {
    kind,
    isPlain:
      mode === undefined && !env.REWT_PASSWORD && Object.keys(linkOptions).every((name) => !Object.hasOwn(flags, name)),
    master,
    hosts: hosts.split(',').map((text) => hostOf(text, kind)),
    username: flags.user ?? (decoded(user) || null),
    password: decoded(password) || env.REWT_PASSWORD || null,
    database: Number(database),
    tls: tlsOf(tls !== '', flags),
  };
}

function kindOf(mode: string | undefined, { cluster = false, sentinel }: LinkArguments): Link['kind'] {
  const isCluster = cluster || mode === 'cluster';
  const isSentinel = sentinel !== undefined || mode === 'sentinel';
  if (isCluster && isSentinel)
    throw new OptionError('--cluster: has no effect with sentinels. Leave one of the two out', { option: 'cluster' });
  return isCluster ? 'cluster' : isSentinel ? 'sentinel' : 'server';
}

function hostOf(text: string, kind: Link['kind']): Host {
  const [, host, port] = /^(\[[\da-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (host === undefined || Number(port ?? 0) > 65_535)
    throw new OptionError(`--url: no host, or no port. ${FORM}`, { option: 'url' });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (kind === 'sentinel' ? 26_379 : 6_379)) };
}

function tlsOf(isOn: boolean, { ca, cert, key }: LinkArguments): Link['tls'] {
  const files = Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined) as [string, string][];
  const [first] = files;
  if (first !== undefined && !isOn)
    throw new OptionError(`--${first[0]}: has no effect without TLS. Write the URL with rediss`, { option: first[0] });
  if ((cert === undefined) !== (key === undefined))
    throw new OptionError('--cert: a client certificate needs both --cert and --key', { option: 'cert' });
  return isOn ? Object.fromEntries(files.map(([name, file]) => [name, pemIn(file, name)])) : null;
}

function pemIn(file: string, name: string): string {
  const isKey = name === 'key';
  try {
    const text = readFileSync(file, 'utf8');
    if (isKey ? /-----BEGIN [A-Z ]*PRIVATE KEY-/.test(text) : /-----BEGIN [A-Z0-9 ]*CERTIFICATE-/.test(text))
      return text;
  } catch {
    // As for a file of another kind.
  }
  throw new OptionError(`--${name}: no ${isKey ? 'private key' : 'certificate'} (PEM) can be read there`, {
    option: name,
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OptionError('--url: a "%" in the user name or password must be written as %25', { option: 'url' });
  }
}
