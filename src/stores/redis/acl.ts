/**
 * The line of ACL SETUSER that gives a user the rights of one role, and no others, as each version
 * of Redis accepts it. Pure.
 */

import type { AllRedisNames } from './names.js';
import { aclRules, type Role } from './rights.js';

/** The rules that a version of Redis knows. */
export interface AclVersion {
  /** Rights to channels: from Redis 6.2 on. */
  readonly channels: boolean;
  /** Keys that are only read (`%R~`), and selectors: from Redis 7.0 on, and in Valkey. */
  readonly reads: boolean;
}

export const NEWEST: AclVersion = { channels: true, reads: true };

/** Parses a version such as '6', '6.2' or '7.0.15'. Null for no version, or one without ACL. */
export function aclVersionOf(text: string): AclVersion | null {
  const [, major, minor = '0'] = /^(\d{1,3})(?:\.(\d{1,3}))?(?:\.\d{1,5})?$/.exec(text) ?? [];
  if (major === undefined || Number(major) < 6) return null;
  const isSix = Number(major) === 6;
  return { channels: !isSix || Number(minor) >= 2, reads: !isSix };
}

export interface AclLine {
  readonly role: Role;
  /** The name of the Redis user. */
  readonly user: string;
  /** The names of the namespace. With a key prefix, those of an earlier version are included. */
  readonly names: AllRedisNames;
  /** True to add push to a role that does without. */
  readonly push?: boolean;
  readonly version?: AclVersion;
}

/**
 * Returns the words of one ACL SETUSER, in the lines of docs/clients.md. They replace every right
 * that the user has, and leave its passwords alone: they contain none.
 */
export function aclWords({ role, user, names, push = false, version = NEWEST }: AclLine): readonly string[][] {
  const [keys = [], ...commands] = aclRules(role, names, push);
  const [before = []] = names.before === null ? [] : aclRules(role, names.before, push);
  const start = ['ACL', 'SETUSER', user, 'on', 'resetkeys', 'resetchannels', 'clearselectors', '-@all'];
  const lines = [start, [...new Set([...keys, ...before])], ...commands];
  return lines.map((words) => words.flatMap((word) => wordFor(word, version)));
}

function wordFor(word: string, { channels, reads }: AclVersion): readonly string[] {
  if (!channels && (word === 'resetchannels' || word.startsWith('&'))) return [];
  if (!reads && word === 'clearselectors') return [];
  return [reads ? word : word.replace(/^%R~/, '~')];
}

/**
 * Formats words as redis-cli reads a line. Quotes those with a quote or a control character, which
 * would also change what a terminal shows.
 */
export function asTyped(words: readonly string[]): string {
  return words.map((word) => (/["']|[\p{C}\p{Zl}\p{Zp}]/u.test(word) ? quoted(word) : word)).join(' ');
}

function quoted(word: string): string {
  const escaped = word
    .replace(/["\\]/g, '\\$&')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) =>
      Array.from(Buffer.from(found), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    );
  return `"${escaped}"`;
}
