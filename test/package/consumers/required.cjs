/** As a CommonJS program uses the class, the named and the default export. */
const assert = require('node:assert/strict');
const Rewt = require('rewt');
const { Rewt: named, default: byDefault, fileStore, memoryStore, OptionError, TokenError } = require('rewt');

assert.equal(typeof Rewt, 'function');
assert.equal(Rewt.name, 'Rewt');
assert.equal(named, Rewt);
assert.equal(byDefault, Rewt);
assert.equal(Rewt.TokenError, TokenError);

async function main() {
  const rewt = new Rewt({ store: memoryStore() });
  assert.ok(rewt instanceof named);
  const token = await rewt.sign({ username: 'a@b.c' });
  assert.equal((await rewt.verify(token)).username, 'a@b.c');

  const { createTestRewt } = require('rewt/testing');
  const { createFetch } = require('rewt/fetch');
  const test = await createTestRewt();
  assert.ok(test.rewt instanceof Rewt);
  test.clock.advance('1h');
  let sent;
  const fetch = async (_url, init) => {
    sent = init.headers.get('authorization');
    return new Response();
  };
  await createFetch(test.rewt, { audience: 'mail', fetch })('https://mail.example/');
  assert.equal((await test.rewt.verify(sent.slice(7))).aud, 'mail');
  assert.throws(() => test.clock.advance('60'), Rewt.OptionError);
  await test.close();
  // Their files are loaded at the first call.
  assert.throws(() => fileStore({ path: '' }), OptionError);
  assert.throws(() => new Rewt({ redisConn: {} }), OptionError);
  console.log('required');
}

void main();
