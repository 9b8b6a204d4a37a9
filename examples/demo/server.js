/** The service that is called: 200 for a token that verifies, else 401; 503 without a store. */

import { createServer } from 'node:http';
import { rewtAuth } from 'rewt/node';
import { rewt, tell } from './service.js';

const auth = rewtAuth(rewt, { audience: 'server' });

const server = createServer(async (request, response) => {
  const { answered } = await auth(request, response);
  if (!answered) response.end();
});
server.listen(0, '127.0.0.1', () => tell('listening', server.address().port));
