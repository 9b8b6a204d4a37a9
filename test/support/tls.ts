/**
 * Certificates for tests, made by openssl: an authority of the test's own, and servers that it
 * vouches for.
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
  /** Settings of a redis-server that speaks TLS on `port`, with a certificate for `localhost`. */
  settings(port: number): readonly string[];
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
  const settingsOf = (name: string, port: number): readonly string[] => [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', path('ca.crt')],
    ...['--tls-cert-file', path(`${name}.crt`), '--tls-key-file', path(`${name}.key`)],
  ];
  return {
    ca: readFileSync(path('ca.crt'), 'utf8'),
    caFile: path('ca.crt'),
    identity: { key: readFileSync(path('server.key'), 'utf8'), cert: readFileSync(path('server.crt'), 'utf8') },
    settings: (port) => settingsOf('server', port),
    settingsOf,
    remove: () => rmSync(folder, { recursive: true }),
  };
}
