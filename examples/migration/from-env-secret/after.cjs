/** The same service on rewt: the secret is in Redis, and sign and verify are asynchronous. */
const { createServer } = require('node:http');
const Rewt = require('rewt');

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;

const rewt = new Rewt({
  redisConn: REDIS_URL,
  redisNamespace: 'example',
  tokenLifetime: '15m', // at least the longest that was signed before: so long do old tokens verify after a rotation
});

const server = createServer(async (req, res) => {
  try {
    if (req.url === '/token') {
      return res.end(await rewt.sign({ username: 'ann' }, { audience: 'orders', expiresIn: '15m' }));
    }
    const token = String(req.headers.authorization).replace('Bearer ', '');
    res.end((await rewt.verify(token, { algorithms: ['HS256'], audience: 'orders' })).username);
  } catch (error) {
    res.writeHead(error.status).end(); // 401: the token is refused. 503: the store is away
  }
});
server.listen(Number(PORT), HOST, () => console.log(`after listens on http://${HOST}:${server.address().port}`));
