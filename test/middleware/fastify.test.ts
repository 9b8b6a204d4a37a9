/** `rewt/fastify` on Fastify. */
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { memoryStore, OptionError, Rewt } from '../../src/index.js';
import rewtAuthByDefault, { type AuthClaims, rewtAuth } from '../../src/middleware/fastify.js';
import { httpConformance, type RunningServer } from '../conformance/http.js';
import { ask } from './raw-client.js';

declare module 'fastify' {
  interface FastifyInstance {
    partnerAuth: FastifyInstance['rewtAuth'];
  }
  interface FastifyRequest {
    partner: AuthClaims | undefined;
  }
}

async function listen(app: FastifyInstance): Promise<RunningServer> {
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return { port: Number(new URL(address).port), close: () => app.close() };
}

for (const when of ['onRequest', 'preHandler'] as const) {
  httpConformance(`rewt/fastify as ${when}`, {
    async start({ rewt, options, routes, before = {} }) {
      const app = fastify();
      app.addHook('onRequest', async (_request, reply) => {
        // As middleware of Express' kind does it, and as a plugin does.
        for (const [name, value] of Object.entries(before)) {
          if (name.startsWith('Content-E')) reply.raw.setHeader(name, value);
          else reply.header(name, value);
        }
      });
      await app.register(rewtAuth, { rewt, ...options });
      app.setErrorHandler<Error>((error, _request, reply) => reply.code(500).send(error.message));
      for (const [path, own] of Object.entries(routes)) {
        app.get(path, { [when]: app.rewtAuth(own) }, (request) => ({ claims: request.rewt ?? null }));
      }
      return listen(app);
    },
    headerOf: ({ headers }: FastifyRequest, name) => headers[name] as string | undefined,
  });
}

