/**
 * As a TypeScript program puts rewt in front of its routes, without the types of any framework or
 * of Node.
 */
import { memoryStore, Rewt } from 'rewt';
import { type AuthClaims, rewtAuth as expressAuth } from 'rewt/express';
import { type AuthState, rewtAuth as koaAuth } from 'rewt/koa';
import { rewtAuth as nodeAuth } from 'rewt/node';
import { rewtAuth as webAuth } from 'rewt/web';

declare const console: { log(line: string): void };

const rewt = new Rewt({ store: memoryStore() });

async function main(): Promise<void> {
  const headers = {
    authorization: `Bearer ${await rewt.sign({ sub: 'ann', tenant: 'acme' }, { audience: 'orders' })}`,
  };
  const response = {
    statusCode: 200,
    headersSent: false,
    getHeader: () => undefined,
    setHeader: () => {},
    removeHeader: () => {},
    end: () => {},
  };

  const express = expressAuth(rewt, { audience: 'orders', authorize: ({ sub }) => sub === 'ann' });
  const request: { headers: object; auth?: AuthClaims } = { headers };
  await new Promise<void>((resolve, reject) =>
    express(request, response, (error) => (error ? reject(error) : resolve())),
  );
  const bySub: string | undefined = request.auth?.sub;

  const koa = koaAuth<{ tenant: string }>(rewt, { maxAge: '1m' });
  const state: AuthState<{ tenant: string }> = {};
  const ctx = { req: { headers }, state, status: 404, body: null, set: () => {}, append: () => {}, remove: () => {} };
  await koa.with({ issuer: 'nobody' })(ctx, async () => {});
  const refused: number = ctx.status;
  await koa(ctx, async () => {});
  const byState: string | undefined = state.rewt?.tenant;

  const node = nodeAuth<{ tenant: string }>(rewt);
  const admission = await node({ headers }, response);
  if (admission.answered) throw new Error('answered');
  const tenant: string = admission.claims.tenant;
  const maybe = await node.with({ optional: true })({ headers: {} }, response);
  if (maybe.answered || maybe.claims !== undefined) throw new Error('claims of nobody');

  const web = webAuth<{ tenant: string }>(rewt);
  const found = await web({
    headers: { get: (name: string) => (name === 'authorization' ? headers.authorization : null) },
  });
  if (found.response) throw new Error('refused');
  const same: string = found.claims.tenant;
  if (same !== tenant || byState !== tenant) throw new Error('another tenant');

  // @ts-expect-error: no such option
  if (expressAuth.length > 2) expressAuth(rewt, { audiance: 'orders' });
  // @ts-expect-error: not a Rewt
  if (webAuth.length > 2) webAuth({});
  // @ts-expect-error: perhaps there are no claims
  const unsure = async () => (await node.with({ optional: true })({ headers }, response)).claims.tenant;
  console.log(`http: ${bySub} ${tenant} ${refused} ${typeof unsure}`);
}

void main();
