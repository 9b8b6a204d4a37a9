/**
 * Others who read tokens of HS256, each made to say the same thing in the same way: the claims, the
 * text, or that it refused.
 */

import { createVerifier } from 'fast-jwt';
import { compactVerify, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { authenticate, createTokenKey, isRefusal, type VerifyingKey } from '../../src/jwt/authenticate.js';
import { checkClaims, checkText } from '../../src/jwt/check-claims.js';
import { compileVerifyOptions } from '../../src/jwt/verify-options.js';
import { key, MAX_BYTES, macOf, secretText } from './forge.js';

/** Exactly one of them is there. */
export interface Reading {
  readonly claims?: unknown;
  readonly text?: string;
  readonly refused?: string;
}

const secretBytes = new TextEncoder().encode(secretText);
const tolerance = 5;

export const ours: VerifyingKey = { ...createTokenKey('kid-of-ours', macOf(key)), verifiesUntilMs: 1 };

export function readByUs(token: string): Reading {
  const authentic = authenticate(token, [ours], 0, MAX_BYTES);
  if (isRefusal(authentic)) return { refused: authentic.code };
  const { claims, text } = authentic;
  const options = compileVerifyOptions({ clockTolerance: tolerance });
  const refusal = claims === null ? checkText(options) : checkClaims(claims, options, Date.now());
  return refusal ? { refused: refusal.code } : claims === null ? { text } : { claims };
}

/** Claims for whatever is an object to it, lists too. */
async function readByJsonwebtoken(token: string): Promise<Reading> {
  const payload = jsonwebtoken.verify(token, secretText, { algorithms: ['HS256'], clockTolerance: tolerance });
  return typeof payload === 'string' ? { text: payload } : { claims: payload };
}

/** It has a function for claims and one for everything else. */
async function readByJose(token: string): Promise<Reading> {
  const options = { algorithms: ['HS256'], clockTolerance: tolerance };
  const { payload } = await compactVerify(token, secretBytes, options);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
  return isObject(text) ? { claims: (await jwtVerify(token, secretBytes, options)).payload } : { text };
}

function isObject(text: string): boolean {
  try {
    return text.trim().startsWith('{') && JSON.parse(text) !== null;
  } catch {
    return false;
  }
}

const fastJwt = createVerifier({
  key: secretText,
  algorithms: ['HS256'],
  cache: false,
  clockTolerance: tolerance * 1000,
});

async function readByFastJwt(token: string): Promise<Reading> {
  return { claims: fastJwt(token) };
}

const readers = { jsonwebtoken: readByJsonwebtoken, jose: readByJose, 'fast-jwt': readByFastJwt };
export type Reader = keyof typeof readers;

/** What each of the others makes of a token. */
export async function readByOthers(token: string): Promise<Record<Reader, Reading>> {
  const entries = Object.entries(readers).map(async ([name, read]) => {
    const reading = await read(token).catch((error: Error): Reading => ({ refused: error.message }));
    return [name, reading] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<Reader, Reading>;
}
