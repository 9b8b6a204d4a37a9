/**
 * Judges what members did under a fault: which refusals a revocation explains, and which
 * acceptances came too late. Pure.
 */
import type { Cause, Evidence, Operation, Revocation, Token } from './evidence.js';

export interface Verdict {
  readonly operations: number;
  /**
   * Tokens that were refused within their life, though their secret was not revoked. Must be 0.
   */
  readonly refusedWithoutRevocation: number;
  /**
   * Tokens that were accepted though their secret had been revoked more than `maxStaleness` ago.
   * Must be 0.
   */
  readonly acceptedAfterBound: number;
  /**
   * Operations that failed because the store was away (503), by code; without those on revoked
   * tokens, which no caller misses.
   */
  readonly unavailable: Readonly<Record<string, number>>;
  /** Operations that failed for anything else, by code. Must be empty. */
  readonly wrong: Readonly<Record<string, number>>;
  /**
   * The longest that nothing of one kind (sign, verify) succeeded at one member, where something
   * failed.
   */
  readonly longestUnavailableMs: number;
  /** The longest that anyone waited for an answer. */
  readonly slowestMs: number;
  /**
   * For each `revoke()` that returned: how long after that until no member accepted a token from
   * before, and each had turned one down. Ascending.
   */
  readonly spreadMs: readonly number[];
  /** Secrets that began to sign while those before them still verified. */
  readonly rotations: number;
  /**
   * Revocations after which some member never tried a token from before, and losses that lost
   * nothing: no proof of anything. Must be 0.
   */
  readonly unproven: number;
}

/**
 * When the secrets of a generation were taken away: from then on they may be refused, and that long
 * after they must be.
 */
interface End {
  readonly mayMs: number;
  readonly mustMs: number;
}
const never: End = { mayMs: Number.POSITIVE_INFINITY, mustMs: Number.POSITIVE_INFINITY };

export function judge(evidence: Evidence): Verdict {
  const { operations, tokens, maxStalenessMs } = evidence;
  const generationOf = generationsByKid(evidence);
  const explained = generationCauses(evidence);
  const ends = generationEnds(evidence, explained);
  const verdict = { refusedWithoutRevocation: 0, acceptedAfterBound: 0 };
  const unavailable: Record<string, number> = {};
  const wrong: Record<string, number> = {};

  const missed: Operation[] = [];
  for (const operation of operations) {
    const { kind, startMs, endMs, code } = operation;
    const token = kind === 'verify' ? tokens.get(operation.token) : undefined;
    const end = (token && ends[generationOf(token)]) ?? never;
    if (code !== null && isUnavailable(code)) {
      if (endMs < end.mayMs) missed.push(operation);
    } else if (code === 'ERR_REWT_UNKNOWN_KEY' && token) {
      if (endMs < end.mayMs && endMs < token.endsMs) verdict.refusedWithoutRevocation += 1;
    } else if (token && startMs > end.mustMs + maxStalenessMs) {
      // Also one that had ended meanwhile: only a secret that verifies is asked for the end of its
      // token.
      verdict.acceptedAfterBound += 1;
    } else if (code === 'ERR_REWT_EXPIRED' && token) {
      if (endMs < token.endsMs) verdict.refusedWithoutRevocation += 1;
    } else if (code !== null) {
      count(wrong, code);
    }
  }
  for (const { code } of missed) count(unavailable, String(code));

  const spread = evidence.causes
    .filter((cause) => cause.kind === 'revoked')
    .map((cause) => spreadOf(cause, evidence, (token) => ends[generationOf(token)]?.mayMs === cause.beganMs));
  const withoutEffect = evidence.causes.filter((cause) => cause.kind === 'lost' && !explained.includes(cause));
  return {
    operations: operations.length,
    ...verdict,
    unavailable,
    wrong,
    longestUnavailableMs: longestUnavailableMs(operations, new Set(missed)),
    slowestMs: operations.reduce((most, { startMs, endMs }) => Math.max(most, endMs - startMs), 0),
    spreadMs: spread.map(({ spreadMs }) => spreadMs).sort((a, b) => a - b),
    rotations: rotations(evidence, generationOf),
    unproven: spread.filter(({ proven }) => !proven).length + withoutEffect.length,
  };
}

function count(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}

