/** Everybody's fastest set-up for the same work: sign with `iat` and `exp`, verify signature, `exp`, `nbf`, `aud` and `iss`. What can be made once is made once. */

import { createHmac, createSecretKey, timingSafeEqual, webcrypto } from 'node:crypto';
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

/** Ours, on the Redis at a port of this machine, with a copy of the keyring; and the secret in it for the others. `fresh` is for between two batches, where no reply of Redis gets through. */
export async function createOurs(port, options = {}) {
  const url = `redis://127.0.0.1:${port}`;
  const rewt = new Rewt({ redisConn: url, redisNamespace: 'bench', verify: { audience, issuer }, ...options });
  await rewt.sign({});
  const client = await createClient({ url }).connect();
  const secret = await client.get('bench:rewt-secret');
  await client.close();
  let askedMs = performance.now();
  const fresh = async () => {
    if (performance.now() - askedMs < FRESH_MS) return;
    await rewt.ready();
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

/** It adds no times of its own. */
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

/** What nobody who calls createHmac and JSON can get below: no options, no form, of the claims `exp` alone. */
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
  };
}
