/** A service whose routes ask for different things of a token. */
import { fastify } from 'fastify';
import { Rewt } from 'rewt';
import rewtAuth from 'rewt/fastify';

const { REDIS_URL = 'redis://localhost:6379', HOST = '127.0.0.1', PORT = '3000' } = process.env;

const app = fastify();
await app.register(rewtAuth, {
  rewt: new Rewt({ redisConn: REDIS_URL, redisNamespace: 'example' }),
  audience: 'reports',
});

// The plugin protects nothing by itself: each route below says what it wants.
app.get('/', () => ({ service: 'reports' }));

app.get('/reports', { onRequest: app.rewtAuth() }, (request) => ({ for: request.rewt.sub, reports: ['may', 'june'] }));

// What is named here replaces what the plugin was given; the audience stays.
const editorsOnly = app.rewtAuth({ authorize: (claims) => claims.role === 'editor', scope: 'reports:write' });
app.delete('/reports/:name', { onRequest: editorsOnly }, (request) => ({ deleted: request.params.name }));

const address = await app.listen({ host: HOST, port: Number(PORT) });
console.log(`reports listens on ${address}`);
