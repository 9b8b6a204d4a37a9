/** The HTTP side of `rewt serve`: the endpoints for a reverse proxy, a probe and a scraper. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { JwtClaims } from '../../jwt/registered-claims.js';
import { nodeCredentials } from '../../middleware/credentials.js';
import type { NodeAuth } from '../../middleware/node.js';
import { type ClaimHeader, headersOf } from './claim-headers.js';
import { PROMETHEUS_TYPE, type Prometheus } from './prometheus.js';

/**
 * Longer than the usual proxies keep an idle connection. If the server closed it first, it could
 * cut off a request.
 */
const KEEP_ALIVE_MS = 75_000;

/** The usual maximum that a proxy forwards: a token may have 8 kB, and cookies are sent along. */
const MAX_HEADER_BYTES = 65_536;

const SWEEP_MS = 50;
/** The maximum wait at the end: no response takes longer than the store timeout. */
const GIVE_UP_MS = 5_000;

export interface Serving {
  readonly auth: NodeAuth<JwtClaims>;
  readonly headers: readonly ClaimHeader[];
  readonly prometheus: Prometheus;
  /** Resolves once tokens can be verified. */
  ready(): Promise<void>;
}

/**
 * The open connections of each server. Node does not count a connection as idle before its first
 * request.
 */
const connections = new WeakMap<Server, Set<Socket>>();

export function createAuthServer(serving: Serving): Server {
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    // The body is not used.
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

/** Answers the requests in flight, accepts no more, and closes idle connections. */
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
  // The target may be a whole URL, with any host (RFC 9112 §3.2.2).
  const target = request.url?.replace(/^https?:\/\/[^/?]*/i, '') ?? '';
  // The query comes from the client if a proxy forwards its URL (Envoy does), so it is never read.
  const [path = ''] = target.split('?', 1);
  // Envoy adds the client's path to the configured prefix.
  if (path === '/verify' || path.startsWith('/verify/')) return verify(serving, request, response);
  if (!['/healthz', '/readyz', '/metrics'].includes(path)) return end(response, 404);
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { allow: 'GET, HEAD' });
  if (path === '/metrics') return end(response, 200, { 'content-type': PROMETHEUS_TYPE }, serving.prometheus.text());
  if (path === '/readyz' && !(await isReady(serving))) return end(response, 503);
  return end(response, 200, { 'content-type': 'text/plain' }, 'ok\n');
}

/** Answers with 204 and the claims, or with the error response of `rewt/node`. */
async function verify({ auth, headers }: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { answered, claims } = await auth(request, response);
  // It has claims, so it is a token.
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