describe('rewt/fastify', () => {
  const apps: FastifyInstance[] = [];
  afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));
  const create = (): FastifyInstance => {
    const app = fastify();
    apps.push(app);
    return app;
  };
  const rewt = new Rewt({ store: memoryStore() });

  it('guards all routes of an instance with one hook, and no others', async () => {
    const app = create();
    await app.register(rewtAuthByDefault, { rewt, audience: 'orders' });
    await app.register(async (guarded) => {
      guarded.addHook('onRequest', guarded.rewtAuth());
      guarded.get('/guarded', ({ rewt }) => rewt?.sub);
    });
    app.get('/open', ({ rewt }) => ({ claims: rewt ?? null }));
    const { port } = await listen(app);
    const lines = [`Authorization: Bearer ${await rewt.sign({ sub: 'ann' }, { audience: 'orders' })}`];
    expect(await ask(port, { path: '/guarded' })).toMatchObject({ status: 401 });
    expect(await ask(port, { path: '/guarded', lines })).toMatchObject({ status: 200, body: 'ann' });
    expect(await ask(port, { path: '/open', lines })).toMatchObject({ status: 200, body: '{"claims":null}' });
  });

  it('has its decorators outside of the plugin, under a separate name', async () => {
    const app = create();
    app.register(rewtAuth, { rewt, prefix: '/of-fastify', logLevel: 'warn' });
    await app.ready();
    expect(app.hasDecorator('rewtAuth') && app.hasRequestDecorator('rewt')).toBe(true);
    expect(app.hasPlugin('rewt')).toBe(true);
    expect(app.rewtAuth().name).toBe('rewtAuth');
  });

  it('serves two keyrings in one server, each under a name', async () => {
    const partner = new Rewt({ store: memoryStore() });
    const app = create();
    await app.register(rewtAuth, { rewt });
    await app.register(rewtAuth, { rewt: partner, name: 'partner' });
    app.get('/ours', { onRequest: app.rewtAuth() }, ({ rewt }) => rewt?.sub);
    app.get('/theirs', { onRequest: app.partnerAuth() }, ({ rewt, partner }) => `${rewt} ${partner?.sub}`);
    const ask = async (url: string, by: Rewt) =>
      (await app.inject({ url, headers: { authorization: `Bearer ${await by.sign({ sub: 'ann' })}` } })).body;
    expect(await ask('/ours', rewt)).toBe('ann');
    expect(await ask('/theirs', partner)).toBe('undefined ann');
    expect(await ask('/theirs', rewt)).toBe('{"error":"invalid_token"}');
    expect(await ask('/ours', partner)).toBe('{"error":"invalid_token"}');
  });

  it('refuses a name that is taken, and what is none', async () => {
    const app = create();
    await app.register(rewtAuth, { rewt });
    await expect(app.register(rewtAuth, { rewt })).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'name' });
    for (const name of ['', 'a b', '1', 5]) {
      const taken = create().register(rewtAuth, { rewt, name } as never);
      await expect(taken).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'name' });
    }
  });

  it.each([
    ...['server', 'ip', 'host', 'hostname', 'method', 'url', 'protocol', 'is404', 'socket', 'signal', 'routeOptions'],
    ...['headers', 'id', 'params', 'raw', 'query', 'log', 'body', 'validationError'],
    ...['__proto__', 'constructor', 'toString', 'session', 'user'],
  ])('refuses the name %s, which a request has already', async (name) => {
    const app = create();
    app.decorateRequest('session', undefined);
    app.decorateRequest('user', { getter: () => undefined });
    const registered = app.register(rewtAuth, { rewt, name });
    await expect(registered).rejects.toMatchObject({ code: 'ERR_REWT_OPTION', option: 'name' });
  });

  it('gives an optional route no claims but those of a token, under any name that it takes', async () => {
    for (const name of ['then', '$', 'partner', 'sub']) {
      const app = create();
      await app.register(rewtAuth, { rewt, name, optional: true });
      const maker = Reflect.get(app, `${name}Auth`) as FastifyInstance['rewtAuth'];
      app.post('/', { onRequest: maker() }, (request) => ({ claims: Reflect.get(request, name) ?? null }));
      const sent = { method: 'POST', url: '/?sub=root', payload: { sub: 'root' } } as const;
      expect((await app.inject({ ...sent, headers: { sub: 'root' } })).json()).toEqual({ claims: null });
      const authorization = `Bearer ${await rewt.sign({ sub: 'ann' })}`;
      expect((await app.inject({ ...sent, headers: { authorization } })).json()).toMatchObject({
        claims: { sub: 'ann' },
      });
    }
  });

  it('is found in a module that was required', async () => {
    const app = create();
    await app.register({ default: rewtAuth, rewtAuth } as unknown as typeof rewtAuth, { rewt });
    expect(app.hasDecorator('rewtAuth')).toBe(true);
  });

  it('tells of wrong options when it is registered, and of wrong overrides when a route is made', async () => {
    await expect(create().register(rewtAuth, { rewt, audiance: 'orders' } as never)).rejects.toThrow(
      "did you mean 'audience'?",
    );
    await expect(create().register(rewtAuth, {} as never)).rejects.toThrow(/needs a Rewt/);
    const app = create();
    await app.register(rewtAuth, { rewt });
    expect(() => app.rewtAuth({ audience: [] })).toThrow(OptionError);
  });

  it('works on requests that never were on a network', async () => {
    const app = create();
    await app.register(rewtAuth, { rewt });
    app.get('/', { onRequest: app.rewtAuth() }, ({ rewt }) => rewt?.sub);
    const headers = { authorization: `Bearer ${await rewt.sign({ sub: 'ann' })}` };
    expect((await app.inject({ url: '/', headers })).body).toBe('ann');
    expect((await app.inject('/')).statusCode).toBe(401);
  });

  it('leaves alone a reply that another handler has sent meanwhile', async () => {
    const app = create();
    await app.register(rewtAuth, { rewt });
    app.addHook('onRequest', (_request, reply, done) => {
      done();
      reply.code(504).send('too late');
    });
    app.get('/', { onRequest: app.rewtAuth() }, () => 'never');
    const headers = { authorization: 'Bearer junk' };
    expect(await app.inject({ url: '/', headers })).toMatchObject({ statusCode: 504, body: 'too late' });
  });

  it('has types for the claims', () => {
    expectTypeOf<FastifyRequest['rewt']>().toEqualTypeOf<AuthClaims | undefined>();
    const app = create();
    app.register(rewtAuth, { rewt, authorize: ({ sub }, { ip }) => sub === ip });
    // @ts-expect-error: without a Rewt there is nothing to verify with
    const wrong: Parameters<typeof rewtAuth>[1] = { audience: 'orders' };
    expect(wrong).toBeDefined();
  });
});
