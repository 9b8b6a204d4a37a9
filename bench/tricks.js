/** Each trick on the hot path against the plain way to do the same: what it buys, and what its loss would cost. */

import { timingSafeEqual } from 'node:crypto';
import { interleave } from './interleave.js';
import { internal } from './internals.js';
import { claimSets, freshTokens } from './samples.js';

const secret = Buffer.from('tricks-of-the-hot-path-have-a-secret-of-43c');
const nowMs = Date.now();
const MOST_BYTES = 8_192;

export async function run({ random }) {
  const rows = [];
  for (const { trick, ours, plain } of await tricksOf()) {
    const contenders = [
      { name: 'ours', call: ours },
      { name: trick, call: plain },
    ];
    const [quick, { name, ratio }] = await interleave(contenders, { random });
    rows.push({ name, ratio, 'with it, µs p10 / median': quick['µs p10 / median'] });
  }
  const columns = ['ratio', 'with it, µs p10 / median'];
  return [{ id: 'tricks', title: 'Each trick of the hot path: how much longer it would take without', columns, rows }];
}

async function tricksOf() {
  const { createMac, macMatches } = await internal('jwt/mac');
  const { authenticate, createTokenKey } = await internal('jwt/authenticate');
  const { decodePayload, readToken, signToken } = await internal('jwt/token');
  const { decodeText, encodeText } = await internal('jwt/encoding');
  const { mistypedClaim } = await internal('jwt/registered-claims');
  const { claimsToSign, compileSignOptions } = await internal('jwt/claims');
  const { VerifiedTokens, claimsOf } = await internal('jwt/verified-tokens');
  const { answer } = await internal('callback');
  const { TokenError } = await internal('errors');

  const mac = createMac(secret);
  const hmac = createMac(secret, null);
  const key = { ...createTokenKey('kid-of-ours', mac), verifiesUntilMs: Number.POSITIVE_INFINITY };
  const now = Math.floor(nowMs / 1_000);
  const payloads = claimSets(149);
  const claims = payloads.map((payload) => ({ ...payload, iat: now, exp: now + 300 }));
  const texts = claims.map((one) => JSON.stringify(one));
  const tokens = texts.map((text) => signToken(key.headers.claims, text, mac, MOST_BYTES));
  const fresh = freshTokens(tokens);
  const at = (list, n) => list[n % list.length];
  const segments = tokens.map((token) => token.split('.')[1]);
  const signed = tokens.map((token) => token.slice(0, -44));
  const signatures = tokens.map((token) => token.slice(-43));
  const nothing = compileSignOptions({});

  const verified = new VerifiedTokens(1_000);
  const byToken = new Map();
  for (const token of tokens) {
    const authentic = authenticate(token, [key], 0, MOST_BYTES);
    verified.find(token, key);
    for (let seen = 0; seen < 2; seen += 1) verified.admit(token, authentic);
    byToken.set(token, authentic);
  }
  const forged = tokens.map((token) => `${token.slice(0, -43)}${'A'.repeat(43)}`);
  const freshForged = freshTokens(forged);
  const nobody = tokens.map(
    (token) => `${createTokenKey('kid-of-none', mac).headers.claims}.${token.split('.')[1]}.${'A'.repeat(43)}`,
  );
  const freshNobody = freshTokens(nobody);

  return [
    {
      trick: 'MAC: two one-shot hashes, not createHmac',
      ours: (n) => mac(at(signed, n)),
      plain: (n) => hmac(at(signed, n)),
    },
    {
      trick: 'compare: two buffers of the module, not two new ones',
      ours: (n) => macMatches(mac, at(signed, n), at(signatures, n)),
      plain: (n) =>
        timingSafeEqual(Buffer.from(mac(at(signed, n)), 'utf16le'), Buffer.from(at(signatures, n), 'utf16le')),
    },
    {
      trick: 'header: recognised, not read',
      ours: (n) => authenticate(fresh(n), [key], 0, MOST_BYTES),
      plain(n) {
        const parsed = readToken(fresh(n), MOST_BYTES);
        return macMatches(mac, parsed.signedPart, parsed.signature) && decodePayload(parsed);
      },
    },
    {
      trick: 'unknown kid: recognised, not read',
      ours: (n) => authenticate(freshNobody(n), [key], 0, MOST_BYTES),
      plain: (n) => readToken(freshNobody(n), MOST_BYTES),
    },
    {
      trick: 'payload: one scratch buffer, encodings checked together',
      ours: (n) => decodeText(at(segments, n)),
      plain(n) {
        const bytes = Buffer.from(at(segments, n), 'base64url');
        const text = bytes.toString();
        return bytes.toString('base64url') === at(segments, n) && bytes.equals(Buffer.from(text)) && text;
      },
    },
    {
      trick: 'encoding: one scratch buffer',
      ours: (n) => encodeText(at(texts, n)),
      plain: (n) => Buffer.from(at(texts, n)).toString('base64url'),
    },
    {
      trick: 'types of claims: by name, not by a table',
      ours: (n) => mistypedClaim(at(claims, n)),
      plain: (n) => typesByTable(at(claims, n)),
    },
    {
      trick: 'claims to sign: added as text, not by merging objects',
      ours: (n) => claimsToSign(at(payloads, n), nothing, nowMs, 300),
      plain: (n) => mergedClaims(at(payloads, n)),
    },
    {
      trick: 'a refusal is a value, the Error is made at the edge',
      ours: (n) => authenticate(freshForged(n), [key], 0, MOST_BYTES),
      plain(n) {
        try {
          throw new TokenError(authenticate(freshForged(n), [key], 0, MOST_BYTES));
        } catch (error) {
          return error;
        }
      },
    },
    {
      trick: 'remembered tokens: by signature, not by the whole token',
      ours: (n) => verified.find(fresh(n), key),
      plain: (n) => byToken.get(fresh(n)),
    },
    {
      trick: 'remembered claims: copied, not parsed again',
      ours: (n) => claimsOf({ claims: at(claims, n) }),
      plain: (n) => claimsOf({ claims: at(texts, n) }),
    },
    {
      trick: 'a call without a callback goes straight through',
      ours: () => answer([], straight),
      plain: () => answer([undefined, undefined], straight),
    },
  ];
}

const straight = () => true;

const isNumber = (value) => typeof value === 'number' && Math.abs(value) < 1e11;
const isText = (value) => typeof value === 'string';
const isAudience = (value) => isText(value) || (Array.isArray(value) && value.every(isText));
const types = [
  ['exp', isNumber],
  ['nbf', isNumber],
  ['iat', isNumber],
  ['aud', isAudience],
  ['iss', isText],
  ['sub', isText],
  ['jti', isText],
];

function typesByTable(claims) {
  return types.find(([claim, isRight]) => Object.hasOwn(claims, claim) && !isRight(claims[claim])) ?? null;
}

/** As `claimsToSign` did before: a copy by way of JSON, checked, extended and written. */
function mergedClaims(payload) {
  const claims = JSON.parse(JSON.stringify(payload));
  if (typesByTable(claims) !== null) throw new Error('mistyped');
  const iat = Math.floor(nowMs / 1_000);
  return JSON.stringify({ ...claims, iat, exp: iat + 300 });
}
