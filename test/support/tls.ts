/**
 * Certificates for tests, made by openssl: an authority of the test's own, and servers and clients
 * that it vouches for.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** The authority's certificate, as PEM. */
  readonly ca: string;
  readonly caFile: string;
  /** What a server of node:tls for `localhost` is made with. */
  readonly identity: { readonly key: string; readonly cert: string };
  /** A certificate for a client: PEM texts, and their files. */
  readonly client: { readonly cert: string; readonly key: string; readonly certFile: string; readonly keyFile: string };
  /** A private key that belongs to no certificate of a server or client. */
  readonly otherKeyFile: string;
  /**
   * Settings of a redis-server that speaks TLS on `port`, with a certificate for `localhost`, and
   * may refuse clients without one.
   */
  settings(port: number, clients?: 'all' | 'certified'): readonly string[];
  /** The same with another certificate: past its end, or for another host. */
  settingsOf(which: 'expired' | 'elsewhere', port: number): readonly string[];
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'rewt-tls-'));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', '/CN=rewt test', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt');
  function sign(name: string, host: string, days: string): void {
    openssl('req', ...key, '-subj', `/CN=${host}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(path('names'), `subjectAltName=DNS:${host}\n`);
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', days];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`);
  }
  sign('server', 'localhost', '2');
  sign('expired', 'localhost', '-1');
  sign('elsewhere', 'redis.example', '2');
  sign('client', 'orders', '2');
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  const settingsOf = (name: string, port: number, asked = 'no'): readonly string[] => [
    ...['--tls-port', String(port), '--tls-auth-clients', asked, '--tls-ca-cert-file', path('ca.crt')],
    ...['--tls-cert-file', path(`${name}.crt`), '--tls-key-file', path(`${name}.key`)],
  ];
  return {
    ca: read('ca.crt'),
    caFile: path('ca.crt'),
    identity: { key: read('server.key'), cert: read('server.crt') },
    client: {
      ...{ cert: read('client.crt'), key: read('client.key') },
      ...{ certFile: path('client.crt'), keyFile: path('client.key') },
    },
    otherKeyFile: path('ca.key'),
    settings: (port, clients = 'all') => settingsOf('server', port, clients === 'all' ? 'no' : 'yes'),
    settingsOf: (which, port) => settingsOf(which, port),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
