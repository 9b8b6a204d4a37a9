/** What counts as a secret, and the name that it has. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecret, isUsableSecret, kidOf } from '../../src/keyring/secret.js';
import { seeded } from './seeded.js';

describe('a created secret', () => {
  it('is 32 random bytes as 43 characters of base64url', () => {
    const secret = createSecret();
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(isUsableSecret(secret)).toBe(true);
  });

  it('is another one each time', () => {
    const secrets = Array.from({ length: 1_000 }, createSecret);
    expect(new Set(secrets).size).toBe(1_000);
  });
});

describe('a kid', () => {
  it('is the first 8 bytes of HMAC-SHA256(secret, "rewt kid") as 11 characters of base64url', () => {
    // From another implementation: printf 'rewt kid' | openssl dgst -sha256 -hmac
    // 'a-secret-that-every-member-knows-well'
    expect(kidOf('a-secret-that-every-member-knows-well')).toBe('4aSgQIUorDs');
  });

  it('is derived from the UTF-8 bytes of any secret, also of an adopted one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (secret) => {
        const mac = createHmac('sha256', Buffer.from(secret, 'utf8')).update('rewt kid').digest();
        expect(kidOf(secret)).toBe(mac.subarray(0, 8).toString('base64url'));
        expect(kidOf(secret)).toMatch(/^[A-Za-z0-9_-]{11}$/);
      }),
      seeded(),
    );
  });
});

describe('a usable secret', () => {
  it('has at least 32 bytes', () => {
    expect(isUsableSecret('x'.repeat(31))).toBe(false);
    expect(isUsableSecret('x'.repeat(32))).toBe(true);
    expect(isUsableSecret('')).toBe(false);
  });

  it('is counted in UTF-8 bytes, not in characters', () => {
    expect(isUsableSecret('é'.repeat(15))).toBe(false);
    expect(isUsableSecret('é'.repeat(16))).toBe(true);
  });

  it('is never a value that was not UTF-8', () => {
    expect(isUsableSecret(null)).toBe(false);
  });

  it('may be the UUID that an old rewt puts there', () => {
    expect(isUsableSecret('0b7cbd30-5c4a-4a5e-9d6c-0a1b2c3d4e5f')).toBe(true);
  });
});
