/** As a CommonJS program uses what stands in front of routes. */
const assert = require('node:assert/strict');
const { fastify } = require('fastify');
const Rewt = require('rewt');

async function main() {
  const rewt = new Rewt({ store: Rewt.memoryStore() });
  const app = fastify();
  await app.register(require('rewt/fastify'), { rewt });
  app.addHook('onRequest', app.rewtAuth());
  app.get('/', (request) => request.rewt.sub);
  const authorization = `Bearer ${await rewt.sign({ sub: 'ann' })}`;
  assert.equal((await app.inject({ url: '/', headers: { authorization } })).body, 'ann');
  assert.equal(
    (await app.inject({ url: '/', headers: { authorization: `${authorization.slice(0, -4)}AAAA` } })).statusCode,
    401,
  );
  await app.close();
  for (const name of ['express', 'hono', 'koa', 'node', 'web']) {
    const { rewtAuth } = require(`rewt/${name}`);
    assert.equal(typeof rewtAuth(rewt).with, 'function');
    assert.throws(() => rewtAuth(), Rewt.OptionError);
  }
  console.log('http-required');
}

void main();
