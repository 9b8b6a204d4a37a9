/** Reads the replies of the scripts that read and swap (scripts.ts). Pure. */

import { createHash } from 'node:crypto';
import { StoreError } from '../errors.js';
import { type KeyEntry, LAST_INSTANT_MS, type Snapshot } from '../stores/store.js';
import { type Found, locate, type Place } from './places.js';
import type { Outcomes, Reply } from './port.js';

export interface Answer {
  readonly outcome: string;
  readonly found: Found;
  readonly snapshot: Snapshot;
}

export function showsHeld(outcomes: Outcomes, isHeld: (ring: string) => boolean): boolean {
  const script = outcomes.at(-1);
  return isAnswer(script) && [script[5], script[8]].some((ring) => ring !== '' && isHeld(ring));
}

/** What both scripts return (scripts.ts). */
export function asAnswer(reply: Reply, place: Place): Answer {
  if (!isAnswer(reply)) return notTheAnswer();
  const [outcome, now, key, keyTtlMs, keyDigest, ring, digest, deposed, other, otherDigest] = reply;
  const nowMs = Number(now);
  const found = {
    ring: digest === '' ? null : ring,
    digest,
    other: otherDigest === '' || otherDigest === 'denied' ? null : other,
    otherDigest,
  };
  return {
    outcome,
    found,
    snapshot: {
      nowMs,
      key: keyDigest === '' ? null : asKeyEntry(key, keyDigest, nowMs, Number(keyTtlMs)),
      ...locate(keyDigest, found, place),
      mayBeDeposed: deposed !== '',
    },
  };
}

type AnswerReply = readonly [
  outcome: string,
  now: string,
  key: string,
  keyTtlMs: string,
  keyDigest: string,
  ring: string,
  ringDigest: string,
  deposed: string,
  other: string,
  otherDigest: string,
];

function isAnswer(reply: unknown): reply is AnswerReply {
  if (!Array.isArray(reply) || reply.length !== 10 || !reply.every((part) => typeof part === 'string')) return false;
  const [, now, , keyTtlMs] = reply as string[];
  return /^\d+$/.test(now ?? '') && /^-?\d+$/.test(keyTtlMs ?? '');
}

/** Clients decode replies as UTF-8, whatever they are: the text is the true one only if it has the digest of the true bytes. */
function asKeyEntry(text: string, digest: string, nowMs: number, ttlMs: number): KeyEntry {
  return {
    value: sha1(text) === digest ? text : null,
    expiresAtMs: ttlMs < 0 ? null : Math.min(nowMs + ttlMs, LAST_INSTANT_MS),
  };
}

export function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

export function notTheAnswer(): never {
  throw new StoreError(
    'ERR_REWT_STORE_DOWN',
    'Redis answered with something that is not the answer to the question: see what stands between rewt and Redis (a proxy, another server).',
  );
}
