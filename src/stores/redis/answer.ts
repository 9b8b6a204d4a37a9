/** The readers for the replies of the read and swap scripts (scripts.ts). Pure. */

import { createHash } from 'node:crypto';
import { StoreError } from '../../errors.js';
import { type KeyEntry, LAST_INSTANT_MS, type Snapshot } from '../store.js';
import type { Outcomes, Reply } from './clients/port.js';
import { type Found, locate, type Place } from './places.js';

export interface Answer {
  readonly outcome: string;
  readonly found: Found;
  readonly snapshot: Snapshot;
}

export function showsHeld(outcomes: Outcomes, isHeld: (ring: string) => boolean): boolean {
  const script = outcomes.at(-1);
  return isAnswer(script) && [script[5], script[8]].some((ring) => ring !== '' && isHeld(ring));
}

/** The same for the outcomes of plain commands. */
export function showsRing(outcomes: Outcomes, isHeld: (ring: string) => boolean): boolean {
  return outcomes.some((outcome) => typeof outcome === 'string' && isHeld(outcome));
}

/** Reads what both scripts return (scripts.ts). */
export function readAnswer(reply: Reply, place: Place): Answer {
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
      key: keyDigest === '' ? null : asKeyEntry({ text: key, digest: keyDigest, ttlMs: Number(keyTtlMs) }, nowMs),
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

/**
 * Reads the entry of a key. Clients decode every reply as UTF-8: the text is right only if its
 * digest is that of the original bytes.
 */
function asKeyEntry(
  { text, digest, ttlMs }: { readonly text: string; readonly digest: string; readonly ttlMs: number },
  nowMs: number,
): KeyEntry {
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
    'Redis answered with something that is not the answer to the question. Remove what stands ' +
      'between rewt and Redis (a proxy, another server).',
  );
}
