/**
 * Everybody's fastest set-up for the same work: sign with `iat` and `exp`, verify signature, `exp`,
 * `nbf`, `aud` and `iss`. What can be made once is made once.
 */

import { createHmac, createSecretKey, hash, timingSafeEqual, webcrypto } from 'node:crypto';
import rs from '@node-rs/jsonwebtoken';
import { createSigner, createVerifier } from 'fast-jwt';
import { jwtVerify, SignJWT } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import jsonwebtoken8 from 'jsonwebtoken8';
import { createClient } from 'redis';
import { Rewt } from '../dist/esm/index.js';
import { audience, issuer, lifetimeSeconds } from './samples.js';

/** Sooner than a member would ask by itself. */
const FRESH_MS = 500;

const nowSeconds = () => Math.floor(Date.now() / 1_000);

/**
 * Ours, on the Redis at a port of this machine, with a copy of the keyring; and the secret in it
 * for the others. `fresh` is for between two batches, where no reply of Redis gets through.
 */
export async function createOurs(port, options = {}, Class = Rewt) {
  const url = `redis://127.0.0.1:${port}`;
  const rewt = new Class({ redisConn: url, redisNamespace: 'bench', verify: { audience, issuer }, ...options });
  await rewt.sign({});
  const client = await createClient({ url }).connect();
  const secret = await client.get('bench:rewt-secret');
  await client.close();
  let askedMs = performance.now();
  const fresh = async () => {
    if (performance.now() - askedMs < FRESH_MS) return;
    await rewt.refresh();
    askedMs = performance.now();
  };
  return { rewt, secret, fresh };
}

/** With the string that the original keeps in Redis, or with a key made of it beforehand. */
export function withJsonwebtoken(key) {
  const signing = { algorithm: 'HS256', expiresIn: lifetimeSeconds };
  const verifying = { algorithms: ['HS256'], audience, issuer };
  return {
    sign: (claims) => jsonwebtoken.sign(claims, key, signing),
    verify: (token) => jsonwebtoken.verify(token, key, verifying),
  };
}

/** As in rewt 2.0: a string, and a callback. */
export function withJsonwebtoken8(secret) {
  const signing = { algorithm: 'HS256', expiresIn: lifetimeSeconds };
  const verifying = { algorithms: ['HS256'], audience, issuer };
  const settle = (resolve, reject) => (error, result) => (error ? reject(error) : resolve(result));
  return {
    awaited: true,
    sign: (claims) =>
      new Promise((resolve, reject) => jsonwebtoken8.sign(claims, secret, signing, settle(resolve, reject))),
    verify: (token) =>
      new Promise((resolve, reject) => jsonwebtoken8.verify(token, secret, verifying, settle(resolve, reject))),
  };
}

export function withFastJwt(secret, { cache = false, awaited = false } = {}) {
  const bytes = Buffer.from(secret);
  const key = awaited ? async () => bytes : bytes;
  return {
    awaited,
    sign: createSigner({ key, algorithm: 'HS256', expiresIn: lifetimeSeconds * 1_000 }),
    verify: createVerifier({ key, algorithms: ['HS256'], allowedAud: audience, allowedIss: issuer, cache }),
  };
}

export async function withJose(secret) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await webcrypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['sign', 'verify']);
  const header = { alg: 'HS256', typ: 'JWT' };
  const verifying = { algorithms: ['HS256'], audience, issuer };
  return {
    awaited: true,
    sign(claims) {
      const now = nowSeconds();
      const jwt = new SignJWT(claims).setProtectedHeader(header).setIssuedAt(now);
      return jwt.setExpirationTime(now + lifetimeSeconds).sign(key);
    },
    verify: async (token) => (await jwtVerify(token, key, verifying)).payload,
  };
}

/** Adds no `iat` or `exp` by itself. */
export function withNodeRs(secret) {
  const verifying = { algorithms: ['HS256'], aud: [audience], iss: [issuer], validateExp: true, validateNbf: true };
  return {
    sign(claims) {
      const iat = nowSeconds();
      return rs.signSync({ ...claims, iat, exp: iat + lifetimeSeconds }, secret);
    },
    verify: (token) => rs.verifySync(token, secret, verifying),
  };
}

