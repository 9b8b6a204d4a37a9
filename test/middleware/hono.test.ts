/** `rewt/hono` on Hono, behind node:http. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { type JwtClaims, memoryStore, type RegisteredClaims, Rewt } from '../../src/index.js';
import { rewtAuth } from '../../src/middleware/hono.js';
import { httpConformance } from '../conformance/http.js';
import { listening } from './listening.js';

httpConformance('rewt/hono', {
  start({ rewt, options, routes, before = {} }) {
    const app = new Hono();
    app.use(async (c, next) => {
      // As middleware of Hono's own does it, such as cors(), and as a program does.
      for (const [name, value] of Object.entries(before)) {
        if (name.startsWith('C')) c.res.headers.set(name, value);
        else c.header(name, value);
      }
      await next();
    });
    const auth = rewtAuth(rewt, options as object);
    for (const [path, own] of Object.entries(routes)) {
      app.get(path, auth.with(own), (c) => c.json({ claims: c.get('rewt') ?? null }));
    }
    app.onError((error, c) => c.text(error.message, 500));
    return listening(createServer(getRequestListener(app.fetch)));
  },
  headerOf: (c: Context, name) => c.req.header(name),
});

describe('rewt/hono', () => {
  const rewt = new Rewt({ store: memoryStore() });

  it('guards every route behind app.use', async () => {
    const app = new Hono();
    app.use(rewtAuth(rewt));
    app.get('/', (c) => c.json(c.get('rewt')?.sub));
    const headers = { authorization: `Bearer ${await rewt.sign({ sub: 'ann' })}` };
    expect((await app.request('/')).status).toBe(401);
    expect(await (await app.request('/', { headers })).json()).toBe('ann');
  });

  it('is a named function, also with other options', () => {
    expect(rewtAuth(rewt).name).toBe('rewtAuth');
    expect(rewtAuth(rewt).with({ optional: true }).name).toBe('rewtAuth');
  });

  it('has types for the claims: in the handlers of a route, and where the route is not known', () => {
    interface Mine {
      tenant: string;
    }
    const auth = rewtAuth<Mine>(rewt, {
      authorize: ({ tenant, sub }, c) => tenant === c.req.param('tenant') && sub !== '',
    });
    const app = new Hono();
    app.get('/', auth, (c) => {
      expectTypeOf(c.get('rewt')).toEqualTypeOf<Mine & RegisteredClaims>();
      expectTypeOf(c.var.rewt.tenant).toEqualTypeOf<string>();
      return c.body(null);
    });
    app.get('/', auth.with({ optional: true }), (c) => {
      expectTypeOf(c.get('rewt')).toEqualTypeOf<(Mine & RegisteredClaims) | undefined>();
      return c.body(null);
    });
    const schema = z.object({ role: z.enum(['clerk', 'boss']) });
    app.get('/', rewtAuth(rewt, { schema }), (c) => {
      expectTypeOf(c.get('rewt').role).toEqualTypeOf<'clerk' | 'boss'>();
      return c.body(null);
    });
    app.get('/', auth.with({ optional: true, schema, authorize: ({ role }) => role === 'boss' }), (c) => {
      expectTypeOf(c.get('rewt')?.role).toEqualTypeOf<'clerk' | 'boss' | undefined>();
      return c.body(null);
    });
    app.get('/', (c) => {
      expectTypeOf(c.get('rewt')).toEqualTypeOf<JwtClaims | undefined>();
      return c.body(null);
    });
  });
});
