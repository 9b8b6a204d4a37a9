/** A service on jsonwebtoken, with a secret in the environment. */
const { createServer } = require('node:http');
const jwt = require('jsonwebtoken');

const { JWT_SECRET, HOST = '127.0.0.1', PORT = '3000' } = process.env;

const server = createServer((req, res) => {
  if (req.url === '/token') {
    return res.end(jwt.sign({ username: 'ann' }, JWT_SECRET, { audience: 'orders', expiresIn: '15m' }));
  }
  try {
    const token = String(req.headers.authorization).replace('Bearer ', '');
    res.end(jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'], audience: 'orders' }).username);
  } catch {
    res.writeHead(401).end();
  }
});
server.listen(Number(PORT), HOST, () => console.log(`before listens on http://${HOST}:${server.address().port}`));
