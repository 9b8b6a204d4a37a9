/** As an ES module uses the default and the named exports. */
import assert from 'node:assert/strict';
import * as all from 'rewt';
import Rewt, { fileStore, isRewtError, memoryStore, Rewt as named, OptionError, TokenError } from 'rewt';

assert.equal(named, Rewt);
assert.equal(all.default, Rewt);
assert.equal(all.TokenError, TokenError);

const rewt = new Rewt({ store: memoryStore() });
const token = await rewt.sign('a text');
assert.equal(await rewt.verify(token), 'a text');
await assert.rejects(
  rewt.verify(`${token.slice(0, -4)}AAAA`),
  (error) => isRewtError(error) && error instanceof TokenError,
);

const { createTestRewt } = await import('rewt/testing');
const { createFetch } = await import('rewt/fetch');
const test = await createTestRewt();
assert.ok(test.rewt instanceof Rewt);
await assert.rejects(test.rewt.verify(await test.tokens.expired()), { code: 'ERR_REWT_EXPIRED' });
test.clock.advance('1h');
let sent;
const send = createFetch(test.rewt, {
  audience: 'mail',
  fetch: async (_url, init) => {
    sent = init.headers.get('authorization');
    return new Response();
  },
});
await send('https://mail.example/');
assert.equal((await test.rewt.verify(sent.slice(7))).aud, 'mail');
await test.close();
// Their files are loaded at the first call.
assert.throws(() => fileStore({ path: '' }), OptionError);
assert.throws(() => new Rewt({ redisConn: {} }), OptionError);
console.log('imported');
