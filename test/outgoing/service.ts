/** A real service on loopback that verifies the tokens that it is sent, and tells what came. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRewtError, type Rewt } from '../../src/index.js';

export interface Arrival {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly token: string | undefined;
  readonly body: string;
}

export interface Service {
  readonly origin: string;
  /** Everything that came, in its order. */
  readonly arrivals: Arrival[];
  tokens(): (string | undefined)[];
  /** What the service answers in place of a verification. */
  answer: ((arrival: Arrival, response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

export const refusal = { 'www-authenticate': 'Bearer error="invalid_token"' };

export async function startService(rewt: Rewt, audience: string): Promise<Service> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const token = headers.authorization?.replace(/^Bearer /, '');
    const arrival = { method, url, headers, token, body: Buffer.concat(chunks).toString() };
    service.arrivals.push(arrival);
    if (service.answer !== null) {
      service.answer(arrival, response);
      return;
    }
    try {
      response.end(JSON.stringify(await rewt.verify(token ?? '', { audience })));
    } catch (error) {
      response.writeHead(isRewtError(error) ? error.status : 500, refusal).end('refused');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service: Service = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals: [],
    tokens: () => service.arrivals.map(({ token }) => token),
    answer: null,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return service;
}
