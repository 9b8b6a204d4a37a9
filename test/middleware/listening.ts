/** Real servers on loopback, each on a separate port. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningServer } from '../conformance/http.js';

export function serve(listener: RequestListener): Promise<RunningServer> {
  return listening(createServer(listener));
}

export async function listening(server: Server): Promise<RunningServer> {
  server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
