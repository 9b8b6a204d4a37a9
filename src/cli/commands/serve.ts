/** `rewt serve`: judges tokens for services in any language, behind a reverse proxy that asks before it lets a request through. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OptionError } from '../../errors.js';
import { rewtAuth } from '../../http/node.js';
import { subscribe } from '../../observe/channels.js';
import { createPrometheus } from '../../observe/prometheus.js';
import { Rewt } from '../../rewt.js';
import { addressOf, namespaceOf, placeInWords, placeOf } from '../address.js';
import { asSeconds, assertNoWords, readArguments } from '../arguments.js';
import type { Command } from '../command.js';
import { linkOptions } from '../link.js';
import { parseClaimHeaders } from '../serve/claim-headers.js';
import { closeServer, createAuthServer } from '../serve/server.js';
import { openPlace } from '../session.js';
import { type Terminal, unlessInterrupted } from '../terminal.js';

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
  --header <X-User=sub>   a claim in a header of its own; more than once: each.
                          X-Rewt-Claims has all: the token's own payload
  --max-staleness <time>  how old the copy of the keyring may be; default: 1m
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
    const port = asPort(values.port);
    const headers = parseClaimHeaders(values.header ?? []);
    const maxAge = asSeconds(values['max-age'], '--max-age');
    const maxStaleness = asSeconds(values['max-staleness'], '--max-staleness');
    const address = addressOf(values.url, terminal.env, values);
    const place = placeOf(address, namespace, values['key-prefix']);
    const opening = openPlace(address, namespace, place.keyPrefix);
    const { store, close } = await unlessInterrupted(opening, terminal);
    const endLog = log(terminal);
    try {
      await using rewt = new Rewt({ store, redisNamespace: namespace, maxStaleness });
      const prometheus = createPrometheus([rewt]);
      const auth = rewtAuth(rewt, { ...expected(values), maxAge });
      const server = createAuthServer({ auth, headers, prometheus, ready: () => rewt.ready() });
      // Asked once, so that the first request finds a copy; while the store is down, requests are answered with 503.
      rewt.ready().catch(() => {});
      server.listen(port, host);
      await once(server, 'listening').catch(() => {
        throw cannotListen(host, port);
      });
      terminal.say(`rewt serve: listening on http://${urlHost(host)}:${(server.address() as AddressInfo).port}`);
      terminal.say(`rewt serve: reads ${placeInWords(place)}`);
      await asked(terminal.interrupted);
      await closeServer(server);
      prometheus.end();
    } finally {
      endLog();
      await close();
    }
    return { json: {}, exitCode: 0 };
  },
};

/** What was asked for, and no name of what was not. */
function expected({ audience, issuer }: { audience?: string[] | undefined; issuer?: string[] | undefined }) {
  return { ...(audience && { audience }), ...(issuer && { issuer }) };
}

function asPort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new OptionError('--port: must be a number from 0 to 65535', { option: 'port' });
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function cannotListen(host: string, port: number): OptionError {
  return new OptionError(
    `cannot listen on ${urlHost(host)}:${port}: see whether another process has the port, or give another --port or --host`,
    { option: 'port' },
  );
}

/** What an operator wants to see in a log; warnings are said by Node itself. */
function log({ say }: Terminal): () => void {
  const ends = [
    subscribe('rotated', ({ kid }) => say(`rewt serve: rotated, ${kid} signs now`)),
    subscribe('revoked', ({ epoch }) => say(`rewt serve: revoked, every token of before is refused (epoch ${epoch})`)),
    subscribe('degraded', ({ code }) => say(`rewt serve: the store cannot be used (${code})`)),
    subscribe('recovered', ({ outageMs }) => say(`rewt serve: the store is back after ${Math.round(outageMs)} ms`)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function asked(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
