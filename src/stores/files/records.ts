/**
 * The text of a record in the file store: both entries, and the names that link the records into
 * one chain. Pure.
 */

import { createHash } from 'node:crypto';
import { emptyRecord, type RingEntry, type StoreRecord } from '../record.js';
import type { KeyEntry } from '../store.js';

/** Names of files in the folder of a namespace. */
export const BIRTH = 'birth';
export const NAMESPACE = 'namespace';
export const DRAFTS = 'tmp';
export const MEMBERS = 'members';

const GENERATION_DIGITS = 12;
/** No swap can follow this generation; no real keyring reaches it. */
export const LAST_GENERATION = 10 ** GENERATION_DIGITS - 1;

/** One record of a folder, or the absence of one. */
export interface FolderState {
  /** A random name, made with the folder; null if there is none yet. */
  readonly birth: string | null;
  /** 0 if there is no record. */
  readonly generation: number;
  /** The random name of the swap that wrote the record; null if there is no record. */
  readonly op: string | null;
  /** The `op` of the record that it replaced; null if there was none. */
  readonly parent: string | null;
  readonly record: StoreRecord;
}

export function emptyState(birth: string | null): FolderState {
  return { birth, generation: 0, op: null, parent: null, record: emptyRecord };
}

/**
 * Returns the folder of a namespace. Also works for names that are long, differ only in case, or
 * are no valid file names.
 */
export function folderName(namespace: string): string {
  return createHash('sha256').update(namespace).digest('hex').slice(0, 32);
}

/** Returns the file of a member's announcement. */
export function memberName(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 24);
}

export function recordName(birth: string, generation: number): string {
  return `ring.${birth}.${String(generation).padStart(GENERATION_DIGITS, '0')}`;
}

/**
 * Returns the generations of one birth among the names in a folder, in ascending order. Ignores
 * other names.
 */
export function generationsIn(names: readonly string[], birth: string): readonly number[] {
  const start = `ring.${birth}.`;
  return names
    .filter((name) => name.startsWith(start) && /^\d{12}$/.test(name.slice(start.length)))
    .map((name) => Number(name.slice(start.length)))
    .sort((a, b) => a - b);
}

export function isBirth(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

export function formatRecord(op: string, parent: string | null, { key, ring }: Omit<StoreRecord, 'digest'>): string {
  return JSON.stringify({ v: 1, op, parent, key, ring });
}

/**
 * Parses a record. Returns a text that no store wrote as an invalid ring: the member reports a
 * typed error, and `revoke()` can replace it.
 */
export function parseRecord(text: string, birth: string, generation: number): FolderState {
  const { op, parent, key, ring } = parsed(text) ?? {
    op: `!${createHash('sha256').update(text).digest('hex').slice(0, 24)}`,
    parent: null,
    key: null,
    ring: { text, expiresAtMs: null },
  };
  return { birth, generation, op, parent, record: { key, ring, digest: `${birth}.${generation}.${op}` } };
}

interface Parsed {
  readonly op: string;
  readonly parent: string | null;
  readonly key: KeyEntry | null;
  readonly ring: RingEntry | null;
}

function parsed(text: string): Parsed | null {
  try {
    const { v, op, parent, key, ring } = JSON.parse(text);
    const isOurs = v === 1 && typeof op === 'string' && (parent === null || typeof parent === 'string');
    return isOurs && isKeyEntry(key) && isRingEntry(ring) ? { op, parent, key, ring } : null;
  } catch {
    return null;
  }
}

function isKeyEntry(value: unknown): value is KeyEntry | null {
  return value === null || (hasExpiry(value) && 'value' in value && typeof value.value === 'string');
}

function isRingEntry(value: unknown): value is RingEntry | null {
  return value === null || (hasExpiry(value) && 'text' in value && typeof value.text === 'string');
}

function hasExpiry(value: unknown): value is { expiresAtMs: number | null } {
  if (typeof value !== 'object' || value === null || !('expiresAtMs' in value)) return false;
  return value.expiresAtMs === null || typeof value.expiresAtMs === 'number';
}
