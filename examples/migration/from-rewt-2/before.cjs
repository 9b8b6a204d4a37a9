/** A service on rewt 2. */
const { createServer } = require('node:http');
const redis = require('redis'); // 2 or 3
const Rewt = require('rewt'); // 2

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;

const client = redis.createClient(REDIS_URL);
client.on('error', (error) => console.error(error.message));

const rewt = new Rewt({
  redisConn: client,
  redisNamespace: 'example',
  ttl: 60 * 60,
});

const server = createServer((req, res) => {
  if (req.url === '/token') {
    rewt.sign({ username: 'ann' }, (error, token) => {
      if (error) return res.writeHead(500).end();
      res.end(token);
    });
    return;
  }
  rewt.verify(String(req.headers.authorization).replace('Bearer ', ''), (error, payload) => {
    if (error) return res.writeHead(401).end();
    res.end(payload.username);
  });
});
server.listen(Number(PORT), HOST, () => console.log(`before listens on http://${HOST}:${server.address().port}`));
