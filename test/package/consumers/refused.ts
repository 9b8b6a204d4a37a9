/** What must not compile: TypeScript reports an expected error that does not come. Never run. */
import { type Callback, memoryStore, OptionError, Rewt, type RewtOptions, type Store, TokenError } from 'rewt';

const store: Store = memoryStore();
const rewt = new Rewt({ store });

// @ts-expect-error: the options are not optional
new Rewt();
// @ts-expect-error: a ttl is seconds, or a text with a unit
new Rewt({ store, ttl: true });
// @ts-expect-error: no such option
new Rewt({ store, cacheSecret: true });
// @ts-expect-error: a client or a URL, not a port
new Rewt({ redisConn: 6379 });
// @ts-expect-error: HS256 only
new Rewt({ store, algorithms: ['none'] });
// @ts-expect-error: an option of verify
new Rewt({ store, sign: { maxAge: 60 } });
// @ts-expect-error: a store has to read and swap
new Rewt({ store: { close: async () => {} } });

// @ts-expect-error: a payload is an object or a text
rewt.sign(5);
// @ts-expect-error: no such option
rewt.sign({}, { expires: 60 });
// @ts-expect-error: who gives a callback gets no promise
const promise: Promise<string> = rewt.sign({}, () => {});
// @ts-expect-error: the callback comes last
rewt.sign({}, () => {}, { expiresIn: 60 });
// @ts-expect-error: there is an error before the result
rewt.sign({}, (token: string) => token);
// @ts-expect-error: where there was an error there is no token
const callback: Callback<string> = (_error, token) => token.length;

// @ts-expect-error: a token is a string
rewt.verify({ token: 'a.b.c' });
// @ts-expect-error: an option of sign
rewt.verify('a.b.c', { expiresIn: 60 });
// @ts-expect-error: the claims are those that were asked for
const claims: Promise<{ username: number }> = rewt.verify<{ username: string }>('a.b.c', { maxAge: 60 });
// @ts-expect-error: what is there at once is no promise
rewt.verifySync('a.b.c').then(() => {});
// @ts-expect-error: without a promise there is no callback
rewt.signSync({}, () => {});
// @ts-expect-error: verifyComplete() gives the header
rewt.verify('a.b.c', { complete: true });
// @ts-expect-error: it is no property of the claims
const header = rewt.verify<{ username: string }>('a.b.c').then((claims) => claims.header);

const mine = new Rewt<{ username: string }>({ store });
// @ts-expect-error: not the claims of this instance
mine.sign({ user: 'ann' });
// @ts-expect-error: the claims are those of the instance
mine.verifySync('a.b.c').user;
// @ts-expect-error: a schema has its validate() where the standard says
rewt.verify('a.b.c', { schema: { validate: () => true } });

// @ts-expect-error: the status holds no secret
rewt.status().keyring?.secret;
// @ts-expect-error: nor is the member within reach
rewt.member;
// @ts-expect-error: a TokenError is made by rewt, of a code it knows
new TokenError({ code: 'ERR_OTHER', message: '' });
// @ts-expect-error: no token is to blame for an option
export const claim: string | undefined = new OptionError('').claim;

export const wrongTimes: RewtOptions[] = [
  // @ts-expect-error: seconds, not a date
  { store, tokenLifetime: new Date() },
  // @ts-expect-error: seconds, not null
  { store, storeTimeout: null },
];
export { callback, claims, header, promise };
