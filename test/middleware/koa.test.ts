/** `rewt/koa` on Koa. */
import Koa from 'koa';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { memoryStore, type RegisteredClaims, Rewt } from '../../src/index.js';
import { type AuthState, rewtAuth } from '../../src/middleware/koa.js';
import { httpConformance } from '../conformance/http.js';
import { serve } from './listening.js';
import { ask } from './raw-client.js';

httpConformance('rewt/koa', {
  start({ rewt, options, routes, before = {} }) {
    const auth = rewtAuth(rewt, options);
    const guards = new Map(Object.entries(routes).map(([path, own]) => [path, auth.with(own)]));
    const app = new Koa<AuthState>();
    app.use(async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        ctx.status = 500;
        ctx.body = (error as Error).message;
      }
    });
    app.use((ctx, next) => {
      ctx.set(before);
      return next();
    });
    app.use((ctx, next) => guards.get(ctx.path)?.(ctx, next));
    app.use((ctx) => {
      ctx.body = { claims: ctx.state.rewt ?? null };
    });
    return serve(app.callback());
  },
  headerOf: ({ req }: Koa.Context, name) => req.headers[name] as string | undefined,
});

describe('rewt/koa', () => {
  const rewt = new Rewt({ store: memoryStore() });

  it('guards everything behind app.use, in an app of any type', async () => {
    const app = new Koa();
    app.use(rewtAuth(rewt));
    app.use((ctx) => {
      ctx.body = ctx.state.rewt.sub;
    });
    const server = await serve(app.callback());
    const lines = [`Authorization: Bearer ${await rewt.sign({ sub: 'ann' })}`];
    expect(await ask(server.port, { path: '/' })).toMatchObject({ status: 401 });
    expect(await ask(server.port, { path: '/', lines })).toMatchObject({ status: 200, body: 'ann' });
    await server.close();
  });

  it('leaves alone a response that another middleware has begun meanwhile', async () => {
    const app = new Koa();
    const told: unknown[] = [];
    app.on('error', (error) => told.push(error));
    app.use(async (ctx, next) => {
      ctx.respond = false;
      ctx.res.writeHead(504).end('too late');
      await next();
    });
    app.use(rewtAuth(rewt));
    const server = await serve(app.callback());
    expect(await ask(server.port, { path: '/' })).toMatchObject({ status: 504, body: 'too late' });
    expect(told).toEqual([]);
    await server.close();
  });

  it('is a named function, also with other options', () => {
    expect(rewtAuth(rewt).name).toBe('rewtAuth');
    expect(rewtAuth(rewt).with({ optional: true }).name).toBe('rewtAuth');
  });

  it('has types for the claims', () => {
    interface Mine {
      tenant: string;
    }
    const app = new Koa<AuthState<Mine>>();
    app.use(rewtAuth<Mine>(rewt, { authorize: ({ tenant }, ctx: Koa.Context) => tenant === ctx.path }));
    app.use((ctx) => {
      expectTypeOf(ctx.state.rewt).toEqualTypeOf<(Mine & RegisteredClaims) | undefined>();
    });
  });
});
