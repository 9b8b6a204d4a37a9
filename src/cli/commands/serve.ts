/**
 * `rewt serve`: verifies tokens for services in any language, behind a reverse proxy that queries
 * it before each request.
 */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isRewtError, OptionError, type StoreError } from '../../errors.js';
import { SEALS, type Seals } from '../../keyring/seal-options.js';
import { rewtAuth } from '../../middleware/node.js';
import { subscribe } from '../../observe/channels.js';
import type { RewtOptions } from '../../options.js';
import { Rewt } from '../../rewt.js';
import type { SealKey } from '../../seal/seal-key.js';
import { printable } from '../../validation/printable.js';
import type { Command } from '../command.js';
import { addressOf, namespaceOf, placeInWords, placeOf } from '../input/address.js';
import { assertNoWords, readArguments, readSeconds } from '../input/arguments.js';
import { linkOptions, SEAL_KEY_VARIABLE } from '../input/link.js';
import { readSealKeys, sealKeyOptions } from '../input/seal-keys.js';
import { storeInWords } from '../output/errors.js';
import { type Terminal, unlessInterrupted } from '../output/terminal.js';
import { parseClaimHeaders } from '../serve/claim-headers.js';
import { createPrometheus } from '../serve/prometheus.js';
import { closeServer, createAuthServer } from '../serve/server.js';
import { openPlace } from '../session.js';

const DEFAULT_PORT = 4180;

const options = {
  help: { type: 'boolean', short: 'h' },
  url: { type: 'string' },
  namespace: { type: 'string' },
  'key-prefix': { type: 'string' },
  ...linkOptions,
  host: { type: 'string' },
  port: { type: 'string' },
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string', multiple: true },
  'max-age': { type: 'string' },
  'max-staleness': { type: 'string' },
  header: { type: 'string', multiple: true },
  sealing: { type: 'string' },
  ...sealKeyOptions,
} as const;

const help = `
rewt serve [options]: judges tokens for services in any language, behind a
reverse proxy: nginx auth_request, Traefik ForwardAuth, Caddy, Envoy.

  rewt serve --url redis://localhost:6379 --audience orders

  /verify    204 with the claims in headers; 401, 400 or 503 as RFC 6750 has it
  /healthz   200 while the process runs
  /readyz    200 where tokens can be judged, else 503
  /metrics   for Prometheus

  --audience <name>       whom tokens must be for; more than once: one of them
  --issuer <name>         who must have issued them; more than once: one of them
  --max-age <time>        how old they may be
  --header <X-User=sub>   a claim in its own header; more than once: each.
                          X-Rewt-Claims has all: the token's own payload
  --max-staleness <time>  how old the copy of the keyring may be; default: 1m
  --seal-key-file <file>  the keys of a sealed keyring, as of the members; or in
                          ${SEAL_KEY_VARIABLE}. A plain keyring is then revoked
  --sealing migrate       takes a plain one too, while the fleet moves to a key
  --host <address>        where to listen; default: 127.0.0.1
  --port <number>         default: ${DEFAULT_PORT}; 0: any that is free
  --url <url>, --namespace <name>, --key-prefix <text>, --cluster, --sentinel,
  --ca, --cert, --key, --user  as for the other verbs
  -h, --help

Ends at SIGTERM and SIGINT once the requests that it has are answered.
`.trim();

export const serve: Command = {
  help,
  async run(words, terminal) {
    const { values, positionals } = readArguments(words, options);
    assertNoWords(positionals);
    const { host = '127.0.0.1' } = values;
    const namespace = namespaceOf(values.namespace, terminal.env);
    const port = readPort(values.port);
    const headers = parseClaimHeaders(values.header ?? []);
    const maxAge = readSeconds(values['max-age'], '--max-age');
    const maxStaleness = readSeconds(values['max-staleness'], '--max-staleness');
    const keys = await unlessInterrupted(readSealKeys(values, terminal.env), terminal);
    const migrates = readSealing(values.sealing, keys);
    const address = addressOf(values.url, terminal.env, values);
    const place = placeOf(address, namespace, values['key-prefix']);
    const opening = openPlace(address, namespace, place.keyPrefix);
    const { store, close } = await unlessInterrupted(opening, terminal);
    const endLog = log(terminal);
    try {
      // Not as the other verbs: a service lives long, so a writer of the store could make it take a
      // plain keyring at any time.
      const seals: Seals = { sealKeys: keys.length === 0 ? null : keys, migrates };
      await using rewt = new Rewt({ store, redisNamespace: namespace, maxStaleness, [SEALS]: seals } as RewtOptions);
      const prometheus = createPrometheus([rewt]);
      const auth = rewtAuth(rewt, { ...expected(values), maxAge });
      const server = createAuthServer({ auth, headers, prometheus, ready: () => rewt.ready() });
      // Reads the keyring now, so that the first request finds a copy. While the store is down,
      // requests are answered with 503.
      rewt.ready().catch((error: unknown) => {
        // No wait mends this, and the event has the code alone.
        if (isRewtError(error) && error.code === 'ERR_REWT_RING_SEALED')
          terminal.report(`rewt serve: ${storeInWords(error as StoreError)}`);
      });
      server.listen(port, host);
      await once(server, 'listening').catch(() => {
        throw cannotListen(host, port);
      });
      terminal.report(`rewt serve: listening on http://${urlHost(host)}:${(server.address() as AddressInfo).port}`);
      terminal.report(`rewt serve: reads ${placeInWords(place)}`);
      await aborted(terminal.interrupted);
      await closeServer(server);
      prometheus.end();
    } finally {
      endLog();
      await close();
    }
    return { json: {}, exitCode: 0 };
  },
};

/** Returns the given requirements, without the names of absent ones. */
function expected({ audience, issuer }: { audience?: string[] | undefined; issuer?: string[] | undefined }) {
  return { ...(audience && { audience }), ...(issuer && { issuer }) };
}

/** Reads `--sealing`. @throws {OptionError} for a word that it does not take, and without a key */
function readSealing(text: string | undefined, keys: readonly SealKey[]): boolean {
  if (text === undefined) return false;
  if (text === 'migrate' && keys.length > 0) return true;
  const rule =
    text === 'migrate'
      ? `has no effect without a seal key. Set ${SEAL_KEY_VARIABLE}, or give --seal-key-file`
      : "must be 'migrate', or be left out";
  throw new OptionError(`--sealing: ${rule}`, { option: 'sealing' });
}

function readPort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new OptionError('--port: must be a number from 0 to 65535', { option: 'port' });
}

function urlHost(host: string): string {
  return printable(host.includes(':') ? `[${host}]` : host);
}

function cannotListen(host: string, port: number): OptionError {
  return new OptionError(
    `cannot listen on ${urlHost(host)}:${port}: another process may have the port. End it, or give ` +
      'another --port or --host',
    { option: 'port' },
  );
}

/** Logs the events that an operator needs. Node itself prints the warnings. */
function log({ report }: Terminal): () => void {
  const ends = [
    subscribe('rotated', ({ kid }) => report(`rewt serve: rotated, ${kid} signs now`)),
    subscribe('revoked', ({ epoch }) =>
      report(`rewt serve: revoked, every token of before is refused (epoch ${epoch})`),
    ),
    subscribe('resealed', ({ keyId }) =>
      report(`rewt serve: the keyring is ${keyId === null ? 'plain text' : `sealed with the key ${keyId}`} now`),
    ),
    subscribe('degraded', ({ code }) => report(`rewt serve: the store cannot be used (${code})`)),
    subscribe('recovered', ({ outageMs }) => report(`rewt serve: the store is back after ${Math.round(outageMs)} ms`)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
