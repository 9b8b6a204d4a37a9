/**
 * What every server with `rewtAuth` answers (RFC 6750 §2.1, §3, §3.1), as one table that is run
 * against each framework on a real socket.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rewt } from '../../src/index.js';
import { ask } from '../middleware/raw-client.js';
import type { FaultyStore } from '../support/faulty-store.js';
import { knownSecrets, knownStore } from '../support/known-ring.js';
import {
  bare,
  expectAnswer,
  type HttpFixture,
  type RouteOptions,
  type RunningServer,
  tokens,
  type Wanted,
} from './http-plan.js';
import { refusedConformance } from './http-refused.js';

export type { RunningServer } from './http-plan.js';

type Row = readonly [title: string, path: string, lines: readonly string[], answer: Wanted];

/** `$NAME` is a token of `tokens()`. Claims, or null for none, stand for a request that went on. */
const table: readonly Row[] = [
  ['no header', '/claims', [], 'missing'],
  ['another scheme', '/claims', ['Authorization: Basic YW5uOnBhc3M='], 'missing'],
  ['a scheme with parameters', '/claims', ['Authorization: Digest username="ann, b", realm="c", nc=01'], 'missing'],
  ['a scheme with a comma in quotes', '/claims', ['Authorization: Digest username="Smith, John A"'], 'missing'],
  [
    'a scheme with a quote in quotes',
    '/claims',
    ['Authorization: Digest username="a\\", b c", realm="d, e f"'],
    'missing',
  ],
  ['a scheme that begins as ours', '/claims', ['Authorization: Bearers $GOOD'], 'missing'],
  ['a token without a scheme', '/claims', ['Authorization: $GOOD'], 'missing'],
  ['a token in another header', '/claims', ['X-Token: $GOOD'], 'missing'],

  ['an empty header', '/claims', ['Authorization:'], 'malformed'],
  ['a scheme and no token', '/claims', ['Authorization: Bearer'], 'malformed'],
  ['a scheme, spaces and no token', '/claims', ['Authorization: Bearer    '], 'malformed'],
  ['two tokens', '/claims', ['Authorization: Bearer $GOOD $GOOD'], 'malformed'],
  ['two tokens with a comma', '/claims', ['Authorization: Bearer $GOOD,$GOOD'], 'malformed'],
  ['two credentials in one header', '/claims', ['Authorization: Bearer $GOOD, Bearer $GOOD'], 'malformed'],
  ['a scheme twice', '/claims', ['Authorization: Bearer Bearer $GOOD'], 'malformed'],
  ['a token in quotes', '/claims', ['Authorization: Bearer "$GOOD"'], 'malformed'],
  ['a parameter in place of a token', '/claims', ['Authorization: Bearer token="$GOOD"'], 'malformed'],
  ['a tab after the scheme', '/claims', ['Authorization: Bearer\t$GOOD'], 'malformed'],
  ['a character that no token has', '/claims', ['Authorization: Bearer $GOOD!'], 'malformed'],
  ['padding within the token', '/claims', ['Authorization: Bearer a=b'], 'malformed'],
  ['bytes beyond ASCII', '/claims', ['Authorization: Bearer \u00e9\u00ff'], 'malformed'],
  ['a space beyond ASCII', '/claims', ['Authorization: Bearer\u00a0$GOOD'], 'malformed'],
  [
    'other credentials after a text in quotes',
    '/claims',
    ['Authorization: Digest username="a, b c", Bearer $GOOD'],
    'malformed',
  ],
  ['quotes that do not close', '/claims', ['Authorization: Digest username="a, Bearer $GOOD'], 'malformed'],
  ['what is no scheme', '/claims', ['Authorization: @@@'], 'malformed'],
  ['two headers', '/claims', ['Authorization: Bearer $GOOD', 'Authorization: Bearer $GOOD'], 'malformed'],
  ['two headers, cases mixed', '/claims', ['Authorization: Bearer $GOOD', 'authorizatioN: Bearer $ADMIN'], 'malformed'],
  [
    'another scheme in a first header',
    '/claims',
    ['Authorization: Basic eA==', 'Authorization: Bearer $GOOD'],
    'malformed',
  ],
  [
    'another scheme in a second header',
    '/claims',
    ['Authorization: Bearer $GOOD', 'Authorization: Basic eA=='],
    'malformed',
  ],

  ['a good token', '/claims', ['Authorization: Bearer $GOOD'], { sub: 'ann', aud: 'orders' }],
  ['a scheme in lower case', '/claims', ['Authorization: bearer $GOOD'], { sub: 'ann' }],
  ['a scheme in upper case', '/claims', ['AUTHORIZATION: BEARER $GOOD'], { sub: 'ann' }],
  ['several spaces', '/claims', ['Authorization:    Bearer    $GOOD   '], { sub: 'ann' }],

  ['junk', '/claims', ['Authorization: Bearer junk'], 'refused'],
  ['padding after the token', '/claims', ['Authorization: Bearer $GOOD='], 'refused'],
  ['an expired token', '/claims', ['Authorization: Bearer $EXPIRED'], 'refused'],
  ['a token that is not valid yet', '/claims', ['Authorization: Bearer $EARLY'], 'refused'],
  ['a token for another audience', '/claims', ['Authorization: Bearer $ELSEWHERE'], 'refused'],
  ['a forged token', '/claims', ['Authorization: Bearer $FORGED'], 'refused'],
  ['a token without a signature', '/claims', ['Authorization: Bearer $UNSIGNED'], 'refused'],
  ['alg none', '/claims', ['Authorization: Bearer $NONE'], 'refused'],
  ['an unknown kid', '/claims', ['Authorization: Bearer $UNKNOWN'], 'refused'],
  ['a token that is too long', '/claims', ['Authorization: Bearer $LONG'], 'refused'],
  ['a signed text, which is no claims set', '/any', ['Authorization: Bearer $TEXT'], 'refused'],
  ['a signed null, which is no claims set', '/any', ['Authorization: Bearer $NO_CLAIMS'], 'refused'],

  ['claims that are not enough', '/admin', ['Authorization: Bearer $GOOD'], 'scoped'],
  ['claims that are enough', '/admin', ['Authorization: Bearer $ADMIN'], { role: 'admin' }],
  ['a bad token where claims are asked for', '/admin', ['Authorization: Bearer $EXPIRED'], 'refused'],
  ['no token where claims are asked for', '/admin', [], 'missing'],
  ['a policy that waits and says no', '/waits', ['Authorization: Bearer $GOOD'], 'forbidden'],
  ['a policy that waits and says yes', '/waits', ['Authorization: Bearer $ADMIN'], { role: 'admin' }],
  ['a policy that forgets to say anything', '/forgets', ['Authorization: Bearer $GOOD'], 'forbidden'],
  ['a policy that says what is not true', '/vague', ['Authorization: Bearer $GOOD'], 'forbidden'],
  ['a policy that says later what is not true', '/vague-later', ['Authorization: Bearer $GOOD'], 'forbidden'],
  [
    'a policy that sees the request, which does not fit',
    '/request',
    ['Authorization: Bearer $GOOD', 'X-Sub: bob'],
    'forbidden',
  ],
  [
    'a policy that sees the request, which fits',
    '/request',
    ['Authorization: Bearer $GOOD', 'X-Sub: ann'],
    { sub: 'ann' },
  ],

  ['another audience for this route', '/billing', ['Authorization: Bearer $ELSEWHERE'], { aud: 'billing' }],
  ['the audience of the others', '/billing', ['Authorization: Bearer $GOOD'], 'refused'],
  ['an option that is undefined for this route', '/same', ['Authorization: Bearer $ELSEWHERE'], 'refused'],

  ['optional: no header', '/optional', [], null],
  ['optional: another scheme', '/optional', ['Authorization: Basic YW5uOnBhc3M='], null],
  ['optional: another scheme, with a comma', '/optional', ['Authorization: Digest username="Smith, John A"'], null],
  ['optional: a good token', '/optional', ['Authorization: Bearer $GOOD'], { sub: 'ann' }],
  ['optional: an expired token', '/optional', ['Authorization: Bearer $EXPIRED'], 'refused'],
  ['optional: bad syntax', '/optional', ['Authorization: Bearer a b'], 'malformed'],
  ['optional: two headers', '/optional', ['Authorization: Basic eA==', 'Authorization: Bearer $GOOD'], 'malformed'],

  ['token from elsewhere', '/elsewhere', ['X-Token: $GOOD'], { sub: 'ann' }],
  ['token from elsewhere, bad', '/elsewhere', ['X-Token: $EXPIRED'], 'refused'],
  ['token from elsewhere, of no known form', '/elsewhere', ['X-Token: a b'], 'refused'],
  ['token from elsewhere, empty', '/elsewhere', ['X-Token:'], 'missing'],
  ['token from elsewhere, in its old place', '/elsewhere', ['Authorization: Bearer $GOOD'], 'missing'],
  ['token from elsewhere, later', '/later', ['X-Token: $GOOD'], { sub: 'ann' }],
];

