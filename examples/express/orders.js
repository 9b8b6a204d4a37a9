/** The service that is called: lets in who brings a token for `orders` that `shop` has signed. */
import express from 'express';
import { Rewt } from 'rewt';
import { rewtAuth } from 'rewt/express';

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3001' } = process.env;

const rewt = new Rewt({ redisConn: REDIS_URL, redisNamespace: 'example' });
const auth = rewtAuth(rewt, { audience: 'orders', issuer: 'shop' });

const app = express();
app.get('/orders', auth, (req, res) => {
  res.json({ askedBy: req.auth.iss, for: req.auth.sub, orders: ['a book', 'a lamp'] });
});

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error;
  console.log(`orders listens on http://${HOST}:${server.address().port}`);
});
