/** The HTTP side of `rewt serve`: what a reverse proxy asks before it lets a request through, and what a probe and a scraper ask. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { nodeCredentials } from '../../http/credentials.js';
import type { NodeAuth } from '../../http/node.js';
import type { JwtClaims } from '../../jwt/registered-claims.js';
import { PROMETHEUS_TYPE, type Prometheus } from '../../observe/prometheus.js';
import { type ClaimHeader, headersOf } from './claim-headers.js';

/** Longer than the usual proxies keep a connection that nobody uses: who closes first must not be us, or a request could cross the end. */
const KEEP_ALIVE_MS = 75_000;

/** As much as a proxy may be set to hand on: a token may have 8 kB, and cookies come along. */
const MOST_HEADER_BYTES = 65_536;

const SWEEP_MS = 50;
/** Nobody is waited for longer at the end: an answer takes no longer than the store timeout. */
const GIVE_UP_MS = 5_000;

export interface Serving {
  readonly auth: NodeAuth<JwtClaims>;
  readonly headers: readonly ClaimHeader[];
  readonly prometheus: Prometheus;
  /** Resolves where tokens can be judged. */
  ready(): Promise<void>;
}

/** The open connections of each server: those on which nothing has come yet, Node does not count as idle. */
const connections = new WeakMap<Server, Set<Socket>>();

export function createAuthServer(serving: Serving): Server {
  const server = createServer({ maxHeaderSize: MOST_HEADER_BYTES }, (request, response) => {
    // What a proxy sends along is of no interest.
    request.resume();
    answer(serving, request, response).catch(() => {
      if (!response.headersSent) end(response, 500);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const open = new Set<Socket>();
  connections.set(server, open);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return server;
}

/** Answers what has come, takes nothing more, and waits for no connection on which nothing is asked. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const closeUnused = () => {
    server.closeIdleConnections();
    for (const socket of connections.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
  };
  closeUnused();
  const sweep = setInterval(closeUnused, SWEEP_MS);
  const giveUp = setTimeout(() => server.closeAllConnections(), GIVE_UP_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(giveUp);
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A whole URL may be the target, whoever its host is (RFC 9112 §3.2.2).
  const target = request.url?.replace(/^https?:\/\/[^/?]*/i, '') ?? '';
  // The query is the client's where a proxy hands on its URL (Envoy does), so nothing is ever read from it.
  const [path = ''] = target.split('?', 1);
  // Envoy puts the client's path behind the prefix that it is given.
  if (path === '/verify' || path.startsWith('/verify/')) return verify(serving, request, response);
  if (!['/healthz', '/readyz', '/metrics'].includes(path)) return end(response, 404);
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { allow: 'GET, HEAD' });
  if (path === '/metrics') return end(response, 200, { 'content-type': PROMETHEUS_TYPE }, serving.prometheus.text());
  if (path === '/readyz' && !(await isReady(serving))) return end(response, 503);
  return end(response, 200, { 'content-type': 'text/plain' }, 'ok\n');
}

/** 204 and the claims, or whatever an application behind `rewt/node` would have answered. */
async function verify({ auth, headers }: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { answered, claims } = await auth(request, response);
  // Claims came of it, so it is a token.
  if (!answered) end(response, 204, headersOf(nodeCredentials(request) as string, claims, headers));
}

function isReady(serving: Serving): Promise<boolean> {
  return serving.ready().then(
    () => true,
    () => false,
  );
}

function end(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): void {
  response.writeHead(status, { 'cache-control': 'no-store', ...headers });
  response.end(body);
}
