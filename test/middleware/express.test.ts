/** `rewt/express` on Express 4, Express 5 and what takes the same middleware. */
import express, { type ErrorRequestHandler, type Express, type Request } from 'express';
// @ts-expect-error: it has no types, and those of Express 5 serve for what is done here
import express4 from 'express4';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { memoryStore, Rewt } from '../../src/index.js';
import { type AuthClaims, rewtAuth } from '../../src/middleware/express.js';
import { httpConformance, type RunningServer } from '../conformance/http.js';
import { serve } from './listening.js';
import { ask } from './raw-client.js';

const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(500).end(error.message);
};

for (const [title, create] of [
  ['rewt/express on Express 5', express],
  ['rewt/express on Express 4', express4 as typeof express],
] as const) {
  httpConformance(title, {
    start({ rewt, options, routes, before = {} }) {
      const app = create();
      app.use((_request, response, next) => {
        for (const [name, value] of Object.entries(before)) response.setHeader(name, value);
        next();
      });
      const auth = rewtAuth(rewt, options);
      for (const [path, own] of Object.entries(routes)) {
        app.get(path, auth.with(own), (request, response) => {
          response.json({ claims: request.auth ?? null });
        });
      }
      app.use(answerErrors);
      return serve(app);
    },
    headerOf: (request: Request, name) => request.get(name),
  });
}

httpConformance('rewt/express on a server that takes middleware as connect does', {
  start({ rewt, options, routes, before = {} }) {
    const auth = rewtAuth(rewt, options);
    return serve((request: Parameters<typeof auth>[0] & { auth?: AuthClaims | undefined }, response) => {
      const own = routes[request.url ?? ''] ?? {};
      for (const [name, value] of Object.entries(before)) response.setHeader(name, value);
      auth.with(own)(request, response, (error) => {
        if (error !== undefined) response.writeHead(500).end((error as Error).message);
        else response.end(JSON.stringify({ claims: request.auth ?? null }));
      });
    });
  },
  headerOf: (request: { headers: Record<string, string | undefined> }, name) => request.headers[name],
});

describe('rewt/express', () => {
  const servers: RunningServer[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));
  const started = async (app: Express) => {
    const server = await serve(app);
    servers.push(server);
    return server.port;
  };
  const rewt = new Rewt({ store: memoryStore() });

  it('guards every route behind app.use, and some of them more', async () => {
    const auth = rewtAuth(rewt);
    const app = express().use(auth);
    app.get('/', (request, response) => void response.json(request.auth?.sub));
    app.get(
      '/admin',
      auth.with({ authorize: ({ sub }) => sub === 'root' }),
      (_request, response) => void response.end(),
    );
    const port = await started(app);
    const lines = [`Authorization: Bearer ${await rewt.sign({ sub: 'ann' })}`];
    expect(await ask(port, { path: '/' })).toMatchObject({ status: 401 });
    expect(await ask(port, { path: '/', lines })).toMatchObject({ status: 200, body: '"ann"' });
    expect(await ask(port, { path: '/admin', lines })).toMatchObject({ status: 403 });
  });

  it('is a named function, also with other options', () => {
    expect(rewtAuth(rewt).name).toBe('rewtAuth');
    expect(rewtAuth(rewt).with({ optional: true }).name).toBe('rewtAuth');
  });

  it('takes away claims that are there for another reason', async () => {
    const app = express().use((request, _response, next) => {
      request.auth = { sub: 'mallory' };
      next();
    });
    app.get('/', rewtAuth(rewt, { optional: true }), (request, response) => void response.json(request.auth ?? null));
    expect(await ask(await started(app), { path: '/' })).toMatchObject({ status: 200, body: 'null' });
  });

  it('goes by the header that middleware before it has put in place or taken away', async () => {
    const token = await rewt.sign({ sub: 'ann' });
    const app = express().use((request, _response, next) => {
      if (request.path === '/put') request.headers.authorization = `Bearer ${token}`;
      else delete request.headers.authorization;
      next();
    });
    app.use(rewtAuth(rewt), (_request, response) => void response.end());
    const port = await started(app);
    expect(await ask(port, { path: '/put' })).toMatchObject({ status: 200 });
    expect(await ask(port, { path: '/', lines: [`Authorization: Bearer ${token}`] })).toMatchObject({ status: 401 });
  });

  it('leaves alone a response that another middleware has begun meanwhile', async () => {
    const app = express().use((_request, response, next) => {
      next();
      response.status(504).end('too late');
    });
    app.use(rewtAuth(rewt));
    const lines = ['Authorization: Bearer junk'];
    expect(await ask(await started(app), { path: '/', lines })).toMatchObject({ status: 504, body: 'too late' });
  });

  describe('never leaves a rejection unhandled, and answers', () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    beforeEach(() => {
      unhandled.length = 0;
      process.on('unhandledRejection', onUnhandled);
    });
    afterEach(() => {
      process.off('unhandledRejection', onUnhandled);
      expect(unhandled).toEqual([]);
    });

    it('if the request has an auth that can only be read', async () => {
      const app = express().use((request, _response, next) => {
        Object.defineProperty(request, 'auth', { get: () => 'mine' });
        next();
      });
      app.use(rewtAuth(rewt, { optional: true }), (_request, response) => void response.end('let in'));
      app.use(answerErrors);
      expect(await ask(await started(app), { path: '/' })).toMatchObject({
        status: 500,
        body: expect.stringContaining('auth'),
      });
    });

    it.each([
      ['with an error', () => new Error('bug of the program')],
      ['with anything else', () => 'a text'],
    ])('if next itself throws, %s', async (_what, thrown) => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const auth = rewtAuth(rewt, { optional: true });
      const server = await serve((request, response) => {
        auth(request as never, response, () => {
          throw thrown();
        });
      });
      servers.push(server);
      expect(await ask(server.port, { path: '/' })).toMatchObject({ status: 500, body: '{"error":"server_error"}' });
      const message = expect.stringMatching(/bug of the program|next: failed/);
      expect(warn.mock.calls).toEqual([[expect.objectContaining({ message })]]);
      warn.mockRestore();
    });
  });

  it('has types for the claims, and lets a program annotate its own', () => {
    expectTypeOf<Request['auth']>().toEqualTypeOf<AuthClaims | undefined>();
    interface Mine extends AuthClaims {
      tenant: string;
    }
    rewtAuth(rewt, {
      authorize: ({ tenant }: Mine, request: Request<{ tenant: string }>) => tenant === request.params.tenant,
    });
    rewtAuth(rewt, { authorize: ({ sub }, { url }) => sub === url });
    // @ts-expect-error: the header is not given
    const options: Parameters<typeof rewtAuth>[1] = { complete: true };
    expect(options).toBeDefined();
    express().get('/:tenant', rewtAuth(rewt), (request) => expectTypeOf(request.params.tenant).toEqualTypeOf<string>());
  });
});
