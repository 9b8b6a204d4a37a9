/** As a process uses rewt that imports it in one place and requires it in another: two classes, one keyring, errors that both know. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import Imported, { isRewtError, memoryStore, TokenError } from 'rewt';

const Required = createRequire(import.meta.url)('rewt');
assert.notEqual(Required, Imported);

const store = memoryStore();
const signing = new Imported({ store });
const verifying = new Required({ store });
assert.equal((await verifying.verify(await signing.sign({ username: 'a@b.c' }))).username, 'a@b.c');

const refusal = await verifying.verify('no.to.ken').catch((error) => error);
assert.ok(refusal instanceof Required.TokenError && !(refusal instanceof TokenError));
assert.ok(isRewtError(refusal) && Required.isRewtError(refusal));
assert.ok(Required.isRewtError(await signing.verify('no.to.ken').catch((error) => error)));
assert.ok(!isRewtError(new Error()) && !isRewtError(null));
console.log('both');
