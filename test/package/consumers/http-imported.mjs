/** As an ES module uses what stands in front of routes. */
import assert from 'node:assert/strict';
import { fastify } from 'fastify';
import { memoryStore, OptionError, Rewt } from 'rewt';
import * as express from 'rewt/express';
import rewtAuth from 'rewt/fastify';
import * as hono from 'rewt/hono';
import * as koa from 'rewt/koa';
import * as node from 'rewt/node';
import * as web from 'rewt/web';

const rewt = new Rewt({ store: memoryStore() });
const app = fastify();
await app.register(rewtAuth, { rewt });
app.get('/', { onRequest: app.rewtAuth() }, (request) => request.rewt.sub);
const authorization = `Bearer ${await rewt.sign({ sub: 'ann' })}`;
assert.equal((await app.inject({ url: '/', headers: { authorization } })).body, 'ann');
assert.equal(
  (await app.inject({ url: '/', headers: { authorization: `${authorization.slice(0, -4)}AAAA` } })).statusCode,
  401,
);
await app.close();
for (const { rewtAuth } of [express, hono, koa, node, web]) {
  assert.equal(typeof rewtAuth(rewt).with, 'function');
  assert.throws(() => rewtAuth(), OptionError);
}
console.log('http-imported');
