/**
 * Servers with a trivial route, and in front of it nothing, ours, or what people have there today:
 * each set up as fast as it goes, with the same expectations.
 */

import { createSecretKey } from 'node:crypto';
import fastifyJwt from '@fastify/jwt';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import { expressjwt } from 'express-jwt';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { jwt } from 'hono/jwt';
import { rewtAuth as expressAuth } from '../dist/esm/middleware/express.js';
import { rewtAuth as fastifyAuth } from '../dist/esm/middleware/fastify.js';
import { rewtAuth as honoAuth } from '../dist/esm/middleware/hono.js';
import { answer, ordered } from './child.js';
import { createOurs, floor } from './contenders.js';
import { audience, issuer } from './samples.js';
import { startProfile } from './where.js';

let stopProfile;

answer({
  /** The port of each. */
  async listen() {
    const { rewt, secret } = await createOurs(ordered().port);
    const key = createSecretKey(Buffer.from(secret));
    const pass = (_request, _response, next) => next();
    const byHand = floor(secret);
    /** What everybody could write: no scheme, no form, no error response. */
    const judge = (authorization) => byHand.verify(authorization.slice('Bearer '.length));
    const verify = { algorithms: ['HS256'], allowedAud: audience, allowedIss: issuer };
    return {
      Express: {
        nothing: await onExpress(pass),
        rewt: await onExpress(expressAuth(rewt)),
        'the floor': await onExpress((request, _response, next) => {
          request.auth = judge(request.headers.authorization);
          next();
        }),
        'express-jwt': await onExpress(expressjwt({ secret: key, algorithms: ['HS256'], audience, issuer })),
      },
      Fastify: {
        nothing: await onFastify(undefined),
        rewt: await onFastify(async (app) => {
          await app.register(fastifyAuth, { rewt });
          return app.rewtAuth();
        }),
        'the floor': await onFastify(() => (request, _reply, done) => {
          request.auth = judge(request.headers.authorization);
          done();
        }),
        '@fastify/jwt': await onFastify(withFastifyJwt({ secret, verify })),
        '@fastify/jwt, cache': await onFastify(withFastifyJwt({ secret, verify: { ...verify, cache: true } })),
      },
      Hono: {
        nothing: await onHono((_context, next) => next()),
        rewt: await onHono(honoAuth(rewt)),
        'the floor': await onHono((context, next) => {
          context.set('claims', judge(context.req.header('authorization')));
          return next();
        }),
        'hono/jwt': await onHono(jwt({ secret, alg: 'HS256', verification: { aud: audience, iss: issuer } })),
      },
    };
  },
  async profile() {
    stopProfile = await startProfile();
  },
  /** Microseconds by what took them, since `profile`. */
  profiled: () => stopProfile(),
  /** Microseconds of the processor that this process has used so far. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});

function withFastifyJwt(options) {
  return async (app) => {
    await app.register(fastifyJwt, options);
    return (request) => request.jwtVerify();
  };
}

async function onExpress(middleware) {
  const app = express();
  app.get('/', middleware, (_request, response) => response.status(204).end());
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server.address().port;
}

async function onHono(middleware) {
  const app = new Hono();
  app.get('/', middleware, (context) => context.body(null, 204));
  const server = createAdaptorServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server.address().port;
}

async function onFastify(setUp) {
  const app = fastify();
  const onRequest = await setUp?.(app);
  app.get('/', onRequest ? { onRequest } : {}, (_request, reply) => reply.code(204).send());
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app.server.address().port;
}