/** What an outage may lead to. A denied user or a closed client, say, would be our mistake. */
function isUnavailable(code: string): boolean {
  return /^ERR_REWT_STORE_(DOWN|TIMEOUT|READ_ONLY|FULL|CONTENDED)$/.test(code);
}

/** The index of a token's generation: the last that its secret belonged to. */
function generationsByKid({ generations }: Evidence): (token: Token) => number {
  const indices = new Map<string, number>();
  generations.forEach(({ kids }, index) => {
    for (const kid of kids) indices.set(kid, index);
  });
  return ({ kid }) => indices.get(kid) ?? generations.length;
}

/**
 * For each generation, the cause that it came from; undefined for the first one, and for one
 * without an explanation.
 */
function generationCauses({ generations, causes }: Evidence): readonly (Cause | undefined)[] {
  const nameless = [
    ...causes.filter(({ kind }) => kind === 'lost'),
    ...causes.filter(({ kind }) => kind === 'attempted'),
  ];
  return generations.map(({ name, firstSeenMs }, index) => {
    const revocation = causes.find((cause) => cause.kind === 'revoked' && cause.generation === name);
    if (revocation || index === 0) return revocation;
    const found = nameless.findIndex(({ beganMs }) => beganMs <= firstSeenMs);
    return found < 0 ? undefined : nameless.splice(found, 1)[0];
  });
}

/** A generation ends with the first one after it that a cause explains. */
function generationEnds({ generations }: Evidence, causes: readonly (Cause | undefined)[]): readonly End[] {
  const ends: End[] = [];
  let end = never;
  for (const [index, { firstSeenMs }] of [...generations.entries()].reverse()) {
    ends[index] = end;
    const cause = causes[index];
    if (cause === undefined) continue;
    const mustMs = cause.kind === 'revoked' ? cause.returnedMs : firstSeenMs;
    end = { mayMs: Math.min(end.mayMs, cause.beganMs), mustMs: Math.min(end.mustMs, mustMs) };
  }
  return ends;
}

/**
 * `isEnded` tells whether it was this revocation, and none before it, that took a token's secret
 * away.
 */
function spreadOf(
  { beganMs, returnedMs }: Revocation,
  { operations, tokens, members }: Evidence,
  isEnded: (token: Token) => boolean,
): { spreadMs: number; proven: boolean } {
  let acceptedMs = returnedMs;
  /** By member, when it first turned down a token from before. */
  const turnedDownMs = new Map<number, number>();
  for (const { kind, token: id, member, startMs, endMs, code } of operations) {
    const token = tokens.get(id);
    if (kind !== 'verify' || startMs < beganMs || token === undefined || !isEnded(token)) continue;
    if (code === null || code === 'ERR_REWT_EXPIRED') acceptedMs = Math.max(acceptedMs, endMs);
    else turnedDownMs.set(member, Math.min(endMs, turnedDownMs.get(member) ?? endMs));
  }
  return {
    spreadMs: Math.max(acceptedMs, ...turnedDownMs.values()) - returnedMs,
    proven: turnedDownMs.size === members,
  };
}

function rotations({ tokens }: Evidence, generationOf: (token: Token) => number): number {
  const signing = [...tokens.values()];
  return new Set(signing.map(({ kid }) => kid)).size - new Set(signing.map(generationOf)).size;
}

function longestUnavailableMs(operations: readonly Operation[], missed: ReadonlySet<Operation>): number {
  let longestMs = 0;
  const bySubject = new Map<string, Operation[]>();
  for (const operation of operations) {
    const subject = `${operation.member} ${operation.kind}`;
    const others = bySubject.get(subject);
    if (others) others.push(operation);
    else bySubject.set(subject, [operation]);
  }
  for (const subject of bySubject.values()) {
    let successMs = Number.NEGATIVE_INFINITY;
    let failedMs: number | null = null;
    for (const operation of subject.toSorted((a, b) => a.endMs - b.endMs)) {
      const { startMs, endMs } = operation;
      if (missed.has(operation)) failedMs ??= Math.max(startMs, successMs);
      else {
        if (failedMs !== null) longestMs = Math.max(longestMs, endMs - failedMs);
        successMs = endMs;
        failedMs = null;
      }
    }
    const last = subject.at(-1);
    if (failedMs !== null && last) longestMs = Math.max(longestMs, last.endMs - failedMs);
  }
  return longestMs;
}
