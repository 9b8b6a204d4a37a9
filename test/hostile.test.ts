/**
 * Every hostile token that we know of, as users meet it: `verify` and `verifySync` of a member that
 * holds the secrets on a lease.
 */

import { createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rewt, type VerifyOptions } from '../src/index.js';
import { kidOf } from './interop/fleet.js';
import { partsOf, signersOf } from './jwt/hostile.js';
import { hostileClaims, now } from './jwt/hostile-claims.js';
import { hostileForms } from './jwt/hostile-forms.js';
import { hostileHeaders } from './jwt/hostile-headers.js';
import { allowed, hostilePayloads } from './jwt/hostile-payloads.js';
import { knownSecrets, knownStore } from './support/known-ring.js';
import { times, turnTime } from './support/turned-time.js';

const hostile = [...hostileHeaders, ...hostileForms, ...hostilePayloads, ...hostileClaims];
const signers = signersOf(kidOf(knownSecrets.current), createSecretKey(Buffer.from(knownSecrets.current)));

/**
 * All that is ever said before the MAC is known to be right. Spelt out: to change one means to
 * think of who searches logs for it.
 */
const sentences: Readonly<Record<string, string>> = {
  ERR_REWT_MALFORMED:
    'jwt malformed: it must be a string of three dot-separated parts in strict base64url, the first ' +
    'one a JSON object, and no longer than maxTokenBytes',
  ERR_REWT_UNSUPPORTED:
    'invalid algorithm: only HS256 is supported, and no header that changes the rules ("crit", "b64")',
  ERR_REWT_UNKNOWN_KEY:
    'unknown key: the secret that signed this token was revoked, has retired, or belongs to another namespace',
  ERR_REWT_BAD_SIGNATURE: 'invalid signature: the token was altered, or signed with another secret',
};

let rewt: Rewt;

beforeEach(async () => {
  turnTime(now * 1000);
  rewt = new Rewt({ ...times, store: await knownStore({ here: knownSecrets }), redisNamespace: 'here' });
  await rewt.ready();
});

afterEach(async () => {
  await rewt.close();
  vi.useRealTimers();
});

/**
 * What both verbs end with, each as often as it takes for a remembered token to come from memory.
 */
async function outcomes(token: unknown, options: VerifyOptions): Promise<{ sync: unknown[]; async: unknown[] }> {
  const sync: unknown[] = [];
  const async: unknown[] = [];
  for (let round = 0; round < 2; round += 1) {
    sync.push(outcomeOf(() => rewt.verifySync(token as string, options)));
    async.push(await settled(rewt.verify(token as string, options)));
  }
  return { sync, async };
}

function outcomeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

/**
 * The clock stands still, but for the tenth of a second that a member waits before it reads
 * the store again for an unknown key.
 */
async function settled(call: Promise<unknown>): Promise<unknown> {
  let isSettled = false;
  const outcome = call
    .catch((error: unknown) => error)
    .finally(() => {
      isSettled = true;
    });
  for (let turns = 0; !isSettled && turns < 100; turns += 1) await null;
  if (!isSettled) await vi.advanceTimersByTimeAsync(100);
  return outcome;
}

describe.each(signers)('under %s', (_name, isOwn, signer) => {
  it('a token that is right is accepted', async () => {
    const { sync, async } = await outcomes(partsOf(signer).token, {});
    expect([...sync, ...async]).toEqual(Array(4).fill({ sub: 'ann' }));
  });

  for (const row of hostile) {
    const { rfc, what, token, options } = row;
    const code = row.memberCode ?? (isOwn ? row.ownCode : undefined) ?? row.code;
    it(`${rfc}: ${what} is refused with ${code}`, async () => {
      const given = token(signer);
      const { sync, async } = await outcomes(given, { clockTolerance: 0, ...options });
      // A secret that is newer than the copy could fit, and who cannot wait for the store cannot
      // tell.
      const couldFit = code === 'ERR_REWT_UNKNOWN_KEY' || (code === 'ERR_REWT_BAD_SIGNATURE' && !isOwn);
      expect(async.map(codeOf)).toEqual([code, code]);
      expect(new Set(sync.map(codeOf))).toEqual(new Set([couldFit ? 'ERR_REWT_COPY_NOT_FRESH' : code]));
      for (const error of async as { message: string; claim?: string }[]) {
        expect(error.message).toBe(sentences[code] ?? error.message);
        expect(error.claim).toBe(row.claim);
      }
      for (const error of [...async, ...sync]) expectNothingOf(given, error);
    });
  }

  for (const { rfc, what, token, payload, options } of allowed) {
    it(`${rfc} allows ${what}`, async () => {
      const { sync, async } = await outcomes(token(signer), options ?? {});
      for (const answer of [...sync, ...async]) expect(JSON.stringify(answer)).toBe(JSON.stringify(payload));
    });
  }
});

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}

/** No part of a token in an error, as it stands or decoded, however it is printed. */
function expectNothingOf(token: unknown, error: unknown): void {
  if (typeof token !== 'string') return;
  const printed = inspect(error, { showHidden: true, depth: 9 });
  const parts = token.split('.', 9).flatMap((part) => [part, Buffer.from(part, 'base64url').toString()]);
  const pieces = parts.flatMap((part) => [part.slice(0, 12), part.slice(-12)]).filter((piece) => piece.length > 7);
  for (const piece of new Set(pieces)) expect(printed).not.toContain(piece);
}
