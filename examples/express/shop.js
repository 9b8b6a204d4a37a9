/**
 * The service that calls: a token for `orders` goes along with each request, signed anew when it
 * has to be.
 */
import express from 'express';
import { isRewtError, Rewt } from 'rewt';
import { createFetch } from 'rewt/fetch';

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;
const { ORDERS_URL = 'http://127.0.0.1:3001' } = process.env;

const rewt = new Rewt({ redisConn: REDIS_URL, redisNamespace: 'example' });
// No other origin is sent a token. Over plain http only this machine is: see `plainHttp` for
// networks that encrypt by themselves.
const fetch = createFetch(rewt, { audience: { [ORDERS_URL]: 'orders' }, issuer: 'shop', subject: 'ann' });

const app = express();
app.get('/', async (_req, res) => {
  const answer = await fetch(new URL('/orders', ORDERS_URL));
  if (answer.ok) return res.json(await answer.json());
  // Not passed on as it is: that `orders` refuses the shop is no fault of the shop's client.
  res.status(answer.status === 503 ? 503 : 502).json({ error: `orders answered ${answer.status}` });
});
app.use((error, _req, res, next) => {
  // No token could be signed: the store is away.
  if (!isRewtError(error) || error.status !== 503) return next(error);
  res.set('Retry-After', '2').status(503).json({ error: 'temporarily_unavailable' });
});

const server = app.listen(Number(PORT), HOST, (error) => {
  if (error) throw error;
  console.log(`shop listens on http://${HOST}:${server.address().port}`);
});
