/** The errors of stores, which logs may hold: no name or path in them can do anything there. */

import { expect, it } from 'vitest';
import * as faults from '../../src/stores/files/faults.js';
import { asStoreError as asRedisError } from '../../src/stores/redis/errors.js';

const obeyed = /[\p{C}\p{Zl}\p{Zp}]/u;
const path = '/srv/a\u001b[31m\n\u009b\u202e';
const escaped = '/srv/a\\u001b[31m\\u000a\\u009b\\u202e';
const { isCertain: _, asStoreError, foreignOwner, outcomeUnknown, protectedLinks, ...others } = faults;
const more: Readonly<Record<string, (path: string) => Error>> = {
  asStoreError: (at) => asStoreError(Object.assign(new Error('x'), { code: 'ENOSPC' }), at),
  'asStoreError, of an unknown error': (at) => asStoreError(new Error('x'), at),
  foreignOwner: (at) => foreignOwner(at, { is: at, must: at, user: at }),
  outcomeUnknown: (at) => outcomeUnknown(at),
  protectedLinks: (at) => protectedLinks(at, at),
};

it.each([
  ...Object.entries(more),
  ...Object.entries(others).map(
    ([name, create]) =>
      [name, (at: string) => (create as (path: string, more: string) => Error)(at, 'folder')] as const,
  ),
])('%s escapes the path', (_name, create) => {
  const { message } = create(path);
  expect(message).toContain(escaped);
  expect(message).not.toMatch(obeyed);
  expect(create('/srv/rewt').message).toContain('/srv/rewt');
});

it('the error for a missing right in Redis escapes the names of the keys', () => {
  const { message } = asRedisError(new Error('NOPERM No permissions to access a key'), null, `~${path}:rewt-secret`);
  expect(message).toContain(`~${escaped}:rewt-secret`);
  expect(message).not.toMatch(obeyed);
});
