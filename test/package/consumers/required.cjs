/** As a CommonJS program uses the class, the named and the default export. */
const assert = require('node:assert/strict');
const Rewt = require('rewt');
const { Rewt: named, default: byDefault, memoryStore, TokenError, isRewtError } = require('rewt');

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

  const imported = await import('rewt');
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(Rewt).sort());
  const importing = new imported.default({ store: memoryStore() });
  const refusal = await importing.verify(token).catch((error) => error);
  assert.ok(isRewtError(refusal) && refusal.code === 'ERR_REWT_UNKNOWN_KEY');

  const { createTestRewt } = require('rewt/testing');
  const { createFetch } = require('rewt/fetch');
  const test = await createTestRewt();
  assert.ok(test.rewt instanceof Rewt);
  test.clock.advance('1h');
  // The class may be of the other copy.
  for (const one of [test.rewt, importing]) {
    let sent;
    const fetch = async (_url, init) => {
      sent = init.headers.get('authorization');
      return new Response();
    };
    await createFetch(one, { audience: 'mail', fetch })('https://mail.example/');
    assert.equal((await one.verify(sent.slice(7))).aud, 'mail');
  }
  assert.throws(() => test.clock.advance('60'), isRewtError);
  await test.close();
  console.log('required');
}

void main();
