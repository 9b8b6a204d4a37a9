import { expect, it } from 'vitest';
import { isRefusedToken } from '../../src/http/refused-token.js';

it.each<[challenges: string | string[] | null, refused: boolean]>([
  ['Bearer error="invalid_token"', true],
  ['Bearer realm="orders", error="invalid_token", error_description="expired"', true],
  ['bearer ERROR=invalid_token', true],
  ['Bearer error = "invalid_token"', true],
  ['Basic realm="a, b", Bearer realm="\\"x", error="invalid_token"', true],
  [['Basic realm="a"', 'Bearer error="invalid_token"'], true],
  ['Negotiate abc==, Bearer error="invalid_token"', true],
  ['Bearer, Bearer error="invalid_token"', true],
  ['Bearer', false],
  ['Bearer realm="error=\\"invalid_token\\""', false],
  ['Bearer error="insufficient_scope"', false],
  ['Bearer error="invalid_request"', false],
  ['Bearer xerror="invalid_token"', false],
  ['DPoP error="invalid_token"', false],
  ['Bearer realm="x", DPoP error="invalid_token"', false],
  ['invalid_token', false],
  ['', false],
  [null, false],
  [`${'"\\'.repeat(8_000)}`, false],
])('%o: %s', (challenges, refused) => {
  expect(isRefusedToken(401, challenges)).toBe(refused);
  expect(isRefusedToken(403, challenges)).toBe(false);
});