/** While the store cannot be used, and the copy has ended. */
const outage: readonly Row[] = [
  ['a good token', '/claims', ['Authorization: Bearer $GOOD'], 'unavailable'],
  ['a forged token, which cannot be judged', '/claims', ['Authorization: Bearer $FORGED'], 'unavailable'],
  ['optional: a good token', '/optional', ['Authorization: Bearer $GOOD'], 'unavailable'],
  ['optional: no header', '/optional', [], null],
  ['junk', '/claims', ['Authorization: Bearer junk'], 'refused'],
  ['bad syntax', '/claims', ['Authorization: Bearer a b'], 'malformed'],
  ['no header', '/claims', [], 'missing'],
];

/** What frameworks take for leave to go on, where it is handed to `next`. */
const nothings = Object.entries({
  undefined,
  null: null,
  zero: 0,
  empty: '',
  false: false,
  route: 'route',
  router: 'router',
});

function throwIt(thrown: unknown): never {
  throw thrown;
}

/** Registers the suite. */
export function httpConformance(title: string, fixture: HttpFixture): void {
  const { start, headerOf } = fixture;
  const known = tokens();
  const header = (request: unknown, name: string) => headerOf(request as never, name);
  const routes: Record<string, RouteOptions> = {
    '/claims': {},
    '/any': { audience: /.*/, requiredClaims: [] },
    '/admin': { authorize: ({ role }) => role === 'admin', scope: 'orders:write orders:read' },
    '/waits': { authorize: async ({ role }) => role === 'admin' },
    '/forgets': { authorize: (() => undefined) as never },
    '/vague-later': { authorize: (async () => 'yes') as never },
    '/vague': { authorize: (() => 'yes') as never },
    '/request': { authorize: ({ sub }, request) => header(request, 'x-sub') === sub },
    '/billing': { audience: 'billing' },
    '/same': { authorize: undefined, maxAge: undefined },
    '/optional': { optional: true },
    '/elsewhere': { token: (request) => header(request, 'x-token') },
    '/later': { token: async (request) => header(request, 'x-token') },
    '/throws': {
      authorize: () => {
        throw new Error('thrown by authorize');
      },
    },
    '/rejects': { authorize: () => Promise.reject(new Error('rejected by authorize')) },
    '/token-throws': {
      token: () => {
        throw new Error('thrown by token');
      },
    },
    '/token-rejects': { token: () => Promise.reject(new Error('rejected by token')) },
    '/token-list': { token: (() => ['a', 'b']) as never },
    ...Object.fromEntries(
      nothings.flatMap(([name, nothing]) => [
        [`/throws-${name}`, { authorize: () => throwIt(nothing) }],
        [`/rejects-${name}`, { authorize: () => Promise.reject(nothing) }],
        [`/token-throws-${name}`, { token: () => throwIt(nothing) }],
        [`/token-rejects-${name}`, { token: () => Promise.reject(nothing) }],
        [`/hook-throws-${name}`, { onRefused: () => throwIt(nothing) }],
      ]),
    ),
  };

  describe(title, () => {
    let rewt: Rewt;
    let store: FaultyStore;
    let server: RunningServer;

    beforeAll(async () => {
      store = (await knownStore({ rewt: knownSecrets })) as FaultyStore;
      rewt = new Rewt({ store, maxStaleness: 0, ttl: 3600 });
      server = await start({ rewt, options: { audience: 'orders', realm: 'orders' }, routes });
    });
    afterAll(async () => {
      await server?.close();
      await rewt?.close();
    });

    const send = (path: string, lines: readonly string[], method = 'GET') =>
      ask(server.port, {
        path,
        method,
        lines: lines.map((line) => line.replace(/\$([A-Z_]+)/g, (_, name) => known[name] ?? '')),
      });

    it.each(table)('answers %s on %s', async (_title, path, lines, answer) => {
      expectAnswer(await send(path, lines), answer);
    });

    it('answers HEAD as GET, without a body', async () => {
      const answer = await send('/claims', [], 'HEAD');
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': bare }, body: '' });
    });

    describe('while the store cannot be used', () => {
      beforeAll(() => {
        store.reads = 'down';
      });
      afterAll(() => {
        store.reads = 'up';
      });

      it.each(outage)('answers %s on %s', async (_title, path, lines, answer) => {
        expectAnswer(await send(path, lines), answer);
      });
    });

    it.each([
      ['throws', '/throws', 'thrown by authorize'],
      ['rejects', '/rejects', 'rejected by authorize'],
    ])('hands what authorize %s to the framework', async (_way, path, message) => {
      expect(await send(path, ['Authorization: Bearer $GOOD'])).toMatchObject({ status: 500, body: message });
    });

    it.each(nothings)('lets no caller in where %s is thrown', async (name) => {
      for (const path of ['/throws', '/rejects', '/token-throws', '/token-rejects']) {
        const answer = await send(`${path}-${name}`, ['Authorization: Bearer $GOOD']);
        const option = path.startsWith('/token') ? 'token' : 'authorize';
        expect(answer, path).toMatchObject({
          status: 500,
          body: `${option}: failed, and with something that is no Error`,
        });
      }
      expect((await send(`/hook-throws-${name}`, [])).status).toBe(500);
    });

    it('answers a token that is no string as a malformed one', async () => {
      expectAnswer(await send('/token-list', []), 'malformed');
    });

    it.each([
      ['throws', '/token-throws', 'thrown by token'],
      ['rejects', '/token-rejects', 'rejected by token'],
    ])('hands what token %s to the framework', async (_way, path, message) => {
      expect(await send(path, [])).toMatchObject({ status: 500, body: message });
    });
    refusedConformance(fixture, known);
  });
}
