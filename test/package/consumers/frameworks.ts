/**
 * As TypeScript programs use rewt with the frameworks themselves, and their claims in the places
 * that these have for them.
 */
import express = require('express');

import { fastify } from 'fastify';
import { Hono } from 'hono';

import Koa = require('koa');

import { memoryStore, Rewt } from 'rewt';
import { rewtAuth as expressAuth } from 'rewt/express';
import fastifyAuth, { rewtAuth } from 'rewt/fastify';
import { rewtAuth as honoAuth } from 'rewt/hono';
import { type AuthState, rewtAuth as koaAuth } from 'rewt/koa';

declare module 'rewt/express' {
  interface AuthClaims {
    tenant: string;
  }
}
declare module 'rewt/fastify' {
  interface AuthClaims {
    tenant: string;
  }
}

const rewt = new Rewt({ store: memoryStore() });

async function main(): Promise<void> {
  const authorization = `Bearer ${await rewt.sign({ tenant: 'acme' })}`;
  const tenants: string[] = [];

  const app = fastify();
  await app.register(fastifyAuth, {
    rewt,
    authorize: ({ tenant }, request) => request.method === 'GET' && tenant !== '',
  });
  app.get('/', { onRequest: app.rewtAuth({ maxAge: '1m' }) }, (request) => {
    const tenant: string | undefined = request.rewt?.tenant;
    return tenant;
  });
  tenants.push((await app.inject({ url: '/', headers: { authorization } })).body);
  if ((await app.inject('/')).statusCode !== 401) throw new Error('let in');
  await app.close();

  const hono = new Hono().get('/', honoAuth<{ tenant: string }>(rewt), (c) => {
    const tenant: string = c.get('rewt').tenant;
    return c.text(tenant);
  });
  tenants.push(await (await hono.request('/', { headers: { authorization } })).text());

  const other = express();
  const auth = expressAuth(rewt);
  other.get(
    '/:tenant',
    auth.with({ authorize: ({ tenant }, request: express.Request) => tenant === request.params.tenant }),
  );
  other.use(auth, (request, response) => {
    const tenant: string | undefined = request.auth?.tenant;
    response.json(tenant);
  });

  const koa = new Koa<AuthState<{ tenant: string }>>();
  koa.use(koaAuth(rewt));
  koa.use((ctx) => {
    const tenant: string | undefined = ctx.state.rewt?.tenant;
    ctx.body = tenant;
  });
  console.log(`frameworks: ${tenants.join(' ')} ${rewtAuth === fastifyAuth}`);
}

void main();