/**
 * The least that calling createHmac and JSON can cost: no options, no checks of the form, of the
 * claims `exp` alone.
 */
export function byHand(secret) {
  const key = createSecretKey(Buffer.from(secret));
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
  return {
    sign(claims) {
      const iat = nowSeconds();
      const json = JSON.stringify({ ...claims, iat, exp: iat + lifetimeSeconds });
      const signed = `${header}.${Buffer.from(json).toString('base64url')}`;
      return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
    },
    verify(token) {
      const end = token.lastIndexOf('.');
      const mac = createHmac('sha256', key).update(token.slice(0, end)).digest('base64url');
      if (!timingSafeEqual(Buffer.from(mac), Buffer.from(token.slice(end + 1)))) throw new Error('signature');
      const claims = JSON.parse(Buffer.from(token.slice(token.indexOf('.') + 1, end), 'base64url').toString());
      if (claims.exp <= Date.now() / 1_000) throw new Error('exp');
      return claims;
    },
  };
}

/**
 * The floor: what remains of the work if everything around it is left away. Two one-shot hashes for
 * the MAC (docs/adr/0009), base64url, JSON, a constant-time compare, `exp` and `aud`.
 *
 * @param awaited whether each call makes a promise and a payload has one spelling only, as with
 * ours: the floor that rewt is held to (targets.js).
 */
export function floor(secret, { awaited = false } = {}) {
  const [inner, outer] = [Buffer.alloc(64, 0x36), Buffer.alloc(96, 0x5c)];
  for (const [at, byte] of Buffer.from(secret).entries()) {
    inner[at] ^= byte;
    outer[at] ^= byte;
  }
  const pad = inner.toString('latin1');
  const [expected, received, scratch] = [Buffer.alloc(43), Buffer.alloc(43), Buffer.alloc(16_384)];
  const mac = (text) => {
    outer.write(hash('sha256', pad + text, 'binary'), 64, 'latin1');
    return hash('sha256', outer, 'base64url');
  };
  const encode = (text) => scratch.toString('base64url', 0, scratch.write(text));
  const header = encode('{"alg":"HS256","typ":"JWT","kid":"kid of ours"}');

  function sign(claims) {
    const iat = nowSeconds();
    const signed = `${header}.${encode(JSON.stringify({ ...claims, iat, exp: iat + lifetimeSeconds }))}`;
    return `${signed}.${mac(signed)}`;
  }

  function verify(token) {
    const end = token.length - 44;
    expected.write(mac(token.slice(0, end)), 'latin1');
    received.write(token.slice(end + 1), 'latin1');
    if (!timingSafeEqual(expected, received)) throw new Error('signature');
    const segment = token.slice(token.indexOf('.') + 1, end);
    const text = scratch.toString('utf8', 0, scratch.write(segment, 'base64url'));
    if (awaited && encode(text) !== segment) throw new Error('form');
    const claims = JSON.parse(text);
    if (claims.exp <= Date.now() / 1_000) throw new Error('exp');
    if (claims.aud !== audience) throw new Error('aud');
    return claims;
  }

  if (!awaited) return { sign, verify };
  return { awaited, sign: async (claims) => sign(claims), verify: async (token) => verify(token) };
}

/** All that may be compared with ours, by the names in the tables. */
export async function createPeers(secret) {
  return {
    'fast-jwt': withFastJwt(secret),
    'fast-jwt, async': withFastJwt(secret, { awaited: true }),
    'jsonwebtoken, KeyObject': withJsonwebtoken(createSecretKey(Buffer.from(secret))),
    'jsonwebtoken, string': withJsonwebtoken(secret),
    'jsonwebtoken 8, string and callback (rewt 2.0)': withJsonwebtoken8(secret),
    jose: await withJose(secret),
    '@node-rs/jsonwebtoken': withNodeRs(secret),
    'createHmac and JSON by hand': byHand(secret),
    'the floor': floor(secret),
    'the floor, awaited and strict': floor(secret, { awaited: true }),
  };
}
