/** As an ES module uses the default and the named exports. */
import assert from 'node:assert/strict';
import * as all from 'rewt';
import Rewt, { isRewtError, memoryStore, Rewt as named, TokenError } from 'rewt';

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
console.log('imported');
