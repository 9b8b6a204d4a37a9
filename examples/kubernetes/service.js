/** A service with probes that say what they are asked, and an end that loses no request. */
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Rewt } from 'rewt';
import { rewtAuth } from 'rewt/node';

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;
const { POD_NAME, DRAIN_SECONDS = '5' } = process.env;

// With a name, `rewt status` tells whether each pod holds the next secret.
const rewt = new Rewt({ redisConn: REDIS_URL, redisNamespace: 'example', memberName: POD_NAME });
const auth = rewtAuth(rewt, { audience: 'orders' });
let isEnding = false;

const server = createServer(async (req, res) => {
  // A client that keeps its connection would come back to this pod.
  if (isEnding) res.setHeader('Connection', 'close');
  // Alive: this process answers. Redis has no say in it, or an outage would restart every pod.
  if (req.url === '/livez') return res.end('ok');
  // Ready: tokens can be judged. `ready()` is answered within `storeTimeout` (1 s), so no timer of
  // our own is needed.
  if (req.url === '/readyz') {
    const isReady = !isEnding && (await rewt.ready().then(accept, refuse));
    return res.writeHead(isReady ? 200 : 503).end(isReady ? 'ok' : 'not ready');
  }
  const { answered, claims } = await auth(req, res);
  if (!answered) res.end(JSON.stringify({ for: claims.sub }));
});

const accept = () => true;
const refuse = () => false;

process.once('SIGTERM', async () => {
  isEnding = true;
  // Requests still come until every proxy knows that this pod ends.
  await setTimeout(Number(DRAIN_SECONDS) * 1000);
  server.close(() => rewt.close());
});

server.listen(Number(PORT), HOST, () => console.log(`service listens on http://${HOST}:${server.address().port}`));
