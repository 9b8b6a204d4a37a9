/** The service of the demo that is called: it says yes to a token that verifies. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRewtError } from '../../errors.js';
import { openMember } from './place.js';
import { serve, tell } from './service.js';

serve(async (order) => {
  if (order.type !== 'start') return;
  const { rewt } = openMember(order.place);

  async function statusOf(authorization: string | undefined): Promise<number> {
    try {
      await rewt.verify(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
      return 200;
    } catch (error) {
      // 401: the token's fault. 503: the store's, and then the token may be good.
      return isRewtError(error) ? error.status : 500;
    }
  }

  const server = createServer((request, response) => {
    void statusOf(request.headers.authorization).then((status) => response.writeHead(status).end());
  });
  server.listen(0, '127.0.0.1', () => tell({ type: 'listening', port: (server.address() as AddressInfo).port }));
});
