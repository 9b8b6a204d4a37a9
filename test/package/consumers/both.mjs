/** As a process uses rewt that imports it in one place and requires it in another: one class, one set of errors, one watch over the process. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as imported from 'rewt';

const require = createRequire(import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('node_modules/rewt/package.json', import.meta.url), 'utf8'));

const Required = require('rewt');
assert.equal(Required, imported.default);
for (const path of Object.keys(exports).filter((path) => !['./package.json', './otel'].includes(path))) {
  const name = `rewt${path.slice(1)}`;
  const { ...byImport } = await import(name);
  const { ...byRequire } = require(name);
  assert.deepEqual(byImport, byRequire, name);
}

// A package that only this entry needs, and that is not installed here, is missed by the import alone.
assert.equal(await import('rewt/otel').catch(({ code }) => code), 'ERR_MODULE_NOT_FOUND');

const refusal = await new Required({ store: imported.memoryStore() }).verify('no.to.ken').catch((error) => error);
assert.ok(refusal instanceof imported.TokenError && imported.isRewtError(refusal));
assert.ok(!imported.isRewtError(new Error()) && !imported.isRewtError(null));
console.log('both');
