/**
 * The connection to Redis that the command line describes: one server, a cluster, or the master
 * behind sentinels, with TLS. Pure, except that it reads the certificate files.
 */

import { readFileSync } from 'node:fs';
import { OptionError } from '../../errors.js';

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

/** The variable for each flag. The help, docs/command.md and the parser use this table. */
export const variables = {
  url: 'REWT_URL',
  namespace: 'REWT_NAMESPACE',
  user: 'REWT_USER',
  ca: 'REWT_CA',
  cert: 'REWT_CERT',
  key: 'REWT_KEY',
} as const;

/** There is no flag, because other users of the machine could read it. */
export const PASSWORD_VARIABLE = 'REWT_PASSWORD';
/** As well. Several keys are separated by commas or white space. */
export const SEAL_KEY_VARIABLE = 'REWT_SEAL_KEY';

type File = 'ca' | 'cert' | 'key';

export interface Host {
  readonly host: string;
  readonly port: number;
}

export interface Link {
  readonly kind: 'server' | 'cluster' | 'sentinel';
  /** True if the URL alone describes the connection, as the library reads it. */
  readonly isPlain: boolean;
  /** The name of the master, for sentinels. */
  readonly master: string | null;
  readonly hosts: readonly Host[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Null: no TLS. Certificates as PEM. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
}

const FORM =
  'Write it as redis://[[user]:password@]host[:port][/database], rediss:// (TLS), ' +
  'redis+cluster://host[:port],... or redis+sentinel://host[:port],.../master[/database]';

/**
 * Reads a Redis URL and the flags beside it. A flag overrides the URL, and the URL overrides a
 * variable. The URL may contain a password, and is not repeated.
 *
 * @throws {OptionError} for an invalid URL, and for flags that do not fit it
 */
export function linkOf(url: string, flags: LinkArguments, env: NodeJS.ProcessEnv): Link {
  const [, tls, mode, login = '', hosts = '', path = ''] =
    /^redis(s?)(?:\+(cluster|sentinel))?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#]*)?$/i.exec(url) ?? [];
  if (tls === undefined) throw new OptionError(`--url is no URL of Redis. ${FORM}`, { option: 'url' });
  const kind = kindOf(mode?.toLowerCase(), flags);
  if (kind === 'server' && hosts.includes(','))
    throw new OptionError('--url: several hosts are those of a cluster or of sentinels. Add --cluster, or --sentinel', {
      option: 'url',
    });
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
  const user = decoded(colon < 0 ? login : login.slice(0, colon)) || null;
  const secret = (colon >= 0 && decoded(login.slice(colon + 1))) || null;
  const username = flags.user ?? user ?? (env[variables.user] || null);
  // The password of one user does not belong to another.
  const own = user === null || user === username ? secret : null;
  const password = own ?? (env[PASSWORD_VARIABLE] || null);
  const fileFlag = (['ca', 'cert', 'key'] as const).find((name) => flags[name] !== undefined);
  if (tls === '' && fileFlag !== undefined)
    throw new OptionError(`--${fileFlag}: has no effect without TLS. Write the URL with rediss`, { option: fileFlag });
  const files = tls === '' ? {} : tlsOf(flags, env);
  return {
    kind,
    isPlain:
      kind === 'server' &&
      mode === undefined &&
      username === user &&
      password === secret &&
      Object.keys(files).length === 0,
    master,
    hosts: hosts.split(',').map((text) => hostOf(text, kind)),
    username,
    password,
    database: Number(database),
    tls: tls === '' ? null : files,
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

/** Reads the files, by flag or variable. */
function tlsOf(flags: LinkArguments, env: NodeJS.ProcessEnv): { readonly [Name in File]?: string } {
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const file = flags[name] ?? (env[variables[name]] || undefined);
    return file === undefined ? [] : [{ name, file }];
  });
  const refuse = (name: File, why: string): never => {
    if (flags[name] === undefined) throw new OptionError(`${variables[name]}: ${why}`);
    throw new OptionError(`--${name}: ${why}`, { option: name });
  };
  const one = files.filter(({ name }) => name !== 'ca');
  if (one[0] !== undefined && one.length === 1) refuse(one[0].name, 'a client certificate needs both --cert and --key');
  return Object.fromEntries(
    files.map(({ name, file }) => [
      name,
      pemIn(file, name) ?? refuse(name, `no ${name === 'key' ? 'private key' : 'certificate'} (PEM) can be read there`),
    ]),
  );
}

/** Returns the contents. Null if there is no such file, or it is of another kind. */
function pemIn(file: string, name: File): string | null {
  const kind = name === 'key' ? /-----BEGIN [A-Z ]*PRIVATE KEY-/ : /-----BEGIN [A-Z0-9 ]*CERTIFICATE-/;
  try {
    const text = readFileSync(file, 'utf8');
    return kind.test(text) ? text : null;
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OptionError('--url: a "%" in the user name or password must be written as %25', { option: 'url' });
  }
}
