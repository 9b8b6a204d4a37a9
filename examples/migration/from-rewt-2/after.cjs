/** The same service on rewt 3: what has changed has a comment. */
const { createServer } = require('node:http');
const redis = require('redis'); // 2 or 3 as before, or later
const Rewt = require('rewt'); // 3

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;

const client = redis.createClient({ url: REDIS_URL }); // redis 4 and later take no string
client.on('error', (error) => console.error(error.message));

const rewt = new Rewt({
  redisConn: client,
  redisNamespace: 'example',
  ttl: 60 * 60,
  // cacheSecret: true,   is gone: each member keeps a copy, for `maxStaleness` at most
  tokenLifetime: '15m', // tokens have an end now; the default is five minutes
});

const server = createServer((req, res) => {
  if (req.url === '/token') {
    rewt.sign({ username: 'ann' }, (error, token) => {
      if (error) return res.writeHead(error.status).end(); // 503: the store is away
      res.end(token);
    });
    return;
  }
  rewt.verify(String(req.headers.authorization).replace('Bearer ', ''), (error, payload) => {
    if (error) return res.writeHead(error.status).end(); // 401: the token. 503: the store, which was a 401 before
    res.end(payload.username);
  });
});
server.listen(Number(PORT), HOST, () => console.log(`after listens on http://${HOST}:${server.address().port}`));
